import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pgduet.local.accounts import server_account

REPOSITORY = Path(__file__).resolve().parents[2]
# With these subprocess forks in this process before it runs the command, and gRPC's threads do not survive every fork.
FORKING = {"user", "group", "extra_groups", "preexec_fn"}


def forking_calls(text: str) -> Iterator[str]:
    """Yield calls that run a program (subprocess.run, Popen, check_output ...) in a way that forks."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and FORKING & {keyword.arg for keyword in node.keywords}:
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"Popen", "run", "call", "check_call", "check_output"}:
                yield ast.unparse(node)


def test_a_command_runs_under_the_account_in_the_same_process() -> None:
    process = subprocess.Popen(
        server_account().command(["sh", "-c", "id -u; echo $$"]), stdout=subprocess.PIPE, text=True
    )
    said, _ = process.communicate()
    assert said.split() == [str(server_account().uid), str(process.pid)]


def test_no_program_is_started_by_a_fork_of_this_process() -> None:
    assert list(forking_calls("subprocess.Popen([program], user=1, cwd='/')")) == [
        "subprocess.Popen([program], user=1, cwd='/')"
    ]
    folders = ("sidecar", "plpython", "migrations", "tests", "benchmarks")
    files = [file for folder in folders for file in (REPOSITORY / folder).rglob("*.py")]
    assert len(files) > 300
    assert [f"{file}: {call}" for file in files for call in forking_calls(file.read_text())] == []
