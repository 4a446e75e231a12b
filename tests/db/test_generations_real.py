"""Two real duets of the same width, `small` and a twin with other weights, never get mixed (case C39)."""

import threading
from collections.abc import Iterator

import pytest

from fix_database import Connection, Database
from fix_generations import evaluated, refusal, scalar, work
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from pgduet.client import RequestRefusedError
from pgduet.encoding import Duet
from pgduet.encoding.store.layout import duet_folder
from pgduet.encoding.store.reweighting import reweighted

WORDS = ["retry", "parse", "encode", "sort", "merge", "fetch", "render", "delete", "count", "split"]
THINGS = ["http header", "csv row", "user record"]
CODES = [
    f"def {word}_{thing.replace(' ', '_')}(value):\n    '''{word} a {thing}'''\n    return {word}(value)"
    for word in WORDS
    for thing in THINGS
]
PRINTS = "SELECT g.name, g.fingerprint, count(*) FROM pgduet.generations g JOIN pgduet.code_embeddings e"
PRINTS += " USING (generation_id) GROUP BY 1, 2 ORDER BY 1"


@pytest.fixture(scope="module")
def both(duet: Duet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """Give a sidecar that serves `small` and `twin`."""
    models = tmp_path_factory.mktemp("models")
    (models / duet.name).symlink_to(duet_folder(duet.name))
    reweighted("small", "twin", (0.3, 0.7), models)
    with open_directory() as directory, running_sidecar(directory, model="small,twin", models_dir=str(models)) as own:
        wait_serving(own)
        yield own


@pytest.fixture
def session(database: Database, both: Sidecar) -> Iterator[Connection]:
    database.set("sidecar_address", both.address)
    database.set("trigger_mode", "queue")
    with database.connect() as connection:
        for code in CODES:
            connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES (%s)", (code,))
        work(database)
        yield connection


def found_first(session: Connection, codes: list[str]) -> list[str]:
    query = "SELECT content FROM pgduet.similar_code(%s, k => 1)"
    return [scalar(session, query, code) for code in codes]


def test_a_twin_goes_live_while_people_search(session: Connection, database: Database) -> None:
    query = "SELECT chunk_id, similarity FROM pgduet.similar_code('retry a header', k => 5)"
    before = session.execute(query).fetchall()
    session.execute("SELECT pgduet.add_generation('twin')")
    filling = threading.Thread(target=work, args=(database,))
    filling.start()
    while filling.is_alive():
        assert found_first(session, CODES[:3]) == CODES[:3]
        assert session.execute(query).fetchall() == before
    filling.join()
    (small, one, rows), (twin, other, more) = session.execute(PRINTS).fetchall()
    assert (small, rows, twin, more) == ("small", len(CODES), "twin", len(CODES))
    assert one != other
    evaluated(session, "twin")
    session.execute("SELECT pgduet.promote('twin')")
    after = session.execute(query).fetchall()
    assert after != before
    assert found_first(session, CODES) == CODES
    answers = []
    for _ in range(10):
        session.execute("SELECT pgduet.rollback()")
        answers.append(session.execute(query).fetchall())
        session.execute("SELECT pgduet.promote('twin')")
        answers.append(session.execute(query).fetchall())
    assert answers == [before, after] * 10
    # New rows get the vectors of both.
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('def brand_new(): pass')")
    work(database)
    assert session.execute(PRINTS).fetchall() == [("small", one, len(CODES) + 1), ("twin", other, len(CODES) + 1)]


def test_vectors_of_another_duet_are_refused_on_every_path(session: Connection, database: Database) -> None:
    session.execute("SELECT pgduet.add_generation('twin')")
    work(database)
    evaluated(session, "twin")
    session.execute("SELECT pgduet.promote('twin'), pgduet.retire('small')")
    # As if the twin's folder had been exchanged: what the generation holds is of another duet than what is served.
    ours, theirs = (
        scalar(session, f"SELECT fingerprint FROM pgduet.generations WHERE name = '{name}'")
        for name in ("small", "twin")
    )
    session.execute("UPDATE pgduet.generations SET fingerprint = %s WHERE name = 'twin'", (ours,))
    for query in (
        "SELECT * FROM pgduet.similar_code('x')",
        "SELECT * FROM pgduet.similar_code('x', lexical => true)",
        "SELECT pgduet.embed('x')",
        "SELECT * FROM pgduet.embed_batch(ARRAY['x', 'y'])",
    ):
        message, hint, sqlstate = refusal(session, query)
        assert (sqlstate, ours in message and theirs in message, bool(hint)) == ("55000", True, True), query
    add = "INSERT INTO pgduet.code_chunks (content) VALUES ('def never_mixed(): pass')"
    session.execute("SET pgduet.trigger_mode = 'sync'")
    assert refusal(session, add)[2] == "55000"
    session.execute("SET pgduet.trigger_mode = 'auto'")
    notices: list[str] = []
    session.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    session.execute(add)
    assert len(notices) == 1
    assert theirs in notices[0]
    with pytest.raises(RequestRefusedError, match=theirs):
        work(database)
    assert scalar(session, "SELECT count(*) FROM pgduet.queue_status WHERE state = 'waiting' AND chunks = 1") == 1
    # What somebody sends past all checks of the sidecar is refused where it is stored.
    made = (
        "(SELECT c.chunk_id, c.content_hash, e.embedding, e.sketch FROM pgduet.code_chunks c, pgduet.code_embeddings e"
    )
    made += " WHERE c.content LIKE '%never_mixed%' LIMIT 1) v"
    vector = "ARRAY[v.chunk_id], ARRAY[v.content_hash], ARRAY[v.embedding], ARRAY[v.sketch], '{1}', '{1}', '{false}'"
    for call in (f"_store(2, '{theirs}', {vector})", f"_complete(2, '{theirs}', {vector}, 'w', '{{}}', '{{}}')"):
        message, _, sqlstate = refusal(session, f"SELECT pgduet.{call} FROM {made}")
        assert (sqlstate, "cannot stand in generation 2" in message) == ("55000", True)
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings WHERE generation_id = 2") == len(CODES)
    health = "SELECT detail FROM pgduet.health() WHERE component = 'model' AND status = 'fail'"
    assert "fingerprints differ" in scalar(session, health)
    # Mended, everything goes on where it stopped.
    session.execute("UPDATE pgduet.generations SET fingerprint = %s WHERE name = 'twin'", (theirs,))
    work(database)
    assert scalar(session, "SELECT sum(pending) FROM pgduet.coverage") == 0


def test_a_generation_whose_duet_is_exchanged_while_it_is_filled_is_not_mixed(
    session: Connection, database: Database, sidecar: Sidecar
) -> None:
    session.execute("SELECT pgduet.add_generation('twin')")
    work(database)
    session.execute("UPDATE pgduet.generations SET fingerprint = 'of another twin' WHERE name = 'twin'")
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('def later(): pass')")
    # The active one is current all the same; the other waits for whoever mends it.
    work(database)
    assert session.execute("SELECT lacking FROM pgduet.generation_status ORDER BY generation_id").fetchall() == [
        (0,),
        (1,),
    ]
    assert "1 chunk(s) have no vector" in refusal(session, "SELECT pgduet.promote('twin')")[0]
    # A sidecar that serves one duet only: searches would end with the promotion.
    session.execute("UPDATE pgduet.generations SET fingerprint = NULL WHERE name = 'twin'")
    work(database)
    evaluated(session, "twin")
    database.set("sidecar_address", sidecar.address)
    message, hint, sqlstate = refusal(session, "SELECT pgduet.promote('twin')")
    assert (sqlstate, f"needs twin; {sidecar.address} serves: small" in message) == ("55000", True)
    assert "Have the sidecar serve twin" in hint
