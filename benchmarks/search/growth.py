"""Recall after growth: an index that learned its lists from the first hundredth of the rows, in the order of repos."""

from typing import Any

from data import Documents, Questions, Truth
from keeping import keep
from server import Connection, analyse, connect, fill, new_database
from talking import recall_of, set_mode

from pgduet.local.cluster import Cluster

_QUESTIONS = 200


def measure_growth(cluster: Cluster, documents: Documents, questions: Questions) -> dict[str, Any]:
    """Return the recall of our search through the index before and after the keeper has run by itself."""
    # Languages and repos come one after the other, as they do where projects are added to a database.
    places = sorted(range(len(documents.rows)), key=lambda at: _place(documents, at))
    drifted = documents.ordered(places)
    truth = Truth(questions, drifted)
    conninfo = new_database(cluster, "growth")
    first = drifted.first(max(200, len(places) // 100))
    with connect(conninfo) as session:
        session.execute("UPDATE pgduet._setting SET value = '100' WHERE key = 'index_min_rows'")
        fill(session, first)
        analyse(session)
        keep(session)
        print(f"  {len(places) - len(first.rows):,} rows more are inserted", flush=True)
        fill(session, drifted, range(len(first.rows), len(places)))
        analyse(session)
        set_mode(session, "index")
        before = _recall(session, truth)
        said = keep(session)
        after = _recall(session, truth)
    return {"rows_at_build": len(first.rows), "rows": len(places), "before": before, "after": after, "keeper": said}


def _place(documents: Documents, at: int) -> tuple[str, str, str]:
    row = documents.rows[at]
    return row.language, row.repo, row.path


def _recall(session: Connection, truth: Truth) -> float:
    return recall_of(session, truth, _QUESTIONS).recall
