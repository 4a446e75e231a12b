"""The code blocks of README and docs/: what stands on a page, and somebody who does what it says.

What an HTML comment straight above a block says of it:

- `not run: REASON (FILE)`: one of `REASONS`; the file shows that it works nevertheless.
- `slow`: run by `make test-all` only.
- `stopped after`: programs that this block starts end behind it, not at the end of the page.
- `output`: what the block before printed. Compared are words: widths and rules of tables do not count, numbers with a
  point may differ by 0.02, `...` stands for any words, or alone in a line for any lines.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fix_cluster import REPOSITORY
from fix_worker import wait_until

# The reference is written by tests/docs/test_reference.py, which runs its examples.
PAGES = [
    REPOSITORY / "README.md",
    *(page for page in sorted((REPOSITORY / "docs").rglob("*.md")) if page.parent.name != "reference"),
]
REASONS = {
    "it installs packages",
    "it starts or tests all of a checkout",
    "it needs Docker",
    "it needs systemd",
    "it needs two servers",
    "it needs two major versions of PostgreSQL",
    "it needs a table full of code",
    "it downloads gigabytes",
    "it measures for half an hour or longer",
}
RUN = ("sql", "sh")
NOTES = ("slow", "stopped after", "output")
TOLERANCE = 0.02
_BLOCK = re.compile(
    r"^(?P<notes>(?:<!-- [^>]*-->\n+)*)```(?P<language>\S*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
_NOT_RUN = re.compile(r"not run: (?P<reason>.+) \((?P<proof>\S+)\)")
# Programs that run until they are stopped, and the word in what they print when they are ready.
_RUNS_ON = re.compile(r"(?:\w+=\S+ )*pgduet (serve|worker|trainer|ui|status --watch)\b(?!.*--(?:once|help))")
_READY = {
    "serve": r"\bready\b",
    "worker": r"\bconnected\b",
    "trainer": r"\bconnected\b",
    "ui": r"end with Ctrl-C",
    "status --watch": r"health",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands and what is noted of it."""

    page: Path
    line: int
    language: str
    body: str
    notes: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def not_run(self) -> "re.Match[str] | None":
        """Give why it is not run and the file that shows that it works, where it is not."""
        return next((found for note in self.notes if (found := _NOT_RUN.fullmatch(note))), None)

    def runs(self, *, slow: bool) -> bool:
        return self.language in RUN and not self.not_run and (slow or "slow" not in self.notes)


def read_blocks(page: Path) -> list[Block]:
    """Give the blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start("body")), found["language"], found["body"], _notes(found["notes"]))
        for found in _BLOCK.finditer(text)
    ]


def _notes(comments: str) -> tuple[str, ...]:
    said = re.findall(r"<!-- (.*?) -->", comments)
    return tuple(part for note in said for part in ([note] if note.startswith("not run") else note.split(", ")))


@dataclass(frozen=True)
class Place:
    """Where a page is tried: a folder to work in, an environment, and what stands there for names on the page."""

    folder: Path
    environment: Mapping[str, str]
    names: Mapping[str, str]

    def text(self, body: str) -> str:
        """Put what is there in place of the names on the page."""
        for name, here in self.names.items():
            body = body.replace(name, here)
        return body


class Reader:
    """Does what a page says, block after block; fails with the place of the block that does not work."""

    def __init__(self, place: Place, seconds: float = 300) -> None:
        self._place, self.seconds = place, seconds

    def follow(self, blocks: Sequence[Block], *, slow: bool) -> None:
        """Run the blocks, the slow ones too or not, and stop what still runs at the end."""
        printed: str | None = None
        with ExitStack() as running:
            for block in blocks:
                if "output" in block.notes:
                    if printed is not None and not agrees(lines_of(block.body), lines_of(printed)):
                        pytest.fail(f"{block.place}: it printed\n{printed}", pytrace=False)
                elif block.runs(slow=slow):
                    printed = self._run(block, running)
                else:
                    printed = None

    def _run(self, block: Block, running: ExitStack) -> str:
        body = self._place.text(block.body)
        if block.language == "sql":
            psql = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--pset=footer=off"]
            return self._do(block, psql, body)
        printed = ""
        with ExitStack() as own:
            for script, program in pieces(body):
                if program:
                    started = self._started(block, script, program)
                    (own if "stopped after" in block.notes else running).enter_context(started)
                else:
                    printed += self._do(block, ["bash", "-euo", "pipefail", "-c", script], "")
        return printed

    def _do(self, block: Block, command: list[str], given: str) -> str:
        with subprocess.Popen(
            command,
            env=dict(self._place.environment),
            cwd=self._place.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                printed, complaints = process.communicate(given, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                pytest.fail(f"{block.place}: it did not end within {self.seconds} s\n{block.body}", pytrace=False)
        if process.returncode:
            told = f"{block.body}\n{printed}\n{complaints}"
            pytest.fail(f"{block.place}: it ended with {process.returncode}\n{told}", pytrace=False)
        return printed

    @contextmanager
    def _started(self, block: Block, command: str, program: str) -> Iterator[None]:
        """Run a program until the block ends, by Ctrl-C, after which it has to end well."""
        number = len(list(self._place.folder.glob("*.log")))
        log = self._place.folder / f"{number}-{program.split()[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # Whoever runs the tests in the background has Ctrl-C ignored, and so would have what they start.
                ["bash", "-c", f"exec env --default-signal=INT {command}"],
                env=dict(self._place.environment),
                cwd=self._place.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

        def is_ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{block.place}: {command} ended\n{log.read_text()}", pytrace=False)
            return re.search(_READY[program], log.read_text()) is not None

        try:
            wait_until(is_ready, 300, f"{block.place}: {command} did not get ready")
            yield
            process.send_signal(signal.SIGINT)
            status = process.wait(30)
            assert status == 0, f"{block.place}: after Ctrl-C {command} ended with {status}\n{log.read_text()}"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def pieces(script: str) -> Iterator[tuple[str, str]]:
    """Cut a script into what ends by itself and the programs that do not, with the name of such a one or nothing."""
    waiting: list[str] = []
    for line in script.splitlines():
        found = _RUNS_ON.match(line.partition(" #")[0])
        if not found:
            waiting.append(line)
            continue
        if waiting:
            yield "\n".join(waiting), ""
            waiting = []
        yield line, found[1]
    if waiting:
        yield "\n".join(waiting), ""


def lines_of(text: str) -> list[list[str]]:
    """Give the words of each line; blank lines and the rules of tables are left out."""
    found = (re.sub(r"(?<!\S)[-+|]+(?!\S)", " ", line.replace("|", " | ")).split() for line in text.splitlines())
    return [words for words in found if words]


def agrees(shown: Sequence[Any], printed: Sequence[Any]) -> bool:
    """Tell whether lines, or the words of one, are as shown."""
    if not shown:
        return not printed
    if shown[0] in (["..."], "..."):
        return any(agrees(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and _equal(shown[0], printed[0]) and agrees(shown[1:], printed[1:])


def _equal(shown: Any, printed: Any) -> bool:
    if isinstance(shown, list):
        return agrees(shown, printed)
    if shown != printed and all(re.fullmatch(r"-?\d+\.\d+", word) for word in (shown, printed)):
        return abs(float(shown) - float(printed)) <= TOLERANCE
    return bool(shown == printed)


def stray_code(text: str) -> list[str]:
    """Give the first lines of code that stands indented, outside fences and lists."""
    prose = _BLOCK.sub("", text)
    return re.findall(r"^(?![-*!?=\d ]).+\n\n {4}(\S.*)", prose, re.MULTILINE)
