"""`pgduet mine`: look for what fine-tuning can learn from."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.training.mining import Report

_TOO_FEW = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mine)


def mine(
    most: Annotated[int, typer.Option(min=1, help="Look at so many chunks, drawn at random.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Draw others; the same seed gives the same triplets.")] = 0,
    least: Annotated[int, typer.Option(min=0, help="So many training triplets are needed.")] = 200,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be found; write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Mine triplets from the stored code: an anchor, what means the same, and what does not.

    Anchors are docstrings and comments with their code, symbols that another repository has too, and chunks that the
    stored vectors put close together. Needs a member of pgduet_admin; no model is called. The triplets stand in the
    view pgduet.triplets until the next run. Exits with 3 where too few are found; what was there before then stays.
    Settings, changed by `pgduet db set`: mining_positive, mining_negative. Examples:

        pgduet mine --dry-run

        pgduet mine --most 50000 --seed 1

        pgduet mine --json | jq .triplets
    """
    from json import dumps

    from pgduet.cli.connecting import connect_known
    from pgduet.cli.scoring import progress
    from pgduet.training.mining import Options, TooFewError
    from pgduet.training.mining import mine as run

    options = Options(most=most, seed=seed, least=least, dry_run=dry_run)
    try:
        with connect_known(dsn) as connection, progress() as report:
            found = run(connection, options, report)
    except TooFewError as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(_TOO_FEW) from error
    if json:
        typer.echo(dumps(found.as_json(), indent=2))
    else:
        _show(found)


def _show(found: "Report") -> None:
    from pgduet.cli.scoring import new_table, print_lines, print_table

    joined = f", {found.joined} of them together with another" if found.joined else ""
    unit = "repositories" if found.split_by == "repo" else "files"
    print_lines(
        f"looked at {found.looked_at} of {found.chunks} chunks ({found.embedded} with a vector) in {found.seconds} s",
        f"split by {found.split_by}: {found.groups} {unit}{joined}; {found.left_out} copies left out",
    )
    table = new_table("triplets", "train", "dev", "test")
    for kind, sides in found.triplets.items():
        table.add_row(kind, *(str(number) for number in sides.values()))
    table.add_row("all", *(str(found.on_side(side)) for side in ("train", "dev", "test")))
    print_table(table)
    table = new_table("cosine of half", "by", "positive from", "of nearest pairs", "negative under", "of random pairs")
    for one in found.thresholds:
        table.add_row(
            one.half,
            one.by,
            f"{one.positive:.4f}",
            f"{one.positive_yield:.1%}",
            f"{one.negative:.4f}",
            f"{one.negative_yield:.1%}",
        )
    print_table(table)
    table = new_table("negatives, and what was turned down", "number")
    for what, number in (*found.negatives.items(), *sorted(found.rejected.items())):
        table.add_row(what, str(number))
    print_table(table)
    print_lines("nothing was written" if found.mining_id is None else f"run {found.mining_id} is in pgduet.triplets")
    if not found.on_side("dev") or not found.on_side("test"):
        print_lines("note: a side without triplets cannot tell whether training helped; ingest more files")
