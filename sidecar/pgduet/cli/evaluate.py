"""`pgduet evaluate`: how well a duet finds the right code, on your own queries."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.cli.scoring import Run
    from pgduet.encoding import Manifest
    from pgduet.training.data import Corpus, Query
    from pgduet.training.errors import DataError
    from pgduet.training.ranking import Halves


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    queries: Annotated[Path, typer.Option(help='JSON lines: {"query": "...", "code_id": 7}, or code_ids: [7, 9].')],
    codes: Annotated[Path, typer.Option(help='JSON lines: {"code_id": 7, "code": "..."}.')],
    model: Annotated[str, typer.Option(help="Name of the duet.")] = "small",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rank at most so many codes: all answers, then the first others.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Choose the weights on half of the queries, score the other half.")
    ] = False,
    vectors: Annotated[
        Path | None, typer.Option(help="File that keeps the vectors, so that a second run takes seconds.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    models_dir: Annotated[
        Path | None,
        typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
    ] = None,
) -> None:
    """Score how well a duet, and each of its halves alone, finds the codes that answer queries.

    Every code is ranked for every query by exact cosine, without an index. Shown are nDCG@10, MRR@10 and recall@10 with
    95 % intervals (bootstrap over queries, fixed seed), and the differences between the pair and its halves, query by
    query. Codes that score the same as an answer, to 1e-6 (1e-3 where the duet runs in bfloat16), stand before it.
    Codes with equal text are one code, and found under any of their ids.

    Examples:

        pgduet evaluate --queries dev.jsonl --codes codes.jsonl

        pgduet evaluate --queries dev.jsonl --codes codes.jsonl --calibrate --vectors dev.npz

        pgduet evaluate --queries q.jsonl --codes c.jsonl --limit 1500 --json | jq '.results[0]["ndcg@10"]'
    """
    from json import dumps

    from pgduet.cli import scoring
    from pgduet.training import data, evaluation
    from pgduet.training.calibration import split

    asked = data.read_queries(queries)
    corpus = data.read_codes(codes)
    if limit is not None:
        corpus = data.limited(asked, corpus, limit)
    relevant = data.relevant_rows(asked, corpus)
    chosen = split([query.text for query in asked]) if calibrate else None
    encoded = encode(model, models_dir, asked, corpus, vectors)
    halves, weights, calibration = encoded.halves, encoded.weights, None
    if chosen:
        calibration, scored = evaluation.evaluate_calibrated(chosen, *halves, relevant, weights, encoded.tie)
    else:
        scored = evaluation.evaluate(*halves, relevant, weights, tie=encoded.tie)
    run = run_of(encoded, corpus)
    if json:
        typer.echo(dumps(scoring.as_json(run, scored, calibration), indent=2))
    else:
        scoring.show(run, scored, calibration)
    if encoded.unsaved:
        raise encoded.unsaved


@dataclass(frozen=True)
class Encoded:
    """A duet in the store, the halves of queries and of codes, and the error where they could not be kept."""

    manifest: "Manifest"
    halves: "tuple[Halves, Halves]"
    unsaved: "DataError | None"

    @property
    def weights(self) -> tuple[float, float]:
        """Those of the manifest."""
        return self.manifest.code.weight, self.manifest.text.weight

    @property
    def tie(self) -> float:
        """Scores nearer than this are equal."""
        from pgduet.training.ranking import TIES

        return TIES[self.manifest.dtype]


def encode(name: str, models_dir: Path | None, queries: "list[Query]", corpus: "Corpus", path: Path | None) -> Encoded:
    """Encode queries and codes with a duet in the store, showing progress.

    The encoders are loaded, and their files checked, only where `path` lacks a vector.
    """
    from pgduet.cli.scoring import progress
    from pgduet.encoding import Duet, Role, load_duet
    from pgduet.encoding.manifest import read_manifest
    from pgduet.encoding.store.layout import MANIFEST, duet_folder
    from pgduet.training.vectors import halves_key, vectors_of

    def load() -> Duet:
        return load_duet(name, models_dir)

    manifest = read_manifest(duet_folder(name, models_dir) / MANIFEST)
    texts = {Role.QUERY: [query.text for query in queries], Role.DOCUMENT: corpus.texts}
    with progress() as report:
        vectors = vectors_of(texts, halves_key(manifest), load, path, report)
    return Encoded(manifest, (vectors.halves[Role.QUERY], vectors.halves[Role.DOCUMENT]), vectors.unsaved)


def run_of(encoded: Encoded, corpus: "Corpus") -> "Run":
    """Describe what is scored."""
    from pgduet.cli.scoring import Run
    from pgduet.encoding import fingerprint_of

    return Run(
        model=encoded.manifest.name,
        fingerprint=fingerprint_of(encoded.manifest),
        codes=corpus.ids,
        distinct_codes=len(corpus.texts),
        unusable=sum(int((~one.finite).sum()) for one in encoded.halves),
        tie=encoded.tie,
    )
