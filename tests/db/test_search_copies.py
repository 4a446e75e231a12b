"""Copies of one content, rows whose content has changed since, and equal distances: shown once, left out, in order."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from fix_database import Connection, Database, new_database
from fix_search import built_index, ranked
from fix_vectors import load_vectors, structured
from pgduet.local.cluster import Cluster

OTHERS = 1500
COPIES = 5000
QUERY = structured(40, seed=2)[7]


@pytest.fixture(scope="module")
def copied(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give 1,500 chunks of their own contents and after them 5,000 copies of the one that is nearest to the query."""
    vectors = structured(OTHERS, seed=1, topics=(0, 8))
    nearest = int(np.argmax(vectors @ QUERY))
    with new_database(cluster, template) as database, database.connect() as session:
        load_vectors(session, vectors)
        load_vectors(session, np.repeat(vectors[nearest : nearest + 1], COPIES, axis=0), contents="the copy")
        yield database


@pytest.fixture(scope="module", params=["exact", "sketch", "halfvec", "hnsw"])
def session(copied: Database, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Give a session that searches exactly or through an index of each kind."""
    with copied.connect() as connection:
        if request.param == "exact":
            yield connection
        else:
            # Of a hundred lists; what is found in five is chance: 47 to 50 of 50, by where the lists come to lie.
            with built_index(connection, request.param, probes=15):
                connection.execute("SET pgduet.search_mode = 'index'")
                yield connection


def nearest(count: int) -> list[int]:
    """Give the ids of the nearest chunks; the first copy comes right after its original."""
    order = (np.argsort(-(structured(OTHERS, seed=1, topics=(0, 8)) @ QUERY)) + 1).tolist()
    return [order[0], OTHERS + 1, *order[1:]][:count]


def test_five_thousand_copies_are_one_result_and_leave_room_for_the_others(session: Connection) -> None:
    started = time.monotonic()
    ids, distances = ranked(session, QUERY, 50)
    assert time.monotonic() - started < 2
    assert len(ids) == 50
    assert distances == sorted(distances)
    assert ids[:2] == nearest(2), "of equal ones the first, of the copies too"
    assert len(set(ids) & set(nearest(50))) >= 48


def test_copies_are_given_by_number_when_they_are_asked_for(session: Connection) -> None:
    ids, distances = ranked(session, QUERY, 20, distinct=False)
    assert ids == [nearest(1)[0], *range(OTHERS + 1, OTHERS + 20)]
    assert len(set(distances)) == 1
    assert ids == ranked(session, QUERY, 20, distinct=False)[0]


def test_all_contents_are_found_when_all_are_asked_for(session: Connection) -> None:
    ids, _ = ranked(session, QUERY, 1_000_000)
    assert sorted(ids) == list(range(1, OTHERS + 2))


def test_chunks_whose_content_has_changed_since_are_left_out_and_the_next_come_up(
    session: Connection, request: pytest.FixtureRequest
) -> None:
    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL session_replication_role = replica")
        # The nearest two contents; one copy alone is still as it was.
        session.execute("UPDATE pgduet.code_chunks SET content = 'changed' WHERE chunk_id > 1500 AND chunk_id <> 6000")
        first = nearest(1)[0]
        session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (first,))
        ids, _ = ranked(session, QUERY, 10)
        assert len(ids) == 10
        assert set(ids) <= {*range(1, OTHERS + 1), 6000}
        # A graph does not lead to each of five thousand points that lie in one place.
        if request.node.callspec.params["session"] != "hnsw":
            assert ids[0] == 6000
        assert first not in ids
        assert len(set(ids) & set(nearest(12))) >= 8
