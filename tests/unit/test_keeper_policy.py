"""What the keeper decides from numbers alone."""

from dataclasses import replace

import pytest

from pgduet.migrations.keeper.policy import (
    Index,
    Policy,
    State,
    build_memory,
    choose_lists,
    is_worth_learning,
    pause_left,
    plan_build,
    wanted_lists,
    why_due,
)

# The smallest maintenance_work_mem in MB that pgvector 0.8.6 on PostgreSQL 15.20 took, by rows, kind and lists.
MEASURED = [
    (23_000, "sketch", {50: 6, 109: 9, 200: 14, 447: 51, 1000: 118, 1500: 180, 2000: 243}),
    (23_000, "halfvec", {50: 52, 109: 56, 200: 61, 447: 158, 1000: 356, 1500: 537, 2000: 720}),
    (3_000, "sketch", {50: 5, 109: 6, 200: 8}),
    (3_000, "halfvec", {50: 51, 109: 53, 200: 56}),
]
INDEX = Index("i", "sketch", 126, rows_at_build=4000, changes_at_build=100, calibrated_for=0.97)
STATE = State(1, rows=4000, is_counted=True, changes=100, index=INDEX)


@pytest.mark.parametrize(
    ("kind", "lists", "within_a_gigabyte"),
    [
        ("sketch", [1, 126, 400, 1789, 4000], [1, 126, 400, 1789, 2227]),
        ("halfvec", [1, 63, 200, 894, 1500], [1, 63, 200, 894, 1500]),
    ],
)
def test_lists_grow_with_the_rows_and_are_capped(kind: str, lists: list[int], within_a_gigabyte: list[int]) -> None:
    sizes = (0, 1000, 10_000, 200_000, 10_000_000)
    assert [wanted_lists(rows, kind) for rows in sizes] == lists
    assert [choose_lists(rows, kind) for rows in sizes] == within_a_gigabyte


@pytest.mark.parametrize(("rows", "kind", "needed"), MEASURED)
def test_the_memory_of_a_build_is_what_pgvector_asks_for(rows: int, kind: str, needed: dict[int, int]) -> None:
    for lists, megabytes in needed.items():
        assert abs(build_memory(rows, kind, lists) - megabytes) <= 1, lists


@pytest.mark.parametrize("kind", ["sketch", "halfvec"])
@pytest.mark.parametrize("rows", [500, 20_000, 200_000, 10_000_000])
@pytest.mark.parametrize("most", [64, 128, 512, 4096])
def test_as_many_lists_are_built_as_memory_allows_and_no_more(kind: str, rows: int, most: int) -> None:
    lists = choose_lists(rows, kind, most)
    assert build_memory(rows, kind, lists) <= most
    assert lists == wanted_lists(rows, kind) or build_memory(rows, kind, lists + 1) > most
    plan = plan_build(rows, Policy(kind=kind, memory_mb=most))
    assert build_memory(rows, kind, lists) <= plan.memory_mb <= most
    assert ("index_memory_mb" in plan.remark) == (lists < wanted_lists(rows, kind))


def test_a_graph_that_does_not_fit_is_built_and_the_remark_says_so() -> None:
    plan = plan_build(1_000_000, Policy(kind="hnsw", memory_mb=256))
    assert (plan.lists, plan.memory_mb) == (None, 256)
    assert "index_memory_mb is 256" in plan.remark
    assert plan_build(1_000_000, Policy(kind="hnsw", memory_mb=2048)).remark == ""


def test_a_good_index_is_left_alone_and_a_small_table_gets_none() -> None:
    assert why_due(STATE, Policy()) is None
    assert why_due(replace(STATE, rows=8000), Policy()) is None
    assert why_due(replace(STATE, rows=2000), Policy()) is None
    assert why_due(replace(STATE, index=None, rows=999), Policy()) is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (replace(STATE, index=None, rows=1000), "the first"),
        (replace(STATE, rows=8001), "8,001 vectors, the last one learnt from 4,000"),
        (replace(STATE, rows=1999), "1,999 vectors, the last one learnt from 4,000"),
        (replace(STATE, changes=2101), "2,001 vectors changed or went"),
        (replace(STATE, index=INDEX._replace(changes_at_build=1_000_000), changes=2001), "2,001 vectors changed"),
        (replace(STATE, index=INDEX._replace(kind="hnsw")), "index_kind is sketch now, was hnsw"),
        (replace(STATE, index=INDEX._replace(rows_at_build=0)), "emptied"),
    ],
)
def test_a_build_is_due_for_a_reason_in_words_and_not_again_after_it(state: State, reason: str) -> None:
    assert reason in (why_due(state, Policy()) or "")
    built = INDEX._replace(kind="sketch", rows_at_build=state.rows, changes_at_build=state.changes)
    assert why_due(replace(state, index=built), Policy()) is None
    assert not is_worth_learning(replace(state, index=built))


def test_a_setting_moves_the_threshold_of_growth() -> None:
    state = replace(STATE, rows=6000)
    assert why_due(state, Policy(growth=1.4))
    assert why_due(state, Policy(growth=1.6)) is None


def test_a_tenth_of_changes_is_worth_learning_from() -> None:
    assert not is_worth_learning(replace(STATE, rows=4399))
    assert is_worth_learning(replace(STATE, rows=4400))
    assert is_worth_learning(replace(STATE, changes=500))


def test_failed_builds_are_tried_again_ever_later() -> None:
    assert pause_left(STATE) == 0
    waits = [pause_left(replace(STATE, failures=failures)) for failures in (1, 2, 3, 6, 7, 500)]
    assert waits == [60, 120, 240, 1920, 3600, 3600]
    assert pause_left(replace(STATE, failures=1, failed_ago=61)) == 0
