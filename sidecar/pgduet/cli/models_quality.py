"""`pgduet models calibrate` and `pgduet models probe`: is a duet in the store used as well as it can be?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgduet.cli.models import models

if TYPE_CHECKING:
    from pgduet.cli.scoring import Run
    from pgduet.training.calibration import Calibration
    from pgduet.training.evaluation import Evaluation
    from pgduet.training.probe import Probed

_Dir = Annotated[
    Path | None,
    typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
]
_Name = Annotated[str, typer.Argument(help="Name of the duet.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@models.command(
    epilog="Example:  pgduet models calibrate qodo-jina --queries dev.jsonl --codes codes.jsonl --write qodo-jina-cal"
)
def calibrate(
    name: _Name,
    queries: Annotated[
        Path, typer.Option(help='JSON lines: {"query": "..."}, with a code_id where scores are wanted.')
    ],
    codes: Annotated[Path, typer.Option(help='JSON lines: {"code_id": 7, "code": "..."}.')],
    write: Annotated[str | None, typer.Option(help="Store a duet of this name with the new weights.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="File that keeps the vectors, so that a second run takes seconds.")
    ] = None,
    json: _Json = False,
    models_dir: _Dir = None,
) -> None:
    """Weigh the halves of a duet so that both move the ranking alike.

    Encoders spread their cosines differently; equal weights would leave the ranking to the one that spreads most. The
    weights become proportional to 1 / std of each half's query-document cosines over 20,000 random pairs (all, if
    fewer). Where every query names its answer, the weights come from one half of the queries, and the other half shows
    the score before and after; else all queries are used and no score is shown. New weights make new vectors: a duet
    written with --write has its own fingerprint.
    """
    from json import dumps

    from pgduet.cli import scoring
    from pgduet.cli.evaluate import encode, run_of
    from pgduet.encoding.store.reweighting import check_new_name, reweighted
    from pgduet.training import data, evaluation
    from pgduet.training.calibration import calibrate, split

    if write is not None:
        check_new_name(write, models_dir)
    asked = data.read_queries(queries, judged=False)
    corpus = data.read_codes(codes)
    relevant = data.relevant_rows(asked, corpus)
    chosen = split([query.text for query in asked]) if all(relevant) else None
    encoded = encode(name, models_dir, asked, corpus, vectors)
    scored, run = None, run_of(encoded, corpus)
    if chosen:
        calibration, scored = evaluation.evaluate_calibrated(
            chosen, *encoded.halves, relevant, encoded.weights, encoded.tie
        )
    else:
        calibration = calibrate(*encoded.halves)
    if not json:
        _show_calibration(run, scored, calibration)
    written = None
    try:
        if write is not None:
            written = reweighted(encoded.manifest.name, write, calibration.weights, models_dir)
    finally:
        # Whatever comes of writing: the scores may have taken hours.
        if json:
            result = {"calibration": scoring.calibration_json(calibration), "written": written and str(written)}
            result = (scoring.as_json(run, scored, calibration) if scored else {}) | result
            typer.echo(dumps(result, indent=2))
    if written and not json:
        typer.echo(f"{write} with these weights is complete in {written}")
    if encoded.unsaved:
        raise encoded.unsaved


def _show_calibration(run: "Run", scored: "Evaluation | None", calibration: "Calibration") -> None:
    from pgduet.cli import scoring

    if scored:
        scoring.show(run, scored, calibration)
    else:
        scoring.print_lines(scoring.calibration_line(calibration), "no scores: not every query names its answer")


@models.command(epilog="Example:  pgduet models probe qodo-jina")
def probe(name: _Name, json: _Json = False, models_dir: _Dir = None) -> None:
    """Find out how the encoders of a duet have to read: causally or both ways, with or without an end token.

    Ranks 20 codes for 20 queries with each half in every way its architecture allows, and says which way the manifest
    uses. A decoder runs four times over the 40 short texts, with one encoder in memory at a time: some minutes for 1.5
    billion weights on two cores.
    """
    from json import dumps

    from pgduet.cli import scoring
    from pgduet.encoding.store.layout import checked_manifest, duet_folder
    from pgduet.training.probe import probe

    folder = duet_folder(name, models_dir)
    manifest = checked_manifest(folder)
    found = []
    for probed in probe(manifest, folder):
        found.append(probed)
        if not json:
            _show(probed)
    if json:
        halves = [_json(probed) for probed in found]
        typer.echo(dumps({"model": manifest.name, "pairs": 20, "halves": halves}, indent=2))
    elif any(probed.has_choice for probed in found):
        scoring.print_lines(
            f"To change a half, edit `attention` and `end` in a copy of {folder / 'duet.toml'}, give the duet another "
            "`name` there, and store it with `pgduet models import`."
        )


def _show(probed: "Probed") -> None:
    from pgduet.cli import scoring

    table = scoring.new_table(f"{probed.slot} half: {probed.encoder}", "MRR@10", "nDCG@10", "")
    for variant in probed.variants:
        ndcg, mrr, *_ = variant.scores.values()
        label = variant.label if probed.has_choice else "as it is"
        table.add_row(label, f"{mrr.value:.3f}", f"{ndcg.value:.3f}", "in use" if variant.used else "")
    scoring.print_table(table)
    scoring.print_lines(advice(probed))


def advice(probed: "Probed") -> str:
    """Say what the scores of one half mean for its manifest; a change comes as lines of TOML."""
    from json import dumps

    if not probed.has_choice:
        return "This encoder always reads both ways, with its own frame: there is nothing to choose.\n"
    best, used = probed.best, probed.used
    if best is used:
        return f"The manifest uses the best way: {used.label}.\n"
    gain = probed.gain()
    bounds = f"nDCG@10 {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] against the manifest's {used.label}"
    if gain.low <= 0:
        return f"No way is clearly better. The best is {best.label}: {bounds}. `pgduet evaluate` can tell.\n"
    # A basic string of JSON is one of TOML.
    keys = f'[{probed.slot}]\nattention = "{best.attention}"\nend = {dumps(best.end, ensure_ascii=False)}\n'
    return f"Change the manifest to {best.label}: {bounds}.\n{keys}"


def _json(probed: "Probed") -> dict[str, Any]:
    variants = [
        {"attention": one.attention, "end": one.end, "in_use": one.used}
        | {name: estimate.value for name, estimate in one.scores.items()}
        for one in probed.variants
    ]
    return {
        "part": probed.slot,
        "encoder": probed.encoder,
        "has_choice": probed.has_choice,
        "variants": variants,
        "advice": advice(probed).strip(),
    }
