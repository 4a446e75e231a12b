"""A session that lives long: memory and open files stay as they were (case C47)."""

import os
from pathlib import Path

import pytest

from fix_database import Connection, Database

CALLS = 100_000
# Every other text was seen before, some of them a moment ago; texts differ in length.
EMBED = """
SELECT count(pgduet.embed(CASE WHEN g %% 2 = 0 THEN 'again ' || g %% 50 ELSE repeat('word ', g %% 40 + 1) || g END))
FROM generate_series(%s::int, %s::int) g
"""


def status(pid: int) -> tuple[float, int, int]:
    """Give resident megabytes, open files and threads of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    # What is shared with other backends grows as they touch it.
    kilobytes = int(fields["RssAnon"].split()[0])
    return kilobytes / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])


def embed(session: Connection, first: int, last: int, *, a_statement: int) -> None:
    for start in range(first, last + 1, a_statement):
        session.execute(EMBED.encode(), (start, min(start + a_statement - 1, last)))


@pytest.mark.slow
def test_c47_a_hundred_thousand_calls_in_one_session_leave_it_as_it_was(stub_database: Database) -> None:
    with stub_database.connect() as session:
        # Half of the calls in statements of their own, half in statements of a thousand.
        embed(session, 1, 1000, a_statement=1)
        before = status(session.info.backend_pid)
        embed(session, 1001, CALLS // 2, a_statement=1)
        middle = status(session.info.backend_pid)
        embed(session, CALLS // 2 + 1, CALLS, a_statement=1000)
        after = status(session.info.backend_pid)
    print(f"anonymous MB, open files, threads: {before} at 1,000, {middle} at 50,000, {after} at 100,000")
    assert max(middle[0], after[0]) - before[0] < 50
    assert middle[1] == after[1] == before[1]
    # gRPC starts and ends threads of its own as it needs them.
    assert max(middle[2], after[2]) <= before[2] + 4
