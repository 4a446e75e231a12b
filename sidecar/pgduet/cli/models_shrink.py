"""`pgduet models shrink`: a smaller duet, kept only where it finds nearly as much."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgduet.cli.models import models
from pgduet.errors import PgduetError

if TYPE_CHECKING:
    from pgduet.encoding import Duet
    from pgduet.training.shrinking import Shrunk

_Layers = Annotated[int | None, typer.Option(min=1, help="Layers that stay in this half.", show_default="all")]


@models.command()
def shrink(
    name: Annotated[str, typer.Argument(help="Name of the duet to make a smaller one of.")],
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Name of the smaller duet.")],
    int8: Annotated[bool, typer.Option("--int8", help="Keep weights in eight bits.")] = False,
    int8_activations: Annotated[
        bool, typer.Option("--int8-activations", help="Compute in eight bits too; implies --int8.")
    ] = False,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Store and compute in bfloat16.")] = False,
    code_layers: _Layers = None,
    text_layers: _Layers = None,
    queries: Annotated[
        Path | None, typer.Option(help="Queries that judge it, as `pgduet evaluate` reads them.")
    ] = None,
    codes: Annotated[Path | None, typer.Option(help="The codes that answer them.")] = None,
    table: Annotated[bool, typer.Option("--table", help="Instead: the held-out triplets of `pgduet mine`.")] = False,
    humaneval: Annotated[bool, typer.Option("--humaneval", help="Instead: HumanEval.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Rank at most so many codes.")] = None,
    most_lost: Annotated[float, typer.Option(min=0, max=1, help="In nDCG@10, for it to be kept.")] = 0.01,
    force: Annotated[bool, typer.Option("--force", help="Keep it though it lost more.")] = False,
    add: Annotated[bool, typer.Option("--add", help="Begin a generation for it, with its score.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    models_dir: Annotated[
        Path | None,
        typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
    ] = None,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Make a smaller duet of one in the store, and show its size, speed and score beside those of the other.

    --int8 keeps each matrix in eight bits with a scale for every row: a quarter of the disk in float32, at the same
    speed; in memory only the vectors of words stay so small. --int8-activations multiplies in eight bits too: faster
    and less exact, on CPUs, with the extra `onnx`, for encoders of BERT's kind. --bfloat16 takes half the disk, and is
    faster on CPUs that have instructions for it (AVX-512 BF16, AMX). Fewer layers, spaced evenly, are faster and cost
    more of the score; a duet that lost layers may learn some of it back with `pgduet finetune` before its weights go to
    eight bits. The smaller duet is kept where it loses no more than --most-lost and, in a half with all its layers, no
    vector has a cosine below 0.99 (in bfloat16 0.9995) with what it was; else nothing is. Examples:

        pgduet models shrink small small-int8 --int8 --queries dev.jsonl --codes codes.jsonl --limit 1500

        pgduet models shrink small small-bf16 --bfloat16 --humaneval

        pgduet models shrink small small-fast --int8-activations --humaneval

        pgduet models shrink small small-9 --text-layers 9 --table --most-lost 0.02 --add
    """
    from json import dumps

    from pgduet.cli import scoring
    from pgduet.cli.connecting import connect_known
    from pgduet.cli.evaluate_sources import read_benchmark
    from pgduet.encoding import fingerprint_of, load_duet
    from pgduet.encoding.manifest import read_manifest
    from pgduet.encoding.store.layout import MANIFEST, duet_folder
    from pgduet.encoding.store.reweighting import check_new_name
    from pgduet.encoding.store.shrinking import Shrink
    from pgduet.encoding.store.shrinking import shrink as shrink_duet
    from pgduet.training.shrinking import compare
    from pgduet.training.tuning.gate import LEAST_COSINE, LEAST_COSINE_BFLOAT16

    # Whatever is wrong with the request is said before anything is computed.
    layers = {slot: count for slot, count in (("code", code_layers), ("text", text_layers)) if count is not None}
    how = Shrink(layers, int8 or int8_activations, int8_activations, bfloat16)
    check_new_name(new_name, models_dir)
    if add:
        connect_known(dsn).close()
    origin = duet_folder(name, models_dir)
    benchmark = read_benchmark(queries, codes, table, humaneval, dsn)
    if limit is not None:
        benchmark = benchmark.limited(limit)
    found: list[Shrunk] = []
    # Fewer bits alone have to give nearly the same vectors; without some of its layers an encoder is another one.
    alike = [slot for slot in ("code", "text") if how.number_types and slot not in layers]
    wanted = LEAST_COSINE if how.int8 else LEAST_COSINE_BFLOAT16

    with scoring.progress() as report:

        def judge(duet: "Duet", folder: Path) -> None:
            before = load_duet(name, models_dir)
            shrunk = compare(benchmark, before, duet, (origin, folder), most_lost, report, alike, wanted)
            found.append(shrunk)
            if not (force or shrunk.gate.passed):
                _show(name, new_name, shrunk)
                raise PgduetError(
                    f"{new_name} is {', '.join(shrunk.gate.objections)}: {shrunk.gate.retained}",
                    hint="keep more layers, allow more with --most-lost, or keep it as it is with --force",
                )

        folder = shrink_duet(name, new_name, how, judge, models_dir)
    (shrunk,) = found
    fingerprint = fingerprint_of(read_manifest(folder / MANIFEST))
    if json:
        typer.echo(dumps(_json(name, new_name, fingerprint, shrunk), indent=2))
    else:
        _show(name, new_name, shrunk)
        scoring.print_lines(f"{new_name} {fingerprint} is complete in {folder}")
    if add:
        _begin(new_name, shrunk, dsn)


def _begin(new_name: str, shrunk: "Shrunk", dsn: str) -> None:
    from pgduet.cli.connecting import connect_known
    from pgduet.database.generations import add_generation, judge

    with connect_known(dsn) as connection:
        said = add_generation(connection, new_name)
        judge(connection, new_name, shrunk.gate.as_json())
    typer.echo(f"{said}\nnext: pgduet models load {new_name} && pgduet generation wait {new_name}", err=True)


def _show(name: str, new_name: str, shrunk: "Shrunk") -> None:
    from pgduet.cli.scoring import new_table, print_table
    from pgduet.encoding.store.room import readable

    gate = shrunk.gate
    assert gate.retained is not None
    table = new_table("", name, new_name, "change")
    before, after = shrunk.bytes
    table.add_row("size", readable(before), readable(after), f"x {after / before:.2f}")
    slow, fast = shrunk.speed
    table.add_row("texts a second, one after the other", f"{slow:.1f}", f"{fast:.1f}", f"x {fast / slow:.2f}")
    for half, cosine in gate.least_cosines.items():
        table.add_row(f"least cosine of the {half} half", "1.0000", f"{cosine:.4f}", f"{cosine - 1:+.4f}")
    retained = gate.retained
    change = f"{retained.gain:+.4f} [{retained.ci_low:+.4f}, {retained.ci_high:+.4f}]"
    what = f"ndcg@10 over {retained.questions} questions"
    table.add_row(what, f"{retained.before:.4f}", f"{retained.after:.4f}", change)
    for half, (old, new) in gate.halves.items():
        table.add_row(f"{half} half alone", f"{old:.4f}", f"{new:.4f}", f"{new - old:+.4f}")
    print_table(table)


def _json(name: str, new_name: str, fingerprint: str, shrunk: "Shrunk") -> dict[str, Any]:
    return {
        "model": new_name,
        "fingerprint": fingerprint,
        "made_of": name,
        "bytes": list(shrunk.bytes),
        "texts_per_second": list(shrunk.speed),
        "gate": shrunk.gate.as_json(),
    }
