"""Every filter and k gives all that match or k, and the right ones, whichever index there is and whatever is known."""

import random
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from fix_database import Connection
from fix_search import NO_FILTER, QUERIES, ROWS, Filter, Library, built_index, plans, ranked

# Half a percent, two, ten and half of the rows; a rare language's rows are far from most queries, a path's are not.
FILTERS: dict[str, Filter] = {
    "none": NO_FILTER,
    "half a percent by language": ("zig", None, None),
    "one percent by repo": (None, "repo7", None),
    "ten percent by language": ("c", None, None),
    "half by path": (None, None, "lib/%"),
    "half a percent by path, wildcard in front": (None, None, "%/pkg_7/%"),
    "two that hardly meet": ("c", "mine", None),
    "nothing": ("cobol", None, None),
}

# What a calibration tries, from the weakest on.
EFFORTS = {
    "sketch": [{"probes": probes, "depth": 100} for probes in (8, 16, 24, 32, 48, 64, 100)],
    "halfvec": [{"probes": probes, "depth": 100} for probes in (8, 12, 16, 24, 32, 40)],
    "hnsw": [{"ef_search": elements, "depth": 100} for elements in (50, 100, 200, 400, 800)],
}


# The other kinds take a minute more; small tables with each are searched in test_search_copies.
OTHER_KINDS = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("halfvec", "hnsw")]


@pytest.fixture(scope="module", params=["sketch", *OTHER_KINDS])
def indexed(library: Library, request: pytest.FixtureRequest) -> Iterator[tuple[Connection, str, str]]:
    """Give a session, the kind and the name of the library's only index."""
    with library.database.connect() as session, built_index(session, request.param) as name:
        calibrate(session, library, request.param)
        yield session, request.param, name


def calibrate(session: Connection, library: Library, kind: str) -> None:
    """Choose the least effort that finds 98 % of the ten nearest among all rows, as the keeper does."""
    session.execute("SET pgduet.search_mode = 'index'")
    everything = np.ones(ROWS, dtype=bool)
    for effort in EFFORTS[kind]:
        columns = ", ".join(f"{column} = {value}" for column, value in effort.items())
        session.execute(f"UPDATE pgduet._index_build SET {columns}")
        found = [ranked(session, query, 10)[0] for query in library.queries]
        if np.mean([library.recall(number, ids, everything) for number, ids in enumerate(found)]) >= 0.98:
            return
    pytest.fail("no effort is enough")


def matching(library: Library, by: Filter) -> npt.NDArray[np.bool_]:
    """Tell for each chunk whether a filter leaves it; patterns here are a prefix or a part of the path."""
    language, repo, pattern = by
    left = np.ones(ROWS, dtype=bool)
    if language is not None:
        left &= library.languages == language
    if repo is not None:
        left &= library.repos == repo
    if pattern is not None:
        places = np.char.find(library.paths, pattern.strip("%"))
        left &= places == 0 if not pattern.startswith("%") else places >= 0
    return left


@pytest.mark.parametrize("mode", ["auto", "index"])
@pytest.mark.parametrize("k", [1, 10, 100, 1000, 10_000])
def test_every_filter_gives_k_or_all_that_match_and_the_nearest(
    library: Library, indexed: tuple[Connection, str, str], mode: str, k: int
) -> None:
    session, kind, _ = indexed
    session.execute(f"SET pgduet.search_mode = '{mode}'")
    for name, by in FILTERS.items():
        if k == 10_000 and name not in ("none", "half by path"):
            continue
        left = matching(library, by)
        recalls = []
        # A mean over few queries says little: the more of them the harder it is.
        asked = QUERIES if k >= 1000 else 1 if name == "none" else 4
        for query in range(0, QUERIES, asked):
            ids, distances = ranked(session, library.queries[query], k, by)
            assert len(ids) == len(set(ids)) == min(k, left.sum()), (kind, name)
            assert all(left[np.array(ids, dtype=int) - 1]), (kind, name)
            assert distances == sorted(distances)
            recalls.append(library.recall(query, ids, left) if ids else 1.0)
        assert np.mean(recalls) >= 0.95, (kind, name)


def test_twenty_random_filters_give_as_many_as_an_exact_search_and_the_same(
    library: Library, indexed: tuple[Connection, str, str]
) -> None:
    session, _, _ = indexed
    draw = random.Random(1)
    session.execute("SET pgduet.search_mode = 'index'")
    overlaps = []
    for _ in range(20):
        language = draw.choice([None, "zig", "rust", "c", "python"])
        repo = draw.choice([None, "mine", f"repo{draw.randrange(100)}"])
        by = (language, repo, draw.choice([None, "lib/%", f"%/pkg_{draw.randrange(200)}/%"]))
        left, query = matching(library, by), draw.randrange(QUERIES)
        ids, _ = ranked(session, library.queries[query], 10, by)
        assert len(ids) == min(10, left.sum()), by
        overlaps.append(library.recall(query, ids, left) if ids else 1.0)
    assert np.mean(overlaps) >= 0.9


def test_the_index_is_used_at_every_call_with_any_k_and_with_as_many_probes_as_lists(
    library: Library, indexed: tuple[Connection, str, str]
) -> None:
    session, kind, name = indexed
    session.execute("SET pgduet.search_mode = 'index'")
    for _ in range(8):
        ranked(session, library.queries[0], 10, ("c", None, None))
    with session.transaction(force_rollback=True):
        session.execute("UPDATE pgduet._index_build SET probes = lists")
        for k, by in ((10, NO_FILTER), (10, ("c", None, None)), (2000, NO_FILTER), (2000, ("python", None, "lib/%"))):
            with plans(session) as collected:
                ranked(session, library.queries[0], k, by)
            # HNSW gives up before it has seen enough for many with a filter, and is then scanned exactly.
            plan = next(text for text in collected if "array_agg(s.chunk_id)" in text)
            assert f"Index Scan using {name}" in plan, (kind, k, by)
            assert "Seq Scan" not in plan
            assert "Sort" not in plan


def test_statistics_that_are_wrong_or_lacking_cost_no_row(
    library: Library, indexed: tuple[Connection, str, str]
) -> None:
    session, kind, _ = indexed
    wrong = {
        "never analysed": "DELETE FROM pg_statistic WHERE starelid = 'pgduet.code_embeddings_g1'::regclass;"
        "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'pgduet.code_embeddings_g1'::regclass",
        "analysed when there were few rows": "UPDATE pg_class SET reltuples = 32, relpages = 2"
        " WHERE oid = 'pgduet.code_embeddings_g1'::regclass",
        # What was common is rare now, and the other way round.
        "analysed long ago": "UPDATE pg_statistic SET stanumbers1 ="
        " ARRAY(SELECT u.n FROM unnest(stanumbers1) WITH ORDINALITY u (n, place) ORDER BY u.place DESC)"
        " WHERE starelid = 'pgduet.code_embeddings_g1'::regclass AND stakind1 = 1 AND staattnum ="
        " (SELECT attnum FROM pg_attribute WHERE attrelid = starelid AND attname = 'language')",
    }
    for mode in ("auto", "index"):
        session.execute(f"SET pgduet.search_mode = '{mode}'")
        for name, statement in wrong.items():
            with session.transaction(force_rollback=True):
                session.execute(statement)
                for by in (NO_FILTER, ("zig", None, None), ("c", "mine", None), (None, None, "%/pkg_7/%")):
                    left = matching(library, by)
                    ids, _ = ranked(session, library.queries[5], 200, by)
                    assert len(ids) == min(200, left.sum()), (kind, mode, name, by)
                    assert all(left[np.array(ids) - 1])
