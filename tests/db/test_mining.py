"""Triplets mined from planted code, and what must never be one."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fix_database import Database
from fix_mining import ONE, Planted, body, near, repos_on, rows, unit
from pgduet.training.mining import mine, read_triplets
from pgduet.training.mining.likeness import NEAR, likeness, runs, tokens
from pgduet.training.mining.options import SIDES

RENAMED = ("zeta", "eta", "iota", "kappa", "mu", "nu", "xi", "pi", "rho", "tau", "phi", "chi")


def pairs(found: list[dict[str, Any]], kind: str) -> set[frozenset[int]]:
    return {frozenset((one["anchor_chunk"], one["positive_chunk"])) for one in found if one["kind"] == kind}


def test_planted_pairs_are_found_and_no_others(planted: Planted, database: Database) -> None:
    a, b, c, d = repos_on("train", 4)
    documented = planted.add(a, body(1, name="total", docstring="Sum up the prices of all lines."), unit(1), "total")
    # The same name elsewhere, alike but not equal; then one that has only the name in common.
    namesake = planted.add(a, body(2, name="parse_date"), unit(2), "parse_date")
    other_namesake = planted.add(b, body(3, name="parse_date"), near(unit(2), 0.6, 3), "parse_date")
    planted.add(a, body(4, name="start"), unit(4), "start")
    planted.add(b, body(5, name="start"), unit(5), "start")
    close = planted.add(c, body(6), near(unit(6), 1.0, 0))
    other_close = planted.add(d, body(7), near(unit(6), 0.9, 7))
    # Copies of one code in three repositories, with another name, other names inside, and another comment.
    planted.add(a, body(8, name="one"), unit(8), "one")
    planted.add(b, body(8, name="two"), near(unit(8), 0.99, 8), "two")
    planted.add(c, body(8, name="three", names=RENAMED), near(unit(8), 0.98, 9), "three")
    planted.add(d, "# Licence: none\n" + body(8, name="one"), near(unit(8), 0.97, 10), "four")
    with database.connect() as connection:
        planted.store(connection)
        report = mine(connection, ONE)
        found = rows(connection)
        assert pairs(found, "docstring") == {frozenset([documented])}
        assert pairs(found, "symbol") == {frozenset([namesake, other_namesake])}
        assert pairs(found, "cosine") == {frozenset([close, other_close])}
        assert report.triplets == {
            "docstring": {"train": 1, "dev": 0, "test": 0},
            "symbol": {"train": 1, "dev": 0, "test": 0},
            "cosine": {"train": 1, "dev": 0, "test": 0},
        }
        assert [(one.by, one.positive, one.negative) for one in report.thresholds] == [("absolute", 0.85, 0.3)] * 2
        (triplet,) = [one for one in read_triplets(connection, "train") if one.kind == "docstring"]
    assert triplet.anchor == "Sum up the prices of all lines."
    assert triplet.positive == body(1, name="total").strip()
    assert len(triplet.negatives) == 3
    by_kind = [one["positive_similarity"] for one in found if one["kind"] != "docstring"]
    assert set(np.round(by_kind, 2)) == {0.6, 0.9}
    assert {one["positive_similarity"] for one in found if one["kind"] == "docstring"} == {None}


def test_the_guard_turns_down_what_may_be_an_answer(planted: Planted, database: Database) -> None:
    a, b, c, d = repos_on("train", 4)
    code = body(1, name="total", docstring="Sum up the prices of all lines.")
    anchor = planted.add(a, code, unit(1), "Cart.total")
    refused = [
        planted.add(b, code, unit(1), "Cart.total"),
        planted.add(b, "# Another comment\n" + body(1, name="total"), near(unit(1), 0.8, 2), "x"),
        planted.add(c, body(1, name="sum_up", names=RENAMED), near(unit(1), 0.79, 3), "sum_up"),
        planted.add(c, body(1, name="total") + "    # end\n    log(7)\n", near(unit(1), 0.78, 4), "y"),
        planted.add(c, body(20), near(unit(1), 0.77, 5), "Cart.total"),
        planted.add(d, body(21), near(unit(1), 0.96, 6), "z"),
    ]
    allowed = planted.add(d, body(23, docstring="Do something else with it."), near(unit(1), 0.5, 8), "w")
    with database.connect() as connection:
        planted.store(connection)
        report = mine(connection, replace(ONE, hard=50, random=5))
        found = [one for one in rows(connection) if one["kind"] == "docstring"]
    by_anchor = {one["anchor_chunk"] for one in found}
    # Copies of a described code give one anchor between them; which of them, the seed says.
    assert len(by_anchor & {anchor, refused[0]}) == 1
    assert by_anchor - {anchor, refused[0]} == {allowed}
    of_total = [one for one in found if one["anchor_chunk"] in {anchor, *refused}]
    assert not {one["negative_chunk"] for one in of_total} & {anchor, *refused}
    hard = [one for one in of_total if one["negative_kind"] == "hard"]
    assert hard[0]["negative_chunk"] == allowed
    # A negative without its docstring: else its mere presence would give it away.
    assert hard[0]["negative"] == body(23).strip()
    assert {"copy as a negative", "same symbol as a negative", "positive as a negative"} <= report.rejected.keys()


def test_a_description_is_used_once_and_its_codes_are_no_negatives_of_each_other(
    planted: Planted, database: Database
) -> None:
    a, b, *_ = repos_on("train", 2)
    both = {
        planted.add(a, body(1, docstring="Sum up the prices of all lines."), unit(1), "one"),
        planted.add(b, body(2, docstring="Sum up  the prices\n    of all lines."), near(unit(1), 0.6, 2), "two"),
    }
    phrases = {planted.add(a, body(10 + at, docstring="What it is for."), unit(10 + at), f"p{at}") for at in range(6)}
    with database.connect() as connection:
        planted.store(connection)
        report = mine(connection, replace(ONE, hard=50))
        found = rows(connection)
    assert len({one["anchor_chunk"] for one in found}) == 1
    assert {one["anchor_chunk"] for one in found} < both
    assert not both & {one["negative_chunk"] for one in found}
    assert report.rejected["description in use elsewhere"] == 1 + len(phrases)


def test_a_negative_stays_under_the_positive_by_a_margin(planted: Planted, database: Database) -> None:
    a, b, c, _ = repos_on("train", 4)
    anchor = planted.add(a, body(1), unit(1), "load")
    positive = planted.add(b, body(2), near(unit(1), 0.7, 2), "load")
    too_near = planted.add(c, body(3), near(unit(1), 0.69, 3), "x")
    allowed = planted.add(c, body(4), near(unit(1), 0.64, 4), "y")
    # Without a pair above 0.85 the thresholds would be percentiles.
    planted.add(a, body(5), unit(5))
    planted.add(b, body(6), near(unit(5), 0.9, 6))
    with database.connect() as connection:
        planted.store(connection)
        ((seed,),) = connection.execute(
            "SELECT min(s) FROM generate_series(0, 99) s WHERE hashint8extended(%s, s) < hashint8extended(%s, s)",
            (anchor, positive),
        ).fetchall()
        report = mine(connection, replace(ONE, seed=seed))
        found = [one for one in rows(connection) if one["kind"] == "symbol"]
    assert {(one["anchor_chunk"], one["positive_chunk"]) for one in found} == {(anchor, positive)}
    negatives = [one["negative_chunk"] for one in found if one["negative_kind"] == "hard"]
    assert too_near not in negatives
    assert negatives[0] == allowed
    assert report.rejected["as similar as the positive"] == 1
    for one in found:
        if one["negative_kind"] == "random":
            assert max(one["negative_code"], one["negative_text"]) < 0.3


def check_no_leak(planted: Planted, found: list[dict[str, Any]], group: Callable[[int], str]) -> None:
    """Compare every chunk of training with every chunk that is held out."""
    used: dict[str, set[int]] = {side: set() for side in SIDES}
    for row in found:
        used[row["split"]] |= {row["anchor_chunk"], row["positive_chunk"], row["negative_chunk"]}
    assert all(used.values())

    def parts(chunk: int) -> tuple[int, set[int]]:
        values = (planted.contents[chunk - 1], "python", planted.paths[chunk - 1], planted.symbols[chunk - 1])
        alike = likeness(*values)
        assert alike
        return alike.plain, set(runs(tokens(*values)).tolist())

    known = {chunk: parts(chunk) for some in used.values() for chunk in some}
    for side in SIDES:
        for other in set(SIDES) - {side}:
            assert not {group(one) for one in used[side]} & {group(one) for one in used[other]}
            for one in used[side]:
                for two in used[other]:
                    (plain, runs_of_one), (other_plain, runs_of_two) = known[one], known[two]
                    assert plain != other_plain
                    assert len(runs_of_one & runs_of_two) < NEAR * len(runs_of_one | runs_of_two), (one, two)


def test_nothing_held_out_is_ever_learned_from(forks: Planted, forked: Database) -> None:
    with forked.connect() as connection:
        report = mine(connection, replace(ONE, random=3))
        found = rows(connection)
    assert report.split_by == "repo"
    assert report.joined >= 3
    check_no_leak(forks, found, lambda chunk: forks.repos[chunk - 1])
    assert report.triplets["docstring"]["train"] > 100
    assert min(report.on_side("dev"), report.on_side("test")) > 10


def test_one_repository_is_split_by_file(forks: Planted, database: Database) -> None:
    paths = [f"{repo}/{path}" for repo, path in zip(forks.repos, forks.paths, strict=True)]
    forks = replace(forks, paths=paths, repos=["only"] * len(paths))
    with database.connect() as connection:
        forks.store(connection)
        report = mine(connection, ONE)
        found = rows(connection)
    assert report.split_by == "path"
    check_no_leak(forks, found, lambda chunk: forks.paths[chunk - 1])
    assert report.triplets["symbol"] == dict.fromkeys(SIDES, 0)


def test_a_table_larger_than_the_sample_is_asked_through_the_index(forks: Planted, forked: Database) -> None:
    with forked.connect() as connection:
        all_of_it = mine(connection, ONE)
        tracemalloc.start()
        try:
            report = mine(connection, replace(ONE, most=120))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        found = rows(connection)
    assert report.looked_at == 120 < all_of_it.looked_at
    # No vector comes here: each would be 10 kB.
    assert peak < 6_000_000
    assert 20 < report.triplets["docstring"]["train"] < all_of_it.triplets["docstring"]["train"]
    assert any(one["negative_kind"] == "hard" for one in found)
    check_no_leak(forks, found, lambda chunk: forks.repos[chunk - 1])
