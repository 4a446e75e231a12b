"""Clusters of copies, the split of groups, and thresholds."""

from collections.abc import Sequence

import numpy as np
import pytest

from pgduet.training.mining.copies import COMMON, clusters, phrases
from pgduet.training.mining.likeness import likeness
from pgduet.training.mining.options import SIDES
from pgduet.training.mining.sides import side_of, split
from pgduet.training.mining.table import Chunk
from pgduet.training.mining.thresholds import Wanted, choose

WANTED = Wanted(0.85, 0.3)


def chunk(number: int, content: str, repo: str = "repo", path: str = "a.py", description: int | None = None) -> Chunk:
    alike = likeness(content, "go", path, None)
    assert alike
    return Chunk(number, (repo, path), "", alike, description)


def words(seed: int, count: int = 60) -> list[str]:
    return [f"w{number}" for number in np.random.default_rng(seed).integers(0, 10_000, count)]


def text(seed: int, count: int = 60) -> str:
    return " ".join(words(seed, count))


def test_copies_near_copies_and_shared_descriptions_are_one_cluster() -> None:
    near = words(1)
    near[30] = "other"
    different = words(3)
    different[::4] = ["other"] * 15
    contents = [text(1), text(2), " ".join(near), text(3), f"{text(1)} // said", " ".join(different), text(4)]
    chunks = [chunk(number, content) for number, content in enumerate(contents)]
    chunks.append(chunk(7, text(5), description=99))
    chunks.append(chunk(8, text(6), description=99))
    assert clusters(chunks) == [0, 1, 0, 3, 0, 5, 6, 7, 7]
    assert clusters([]) == []


def test_a_phrase_makes_no_copies() -> None:
    chunks = [chunk(number, text(number), description=1) for number in range(COMMON + 1)]
    assert phrases(chunks) == {1}
    assert clusters(chunks) == list(range(COMMON + 1))
    assert phrases(chunks[1:]) == set()


def test_near_copies_are_found_among_many() -> None:
    originals = [words(seed, 120) for seed in range(300)]
    copies = [list(one) for one in originals]
    for one in copies:
        one[60] = one[61] = "changed"
    found = clusters([chunk(number, " ".join(one)) for number, one in enumerate([*originals, *copies])])
    assert found[:300] == found[300:] == list(range(300))


def many(repos: int, files: int = 5) -> list[Chunk]:
    return [
        chunk(repo * files + file, text(repo * 1000 + file), f"repo {repo}", f"{file}.py")
        for repo in range(repos)
        for file in range(files)
    ]


def check_no_leak(chunks: Sequence[Chunk], by_repo: bool = True) -> None:
    cluster = clusters(chunks)
    found = split(chunks, cluster)
    assert found.by == ("repo" if by_repo else "path")
    for of in (cluster, [one.group[0] if by_repo else "\0".join(one.group) for one in chunks]):
        sides: dict[object, set[str]] = {}
        for key, side in zip(of, found.sides, strict=True):
            if side:
                sides.setdefault(key, set()).add(side)
        assert all(len(some) == 1 for some in sides.values())


def test_repositories_are_on_one_side_that_their_name_tells() -> None:
    chunks = many(60)
    found = split(chunks, clusters(chunks))
    assert (found.by, found.groups, found.joined, found.left_out) == ("repo", 60, 0, 0)
    assert found.sides == [side_of(one.group[0]) for one in chunks]
    assert {side: found.sides.count(side) > 0 for side in SIDES} == dict.fromkeys(SIDES, True)
    assert found.sides.count("train") > 0.6 * len(chunks)
    check_no_leak(chunks)


def test_one_repository_is_split_by_file() -> None:
    chunks = many(1, files=80)
    assert split(chunks, clusters(chunks)).by == "path"
    check_no_leak(chunks, by_repo=False)
    assert split([], []).sides == []
    assert split(chunks[:1], [0]).sides == [side_of("repo 0\x000.py")]


def test_a_fork_moves_with_its_original() -> None:
    chunks = many(60)
    held_out = next(one.group[0] for one in chunks if side_of(one.group[0]) == "test")
    fork = [
        chunk(1000 + number, text(int(held_out.split()[1]) * 1000 + number) + " // forked", "zz fork", f"{number}.py")
        for number in range(3)
    ]
    fork += [chunk(1100 + number, text(90_000 + number), "zz fork", f"own {number}.py") for number in range(7)]
    # The fork alone would be on another side.
    assert side_of("zz fork") != "test"
    found = split([*chunks, *fork], clusters([*chunks, *fork]))
    assert found.sides[-10:] == ["test"] * 10
    assert (found.joined, found.left_out) == (1, 0)
    check_no_leak([*chunks, *fork])


def test_a_copy_in_every_repository_joins_none_and_stays_on_one_side() -> None:
    chunks = many(60, files=20)
    everywhere = [chunk(5000 + repo, text(77_777), f"repo {repo}", "licence.py") for repo in range(60)]
    found = split([*chunks, *everywhere], clusters([*chunks, *everywhere]))
    assert found.joined == 0
    assert set(found.sides[-60:]) == {"train", None}
    assert 0 < found.left_out < 30
    check_no_leak([*chunks, *everywhere])


def test_repositories_that_are_all_alike_are_split_by_file() -> None:
    # Each has a third of its chunks from a template: together they would be one, and nothing left to hold out.
    chunks = many(60, files=2) + [chunk(9000 + repo, text(5), f"repo {repo}", "t.py") for repo in range(60)]
    found = split(chunks, clusters(chunks))
    assert {side for side in found.sides if side} == set(SIDES)
    assert found.left_out == 0
    check_no_leak(chunks, by_repo=False)


def cosines(mean: float, spread: float, count: int = 2000, seed: int = 0) -> list[float]:
    return [float(cosine) for cosine in np.clip(np.random.default_rng(seed).normal(mean, spread, count), -1, 1)]


@pytest.mark.parametrize(
    ("random", "nearest", "by"),
    [
        ((0.2, 0.1), (0.85, 0.1), "absolute"),
        # As e5: nothing is under 0.3. As MiniLM on short texts: nothing is above 0.85.
        ((0.84, 0.03), (0.93, 0.02), "percentile"),
        ((0.2, 0.1), (0.5, 0.1), "percentile"),
        # Both are there, and chance is above too.
        ((0.45, 0.2), (0.9, 0.05), "percentile"),
    ],
)
def test_thresholds_are_absolute_only_where_they_separate(
    random: tuple[float, float], nearest: tuple[float, float], by: str
) -> None:
    drawn, near = np.array([cosines(*random)] * 2).T, np.array([cosines(*nearest, seed=1)] * 2).T
    found = choose(WANTED, drawn, near)
    assert [one.half for one in found] == ["code", "text"]
    assert {one.by for one in found} == {by}
    one = found[0]
    assert one.positive_yield == pytest.approx((near[:, 0] >= one.positive).mean(), abs=1e-3)
    assert one.negative_yield == pytest.approx((drawn[:, 0] < one.negative).mean(), abs=1e-3)
    if by == "absolute":
        assert (one.positive, one.negative) == WANTED
    else:
        assert (drawn[:, 0] >= one.positive).mean() == pytest.approx(0.005, abs=2e-3)
        assert one.negative_yield == pytest.approx(0.5, abs=0.01)


def test_each_half_has_its_own_thresholds_and_both_must_pass() -> None:
    drawn = np.array([cosines(0.2, 0.1), cosines(0.84, 0.03)]).T
    near = np.array([cosines(0.85, 0.1), cosines(0.95, 0.02)]).T
    found = choose(WANTED, drawn, near)
    assert [one.by for one in found] == ["absolute", "percentile"]
    assert found.positive(np.array([[0.9, 0.99], [0.9, 0.85], [0.5, 0.99], [np.nan, 0.99]])).tolist() == [
        True,
        *[False] * 3,
    ]
    assert found.negative(np.array([[0.1, 0.7], [0.1, 0.9], [0.4, 0.7]])).tolist() == [True, False, False]


def test_a_half_without_weight_does_not_count() -> None:
    drawn, near = np.array([cosines(0.2, 0.1), [np.nan] * 2000]).T, np.array([cosines(0.85, 0.1), [np.nan] * 2000]).T
    found = choose(WANTED, drawn, near)
    assert [one.half for one in found] == ["code"]
    assert found.positive(np.array([[0.9, np.nan]])).tolist() == [True]
    nothing = choose(WANTED, np.empty((0, 2)), np.empty((0, 2)))
    assert nothing.negative(np.array([[0.1, 0.1]])).tolist() == [False]
