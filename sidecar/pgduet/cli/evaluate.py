"""`pgduet evaluate`: how well a duet finds the right code, on your own queries and on others."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.cli.scoring import Run
    from pgduet.encoding import Manifest
    from pgduet.training.data import Benchmark, Corpus, Query
    from pgduet.training.errors import DataError
    from pgduet.training.evaluation import Other
    from pgduet.training.ranking import Halves


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    queries: Annotated[
        Path | None, typer.Option(help='JSON lines: {"query": "...", "code_id": 7}, or code_ids: [7, 9].')
    ] = None,
    codes: Annotated[Path | None, typer.Option(help='JSON lines: {"code_id": 7, "code": "..."}.')] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Instead of files: the held-out triplets of the last `pgduet mine`.")
    ] = False,
    humaneval: Annotated[
        bool, typer.Option("--humaneval", help="Instead of files: HumanEval's docstrings and functions.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="Name of the duet; `active` means that of the active generation.")
    ] = "small",
    against: Annotated[
        str | None, typer.Option(help="Name of another duet to compare with, or `active`.", show_default=False)
    ] = None,
    bm25: Annotated[bool, typer.Option("--bm25", help="Compare with BM25, which knows words alone.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rank at most so many codes: all answers, then the first others.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Choose the weights on half of the queries, score the other half.")
    ] = False,
    vectors: Annotated[
        Path | None, typer.Option(help="File that keeps the vectors, so that a second run takes seconds.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the scores with their intervals into this PNG, SVG or PDF file.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    models_dir: Annotated[
        Path | None,
        typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
    ] = None,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Score how well a duet, and each of its halves alone, finds the codes that answer queries.

    Every code is ranked for every query by exact cosine, without an index. Shown are nDCG@10, MRR@10, recall@10 and
    recall@1 with 95 % intervals (bootstrap over queries, fixed seed), and the differences between the pair and every
    other way to rank, query by query. Codes that score the same as an answer, to 1e-6 (1e-3 where a duet runs in
    bfloat16), stand before it. Codes with equal text are one code, and found under any of their ids.

    The vectors of the duet it is compared with are kept beside those of --vectors, in FILE.NAME. Examples:

        pgduet evaluate --queries dev.jsonl --codes codes.jsonl --vectors dev.npz --bm25

        pgduet evaluate --humaneval --bm25 --picture humaneval.png

        pgduet evaluate --table --model small-1 --against active

        pgduet evaluate --queries q.jsonl --codes c.jsonl --limit 1500 --json | jq '.results[0]["ndcg@10"]'
    """
    from json import dumps

    from pgduet.cli import scoring
    from pgduet.cli.evaluate_picture import draw, require_picture
    from pgduet.cli.evaluate_sources import duet_named, read_benchmark
    from pgduet.training import evaluation
    from pgduet.training.calibration import split

    if picture:
        require_picture(picture)
    benchmark = read_benchmark(queries, codes, table, humaneval, dsn)
    names = [duet_named(name, dsn) for name in (model, *([against] if against else []))]
    if limit is not None:
        benchmark = benchmark.limited(limit)
    relevant, own = benchmark.relevant, benchmark.own
    chosen = split([query.text for query in benchmark.queries]) if calibrate else None
    others = list(_by_words(benchmark)) if bm25 else []
    encoded, *compared = _encode_all(names, models_dir, benchmark, vectors)
    # One for all: what is a tie for the rougher duet is one for the other too.
    tie = max(one.tie for one in (encoded, *compared))
    others += [one.scored(benchmark, tie) for one in compared]
    halves, weights, calibration = encoded.halves, encoded.weights, None
    if chosen:
        calibration, scored = evaluation.evaluate_calibrated(chosen, *halves, relevant, weights, tie, own, others)
    else:
        scored = evaluation.evaluate(*halves, relevant, weights, tie=tie, own=own, others=others)
    run = run_of(encoded, benchmark.corpus, benchmark.source, *compared)
    if json:
        typer.echo(dumps(scoring.as_json(run, scored, calibration), indent=2))
    else:
        scoring.show(run, scored, calibration)
    if picture:
        draw(run, scored, picture)
    for one in (encoded, *compared):
        if one.unsaved:
            raise one.unsaved


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

        # What multiplies in eight bits computes each text alone: its ties are those of float32.
        return TIES[self.manifest.dtype]

    def scored(self, benchmark: "Benchmark", tie: float) -> "Other":
        """Score the pair as the one that another duet is compared with."""
        from pgduet.training.evaluation import AGAINST, Other, values_of

        (values,) = values_of(*self.halves, benchmark.relevant, [self.weights], tie, benchmark.own)
        return Other(AGAINST, values, self.weights)


def encode(name: str, models_dir: Path | None, queries: "list[Query]", corpus: "Corpus", path: Path | None) -> Encoded:
    """Encode queries and codes with a duet in the store, showing progress.

    The encoders are loaded, and their files checked, only where `path` lacks a vector.
    """
    from pgduet.cli.scoring import progress
    from pgduet.encoding import Duet, Role, load_duet
    from pgduet.training.vectors import halves_key, vectors_of

    def load() -> Duet:
        return load_duet(name, models_dir)

    manifest = _manifest(name, models_dir)
    texts = {Role.QUERY: [query.text for query in queries], Role.DOCUMENT: corpus.texts}
    with progress() as report:
        vectors = vectors_of(texts, halves_key(manifest), load, path, report)
    return Encoded(manifest, (vectors.halves[Role.QUERY], vectors.halves[Role.DOCUMENT]), vectors.unsaved)


def run_of(encoded: Encoded, corpus: "Corpus", source: str = "files", against: Encoded | None = None) -> "Run":
    """Describe what is scored."""
    from pgduet.cli.scoring import Against, Run
    from pgduet.encoding import fingerprint_of

    other = Against(against.manifest.name, fingerprint_of(against.manifest)) if against else None
    return Run(
        model=encoded.manifest.name,
        fingerprint=fingerprint_of(encoded.manifest),
        codes=corpus.ids,
        distinct_codes=len(corpus.texts),
        unusable=sum(int((~one.finite).sum()) for one in encoded.halves),
        tie=max(one.tie for one in (encoded, *([against] if against else []))),
        source=source,
        against=other,
    )


def _manifest(name: str, models_dir: Path | None) -> "Manifest":
    from pgduet.encoding.manifest import read_manifest
    from pgduet.encoding.store.layout import MANIFEST, duet_folder

    return read_manifest(duet_folder(name, models_dir) / MANIFEST)


def _encode_all(
    names: list[str], models_dir: Path | None, benchmark: "Benchmark", path: Path | None
) -> Iterator[Encoded]:
    """Encode with one duet after the other; a duet with the same encoders as the first, but other weights, is free."""
    from pgduet.training.vectors import halves_key

    # Of all, before the first is encoded.
    manifests = [_manifest(name, models_dir) for name in names]
    first = encode(names[0], models_dir, benchmark.queries, benchmark.corpus, path)
    yield first
    for name, manifest in zip(names[1:], manifests[1:], strict=True):
        if halves_key(manifest) == halves_key(manifests[0]):
            yield replace(first, manifest=manifest, unsaved=None)
        else:
            beside = path and path.with_name(f"{path.name}.{name}")
            yield encode(name, models_dir, benchmark.queries, benchmark.corpus, beside)


def _by_words(benchmark: "Benchmark") -> "Iterator[Other]":
    from pgduet.training.evaluation import BM25, Other
    from pgduet.training.lexical import rank_by_words
    from pgduet.training.metrics import score

    asked = [query.text for query in benchmark.queries]
    yield Other(BM25, score(rank_by_words(asked, benchmark.corpus.texts, benchmark.relevant, benchmark.own)))
