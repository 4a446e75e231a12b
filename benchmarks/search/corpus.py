"""Real code chunks with real vectors: cut from the installed Python packages, embedded once by `small`, kept on disk.

Both halves are stored as the encoders give them, so that other weights cost nothing. Rows are in random order: every
prefix is a sample of the whole.
"""

import ast
import gzip
import hashlib
import json
import os
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pgduet.chunking import chunk_code, detect_language
from pgduet.ingest.reading import NotCodeError, read_code

# Two encoders on two cores read about 3,500 tokens a second: 200,000 chunks of 32 take an hour, whole ones
# the better part of a day.
MAX_TOKENS = 32
QUERIES = 500
_SUFFIXES = frozenset((".py", ".pyx", ".h", ".hpp", ".c", ".cpp", ".cu", ".js", ".ts", ".sql"))
_MAX_BYTES = 300_000
_SEED = 6


@dataclass(frozen=True)
class Row:
    """One chunk: `repo` is the package's folder."""

    repo: str
    path: str
    symbol: str
    language: str
    content: str


@dataclass(frozen=True)
class Question:
    """One held-out function: `text` is its docstring's first sentence (kind nl) or its code without it (kind code)."""

    kind: str
    text: str


def cache_folder() -> Path:
    """Return the folder outside of git where chunks and vectors are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(root) / "pgduet" / f"bench-search-{MAX_TOKENS}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_corpus(count: int) -> tuple[list[Row], list[Question]]:
    """Return `count` distinct chunks in random order and the held-out questions; cut anew where the cache has fewer.

    Raises SystemExit where the installed packages hold too little code.
    """
    file = cache_folder() / "chunks.jsonl.gz"
    if not file.exists():
        _write(file)
    rows: list[Row] = []
    questions: list[Question] = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if "kind" in record:
                questions.append(Question(**record))
            elif len(rows) < count:
                rows.append(Row(**record))
            else:
                break
    if len(rows) < count:
        raise SystemExit(f"the installed packages hold {len(rows):,} chunks, {count:,} were asked for")
    return rows, questions


def count_rows() -> int:
    """Count the chunks that the installed packages gave when they were cut."""
    file = cache_folder() / "chunks.jsonl.gz"
    if not file.exists():
        _write(file)
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return sum(1 for _ in lines) - 2 * QUERIES


def _write(file: Path) -> None:
    rows: dict[bytes, Row] = {}
    questions: list[Question] = []
    held: set[bytes] = set()
    for row in _chunks():
        key = hashlib.sha256(row.content.encode()).digest()
        if key in rows or key in held:
            continue
        # One function in about forty is held out until there are enough of both kinds.
        found = list(_questions(row)) if key[0] < 7 and len(questions) < 2 * QUERIES else []
        if found:
            held.add(key)
            questions += found
        else:
            rows[key] = row
    shuffled = list(rows.values())
    random.Random(_SEED).shuffle(shuffled)
    partial = file.with_suffix(".partial")
    with gzip.open(partial, "wt", encoding="utf-8", compresslevel=3) as out:
        records: list[Row | Question] = [*questions, *shuffled]
        for record in records:
            out.write(json.dumps(asdict(record)) + "\n")
    partial.replace(file)


def _chunks() -> Iterator[Row]:
    seen: set[Path] = set()
    for root in (Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))):
        files = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
        for path in files:
            if path in seen or "__pycache__" in path.parts:
                continue
            seen.add(path)
            place = path.relative_to(root)
            try:
                text = read_code(path, _MAX_BYTES)
            except (NotCodeError, OSError):
                continue
            language = detect_language(str(place), text)
            for chunk in chunk_code(text, language or None, str(place)):
                if len(chunk.content) >= 60 and chunk.content.count("\n") >= 2 and "\0" not in chunk.content:
                    yield Row(place.parts[0], str(place), chunk.symbol, chunk.language, chunk.content)


def _questions(row: Row) -> Iterator[Question]:
    if row.language != "python" or not row.content.lstrip().startswith("def "):
        return
    try:
        function = ast.parse(_dedent(row.content)).body[0]
    except (SyntaxError, ValueError, IndexError):
        return
    if not isinstance(function, ast.FunctionDef) or len(function.body) < 3:
        return
    sentence = " ".join((ast.get_docstring(function) or "").split(". ")[0].split())
    if not 5 <= len(sentence.split()) <= 30:
        return
    function.body = function.body[1:]
    yield Question("nl", sentence)
    yield Question("code", ast.unparse(function))


def _dedent(text: str) -> str:
    indent = len(text) - len(text.lstrip(" "))
    return "\n".join(line[indent:] if line[:indent].isspace() or not indent else line for line in text.split("\n"))
