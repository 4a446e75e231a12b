"""What lexical => true does for questions and for names: nDCG@10 of similar_code's ranking with and without, on CoSQA.

Names are 300 identifiers of several words that one to five codes have. Vectors are kept in --vectors, as by `pgduet
evaluate`. Needs CoSQA (PGDUET_COSQA, docs/quality.md); ends at once without. docs/sql.md shows it at --limit 6267.
"""

import argparse
import json
import os
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from pgduet.cli.evaluate import encode
from pgduet.database.connection import Connection, connect
from pgduet.database.vectors import Bits, Halfs, register_vectors
from pgduet.encoding.fusion import fuse
from pgduet.encoding.sketch import Sketcher
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import migrate
from pgduet.training.data import Corpus, Query, limited, read_codes, read_queries, relevant_rows
from pgduet.training.metrics import ndcg
from pgduet.training.ranking import NOT_FOUND, Floats

HERE = Path(__file__).resolve().parent
COSQA = Path(os.environ.get("PGDUET_COSQA") or HERE.parents[1] / "shared" / "data" / "cosqa")
COMPOUND = re.compile(r"\b(?:[a-z]+(?:_[a-z0-9]+)+|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+)\b")
INSERT = """
WITH c AS (INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (%s, %s) RETURNING chunk_id, content_hash)
INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch)
SELECT chunk_id, 1, content_hash, %s, %s FROM c"""
INDEX = "CREATE INDEX code_chunks_lexical ON pgduet.code_chunks USING gin (pgduet._lexemes(symbol, content)); ANALYZE"
WITHOUT = "SELECT ids FROM pgduet._ranked(%(v)s, %(s)s, 10, NULL, NULL, NULL, true, NULL, NULL)"
WITH = "SELECT ids FROM pgduet._hybrid(%(q)s, %(v)s, %(s)s, 10, NULL, NULL, NULL, true)"
Asked = tuple[str, str, list[int]]  # kind, text, which codes answer


def names(corpus: Corpus) -> list[Asked]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(corpus.texts):
        for name in set(COMPOUND.findall(text)):
            places[name].append(place)
    rare = sorted(name for name, found in places.items() if len(found) <= 5)
    drawn = [(name, places[name]) for name in rare[:: len(rare) // 300][:300]]
    asked = [("name", name, found) for name, found in drawn]
    return asked + [("name in a question", f"what does {name} return when it fails", found) for name, found in drawn]


def fill(connection: Connection, texts: list[str], vectors: Floats, sketches: np.ndarray) -> None:
    migrate(connection)
    register_vectors(connection)
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for number, (text, vector, sketch) in enumerate(zip(texts, vectors, sketches, strict=True), 1):
            connection.execute(INSERT, (number, text, Halfs(vector.astype(">f2").tobytes()), Bits(sketch.tobytes())))
    connection.execute(INDEX)


def measure(connection: Connection, asked: list[Asked], vectors: Floats, sketches: np.ndarray) -> dict[str, object]:
    scores: dict[str, list[list[float]]] = defaultdict(list)
    for (kind, text, answers), vector, sketch in zip(asked, vectors, sketches, strict=True):
        values = {"q": text, "v": Halfs(vector.astype(">f2").tobytes()), "s": Bits(sketch.tobytes())}
        found = [connection.execute(way, values).fetchone()[0] for way in (WITHOUT, WITH)]  # type: ignore[index]
        ranks = [[ids.index(place + 1) + 1 if place + 1 in ids else NOT_FOUND for place in answers] for ids in found]
        scores[kind].append([ndcg(one) for one in ranks])
    means = {kind: np.mean(rows, axis=0).round(4).tolist() for kind, rows in scores.items()}
    return {kind: dict(zip(("meaning", "lexical"), mean, strict=True)) for kind, mean in means.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--limit", type=int, default=1500, help="codes; all 6,267 take a quarter of an hour to embed")
    parser.add_argument("--vectors", type=Path, default=Path(tempfile.gettempdir()) / "pgduet-lexical.npz")
    options = parser.parse_args()
    if not (COSQA / "dev.jsonl").is_file():
        print(f"CoSQA is not in {COSQA}: set PGDUET_COSQA; nothing measured")
        return
    questions = read_queries(COSQA / "dev.jsonl")
    corpus = limited(questions, read_codes(COSQA / "codes.jsonl"), options.limit)
    answers = relevant_rows(questions, corpus)
    asked = [("question", one.text, rows) for one, rows in zip(questions, answers, strict=True)] + names(corpus)
    encoded = encode("small", None, [Query(text, (), "") for _, text, _ in asked], corpus, options.vectors)
    queries, codes = (fuse(half.code, half.text, *encoded.weights) for half in encoded.halves)
    sketch = Sketcher(2560, 2560).sketch
    with tempfile.TemporaryDirectory(prefix="pgduet-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Path(folder) / "cluster") as cluster, connect(cluster.conninfo(), autocommit=True) as connection:
            fill(connection, corpus.texts, codes, sketch(codes))
            scores = measure(connection, asked, queries, sketch(queries))
    print(result := json.dumps({"codes": len(corpus.texts), "ndcg@10": scores}, indent=2))
    (HERE / "results" / "lexical_quality.json").write_text(result + "\n")


if __name__ == "__main__":
    main()
