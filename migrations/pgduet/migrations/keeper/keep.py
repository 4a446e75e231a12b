"""The keeper: looks at every live generation, builds what is due, and sees to it that searches find enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from pgduet.database.errors import DatabaseError
from pgduet.database.queries import load_queries
from pgduet.database.settings import write_setting
from pgduet.errors import PgduetError
from pgduet.migrations.keeper.build import build_index, drop_index, drop_leftovers, in_words, setting
from pgduet.migrations.keeper.calibration import Calibration, calibrate, check_due, check_recall
from pgduet.migrations.keeper.lexical import keep_lexical
from pgduet.migrations.keeper.policy import (
    KINDS,
    Policy,
    State,
    calibration_seconds,
    is_worth_learning,
    pause_left,
    plan_build,
    why_due,
)
from pgduet.migrations.keeper.requests import close_requests, open_requests
from pgduet.migrations.keeper.state import count_rows, read_policy, read_states
from pgduet.migrations.keeper.watching import Progress

Connection = psycopg.Connection[Any]

# Any fixed number does; two keepers never work at the same time.
_LOCK = 7096_2561


def keep_index(
    connection: Connection, *, rebuild: bool = False, kind: str | None = None, progress: Progress | None = None
) -> str:
    """Build, rebuild, calibrate or measure the index of every live generation where that is due; say what was done.

    With `rebuild`, or where pgduet.reindex() asked for it, also where nothing is due; `kind` is set as index_kind
    before. A build is CONCURRENT under a new name, and the old index goes afterwards: neither readers nor writers wait.
    The connection is direct, in autocommit mode, and belongs to the owner of the tables or a superuser. Raises
    psycopg.Error and PgduetError.
    """
    if kind is not None:
        _set_kind(connection, kind)
    # It often runs as a superuser: nothing that others made in `public` may stand in for what is the server's own.
    pinned = {"search_path": "pg_catalog, pg_temp", "statement_timeout": "0", "lock_timeout": "0"}
    with setting(connection, **pinned), _locked(connection) as is_free:
        if not is_free:
            return "another session is building the index"
        _refuse_others(connection)
        requests = open_requests(connection)
        try:
            outcome = _keep_all(connection, rebuild or bool(requests), progress)
        except psycopg.errors.QueryCanceled:
            # The next keeper serves the requests.
            raise
        except (psycopg.Error, PgduetError) as error:
            if not connection.broken:
                close_requests(connection, requests, f"failed: {in_words(error)}")
            raise
        close_requests(connection, requests, outcome)
        return outcome


def _refuse_others(connection: Connection) -> None:
    """Refuse a role that may read all that is measured, but neither build nor write down what was found."""
    row = connection.execute(load_queries("state", "pgduet.migrations.keeper")["may_keep"]).fetchone()
    if not row or not row[0]:
        raise DatabaseError(
            "this role may not look after the index: it does not own the tables",
            "their owner or a superuser may: run `pgduet db index` as one of them, or the worker; "
            "`pgduet worker --no-index` leaves the index alone",
            "42501",
        )


def _set_kind(connection: Connection, kind: str) -> None:
    if kind not in KINDS:
        raise PgduetError(f"there is no index kind {kind!r}", hint=f"the kinds are {', '.join(KINDS)}")
    write_setting(connection, "index_kind", kind)


@contextmanager
def _locked(connection: Connection) -> Iterator[bool]:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    is_free = bool(row and row[0])
    try:
        yield is_free
    finally:
        if is_free and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _keep_all(connection: Connection, rebuild: bool, progress: Progress | None) -> str:
    policy = read_policy(connection)
    states = read_states(connection)
    outcomes = []
    for state in states:
        outcome = _keep_generation(connection, policy, state, rebuild, progress)
        outcomes.append(outcome if len(states) == 1 else f"generation {state.generation_id}: {outcome}")
    lexical = keep_lexical(connection, policy, progress)
    return "; ".join([*(outcomes or ["there is no live generation"]), *([lexical] if lexical else [])])


def _keep_generation(
    connection: Connection, policy: Policy, state: State, rebuild: bool, progress: Progress | None
) -> str:
    drop_leftovers(connection, state)
    reason = "it was asked for" if rebuild else why_due(state, policy)
    if reason and not state.is_counted:
        state = count_rows(connection, state)
        reason = reason if rebuild else why_due(state, policy)
    if state.rows == 0 or (state.rows < policy.min_rows and not rebuild):
        few = f"{state.rows:,} vectors: no index yet, searches scan exactly (an index comes at {policy.min_rows:,})"
        if state.index is None:
            return few
        if reason is not None:
            drop_index(connection, state.index.name)
            return f"dropped {state.index.name}; {few}"
    if reason is None:
        return _measure(connection, policy, state, progress)
    if not rebuild and (seconds := pause_left(state)) > 0:
        return (
            f"the last build failed: {state.failure}; it is tried again in {seconds:.0f} s, "
            "or at once by `pgduet db index --rebuild`"
        )
    return _build(connection, policy, state, reason, progress)


def _build(connection: Connection, policy: Policy, state: State, reason: str, progress: Progress | None) -> str:
    plan = plan_build(state.rows, policy)
    name = build_index(connection, state, plan, most_mb=policy.memory_mb, reason=reason, progress=progress)
    lists = f"with {plan.lists:,} lists " if plan.lists else ""
    built = f"built {name} {lists}on {state.rows:,} vectors ({reason})"
    words, _ = _calibrate(connection, policy, state, name, progress)
    return ", ".join(part for part in (built, plan.remark, words) if part)


def _measure(connection: Connection, policy: Policy, state: State, progress: Progress | None) -> str:
    """Look whether the index still finds what it should; calibrate it anew where not, and else build it anew."""
    index = state.index
    assert index is not None
    good = f"index {index.name} is good for {state.rows:,} vectors"
    if index.calibrated_for != policy.recall_target:
        words, _ = _calibrate(connection, policy, state, index.name, progress)
        return f"{good}, {words}"
    if not check_due(connection, state.generation_id, index.name):
        return good
    check = check_recall(connection, state.generation_id, index.name)
    if not check.below:
        return f"{good}, recall@10 {check.recall:.3f}"
    words, found = _calibrate(connection, policy, state, index.name, progress)
    # Looking through most of the lists finds everything, at the price of an exact scan.
    is_cheap = index.lists is None or (found.probes or 0) <= index.lists / 2
    if (found.reached and is_cheap) or not is_worth_learning(state):
        return f"{good}, recall@10 had fallen to {check.recall:.3f}: {words}"
    reason = f"recall@10 fell to {check.recall:.3f}"
    return _build(connection, policy, count_rows(connection, state), reason, progress)


def _calibrate(
    connection: Connection, policy: Policy, state: State, name: str, progress: Progress | None
) -> tuple[str, Calibration]:
    """Choose how many lists and candidates a search looks at, and say what recall that gives."""
    if progress is not None:
        progress("measuring recall", 0, 0)
    seconds = calibration_seconds(state.rows)
    found = calibrate(connection, state.generation_id, name, target=policy.recall_target, seconds=seconds)
    way = f"ef_search {found.ef_search}" if found.ef_search else f"{found.probes} probes"
    words = f"calibrated to recall@10 {found.recall:.3f} by {way}"
    if not found.reached:
        words += f", which does not ensure the target of {policy.recall_target:g}"
    return words, found
