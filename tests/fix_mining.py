"""Planted code with planted vectors, for mining: chunks whose likeness is known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pytest

from fix_database import Connection, Database, new_database
from fix_vectors import WIDTH, Floats, load_vectors
from pgduet.local.cluster import Cluster
from pgduet.training.mining import Options
from pgduet.training.mining.options import SIDES, Side
from pgduet.training.mining.sides import side_of

CODE = 1536
ONE = Options(least=1)
VIEW = (
    "SELECT triplet_id, split, kind, anchor_chunk, positive_chunk, negative_chunk, negative_kind, anchor, positive,"
    " negative, positive_similarity, negative_similarity, negative_code, negative_text FROM pgduet.triplets"
    " ORDER BY triplet_id, negative_number"
)
_NAMES = ("item", "cart", "rows", "path", "line", "text", "user", "node", "left", "data", "size", "name")


def repos_on(side: Side, number: int) -> list[str]:
    """Name repositories that fall on a side."""
    names = (f"repo{at}" for at in count())
    found = (name for name in names if side_of(name) == side)
    return [next(found) for _ in range(number)]


def body(
    seed: int, lines: int = 8, name: str = "function", docstring: str = "", names: tuple[str, ...] = _NAMES
) -> str:
    """Write a function that has hardly a run of tokens in common with that of another seed."""
    draw = np.random.default_rng([3, seed])
    text = f"def {name}({names[0]}):\n" + (f'    """{docstring}"""\n' if docstring else "")
    for _ in range(lines):
        a, b, c, d = (names[at] for at in draw.integers(0, len(names), 4))
        sign, number = "+-*/%<>&|"[draw.integers(9)], draw.integers(1000)
        text += f"    {a} = {b}.{c}[{number}] {sign} {d}\n"
    return text + f"    return {names[int(draw.integers(len(names)))]}\n"


def unit(seed: int) -> Floats:
    """Draw a vector whose halves have nothing in common with those of another seed; the code half weighs 0.15."""
    halves = np.random.default_rng([4, seed]).standard_normal(WIDTH).astype(np.float32)
    return _weighted(halves)


def near(vector: Floats, cosine: float, seed: int) -> Floats:
    """Draw a vector with this cosine to another, in each of its halves."""
    other = unit(seed)
    return _weighted(
        np.concatenate([_turned(vector[:CODE], other[:CODE], cosine), _turned(vector[CODE:], other[CODE:], cosine)])
    )


def _turned(half: Floats, other: Floats, cosine: float) -> Floats:
    half = half / np.linalg.norm(half)
    other = other - (other @ half) * half
    return np.asarray(cosine * half + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other), np.float32)


def _weighted(halves: Floats) -> Floats:
    code, text = halves[:CODE], halves[CODE:]
    whole = np.concatenate([0.15 * code / np.linalg.norm(code), 0.85 * text / np.linalg.norm(text)])
    return np.asarray(whole / np.linalg.norm(whole), np.float32)


@dataclass
class Planted:
    """Chunks to be stored; `add` returns the id that each will have in an empty table."""

    repos: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    symbols: list[str | None] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)

    def add(self, repo: str, content: str, vector: Floats, symbol: str | None = None, path: str | None = None) -> int:
        """Add a chunk, by default in a file of its own."""
        number = len(self.repos) + 1
        self.repos.append(repo)
        self.paths.append(path or f"f{number}.py")
        self.symbols.append(symbol)
        self.contents.append(content)
        self.vectors.append(vector)
        return number

    def background(self, repos: list[str], each: int, seed: int) -> None:
        """Add chunks that are like no other."""
        for repo in repos:
            for _ in range(each):
                seed += 1
                self.add(repo, body(seed), unit(seed))

    def store(self, connection: Connection) -> None:
        """Write all chunks and vectors."""
        load_vectors(
            connection,
            np.stack(self.vectors),
            repos=self.repos,
            paths=self.paths,
            symbols=self.symbols,
            contents=self.contents,
        )


def rows(connection: Connection) -> list[dict[str, Any]]:
    cursor = connection.execute(VIEW)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def held_out(planted: Planted, each: int = 4) -> None:
    """Give the sides that are held out enough for a split by repository."""
    for number, side in enumerate(SIDES[1:]):
        planted.background(repos_on(side, 3), each, 50_000 + 1_000 * number)


@pytest.fixture
def planted() -> Planted:
    """Give 24 repositories for training, six held out, with 132 chunks that are like no other."""
    planted = Planted()
    planted.background(repos_on("train", 24), 4, 1_000)
    held_out(planted, 6)
    return planted


@pytest.fixture(scope="session")
def forks() -> Planted:
    """Give 40 repositories with described functions, forks of three of them, and near-copies between others."""
    planted = Planted()
    repos = [*repos_on("train", 30), *repos_on("dev", 5), *repos_on("test", 5)]
    for number, repo in enumerate(repos):
        for at in range(6):
            seed = 100 * number + at
            said = f"Do the thing number {seed} to the {repo} as word{seed} says."
            planted.add(repo, body(seed, name=f"f{seed}", docstring=said), unit(seed), f"f{seed}", f"p/{at}.py")
    for number, original in enumerate((0, 31, 36)):
        for at in range(6):
            seed = 100 * original + at
            text = body(seed, name=f"f{seed}").replace("return", "log(1)\n    return") + f"    # fork {number}\n"
            planted.add(f"fork{number}", text, near(unit(seed), 0.97, 9000 + seed), f"f{seed}", f"p/{at}.py")
    for number in range(20):
        seed = 100 * number + 1
        text = body(seed, name=f"g{number}").replace("return", "check(2)\n    return")
        planted.add(repos[-1 - number % 10], text, near(unit(seed), 0.95, 8000 + number), f"g{number}")
    return planted


@pytest.fixture(scope="session")
def forks_template(cluster: Cluster, template: str, forks: Planted) -> Iterator[str]:
    """Name a database that holds these repositories."""
    with new_database(cluster, template) as database:
        with database.connect() as connection:
            forks.store(connection)
        yield database.name


@pytest.fixture
def forked(cluster: Cluster, forks_template: str) -> Iterator[Database]:
    """Give a database of its own that holds these repositories."""
    with new_database(cluster, forks_template) as database:
        yield database
