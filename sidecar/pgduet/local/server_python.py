"""The small Python environment that PostgreSQL's own Python gets: grpcio, protobuf and pgduet, nothing else.

Run as a module (`python -m pgduet.local.server_python REPOSITORY`) it makes or renews the environment.
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from pgduet.errors import PgduetError
from pgduet.local.binaries import Binaries, find_binaries
from pgduet.local.state import state_folder

_FOLDER = "server-python"


def server_python_path(state: Path) -> Path:
    """Give the folder to put into the server's PYTHONPATH.

    Raises PgduetError where `make setup` has not made it.
    """
    found = sorted((state / _FOLDER / "lib").glob("python3*/site-packages"))
    if not found:
        raise PgduetError(f"{state / _FOLDER} holds no Python packages", hint="run `make setup`")
    return found[-1]


def server_interpreter(binaries: Binaries) -> Path:
    """Find the interpreter of the Python that PL/Python links to: packages for another version would not load.

    Raises PgduetError where PL/Python is missing or its interpreter is not installed.
    """
    library = binaries.libraries / "plpython3.so"
    if not library.exists():
        raise PgduetError(
            f"PL/Python is missing: no {library}", hint="install postgresql-plpython3-NN, or `make setup`"
        )
    linked = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    version = re.search(r"libpython(3\.\d+)\S* => (\S+)", linked)
    if version is None:
        raise PgduetError(f"{library} does not say which Python it links to:\n{linked}")
    # /usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0 belongs to /usr/bin/python3.11.
    prefixes = [parent for parent in Path(version[2]).parents if (parent / "bin" / f"python{version[1]}").exists()]
    usual = Path(f"/usr/bin/python{version[1]}")
    interpreter = prefixes[0] / "bin" / f"python{version[1]}" if prefixes else usual
    if not interpreter.exists():
        raise PgduetError(f"PL/Python links to Python {version[1]}, but {interpreter} is missing", hint="install it")
    return interpreter


def ensure_server_python(repository: Path) -> tuple[Path, bool]:
    """Make the environment, or renew what of it changed; gives its folder and whether anything was done.

    Raises PgduetError with the output of the step that failed.
    """
    state = state_folder(repository)
    interpreter = server_interpreter(find_binaries())
    target = state / _FOLDER
    with (state / f"{_FOLDER}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = _digest(str(interpreter.resolve()), [repository / "pyproject.toml", repository / "constraints.txt"])
        made = _once(target / "base.stamp", base, lambda: _make(repository, interpreter, target))
        code = _digest(base, sorted(f for room in ("proto", "plpython") for f in (repository / room).rglob("*.py")))
        installed = _once(target / "wheel.stamp", code, lambda: _install_wheel(repository, target))
    return target, made or installed


def _once(stamp: Path, digest: str, step: Callable[[], None]) -> bool:
    """Run a step unless it ran for the same digest before."""
    if stamp.exists() and stamp.read_text() == digest:
        return False
    step()
    stamp.write_text(digest)
    return True


def _digest(start: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(start.encode())
    for file in files:
        digest.update(str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _make(repository: Path, interpreter: Path, target: Path) -> None:
    """Make the environment afresh with the wheel's base dependencies at the constraints' versions."""
    dependencies = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["dependencies"]
    _run([str(interpreter), "-m", "venv", "--clear", str(target)], repository)
    _run([*_pip(target), "-c", "constraints.txt", *dependencies], repository)


def _install_wheel(repository: Path, target: Path) -> None:
    """Build pgduet's wheel with this process's Python, which has the build backend, and install it alone."""
    with tempfile.TemporaryDirectory() as wheels:
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], repository)
        built = [str(wheel) for wheel in Path(wheels).glob("*.whl")]
        _run([*_pip(target), "--no-deps", "--no-index", "--force-reinstall", *built], repository)


def _pip(target: Path) -> list[str]:
    return [f"{target}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _run(command: list[str], folder: Path) -> None:
    # The umask lets the server's user read what a careful root writes.
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, umask=0o022)
    if done.returncode:
        raise PgduetError(
            f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}".rstrip(),
            hint="is the Python package index reachable? on Debian the venv module comes with python3-venv",
        )


if __name__ == "__main__":
    try:
        folder, built = ensure_server_python(Path(sys.argv[1]).resolve())
    except PgduetError as error:
        sys.exit(f"{error}\nhint: {error.hint}")
    print(f"{folder} ({'built' if built else 'up to date'})")  # noqa: T201
