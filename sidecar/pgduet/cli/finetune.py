"""`pgduet finetune`: a duet learns from the triplets of the table."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.database.connection import Connection
    from pgduet.training.tuning.loop import Report, Step
    from pgduet.training.tuning.outcome import Tuned
    from pgduet.training.tuning.recipe import Say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(finetune)


def finetune(
    name: Annotated[str, typer.Argument(help="Name of the new duet, and of its generation.")],
    parent: Annotated[str | None, typer.Option(help="Duet to start from; that of the active generation.")] = None,
    objective: Annotated[str, typer.Option(help="in-batch or triplet.")] = "in-batch",
    hard: Annotated[bool, typer.Option("--hard", help="With in-batch: mined negatives count too.")] = False,
    part: Annotated[str, typer.Option(help="What learns: both, code or text.")] = "both",
    steps: Annotated[int, typer.Option(min=1, help="Steps of training.")] = 100,
    batch: Annotated[int, typer.Option(min=2, help="Triplets a step.")] = 32,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-5,
    margin: Annotated[float, typer.Option(help="Of the objective triplet, in cosine distance.")] = 0.5,
    max_tokens: Annotated[int, typer.Option(min=8, help="Tokens of each text that are read.")] = 96,
    patience: Annotated[int, typer.Option(min=0, help="End after so many checks without a gain; 0 never.")] = 0,
    check_every: Annotated[int, typer.Option(min=1, help="Steps between checks on held-out pairs.")] = 25,
    share: Annotated[float, typer.Option(help="Of the change that is kept; the rest is the parent's.")] = 0.5,
    least_gain: Annotated[float, typer.Option(help="In nDCG@10, for the new generation to be promoted.")] = 0.01,
    retain_queries: Annotated[
        Path | None, typer.Option(help="Queries of another kind not to get worse at, as `pgduet evaluate` reads them.")
    ] = None,
    retain_codes: Annotated[Path | None, typer.Option(help="The codes that answer them.")] = None,
    retain_limit: Annotated[int, typer.Option(min=1, help="Rank at most so many of these codes.")] = 1500,
    most_lost: Annotated[float, typer.Option(help="In nDCG@10 on them, for the generation to be promoted.")] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="The same seed on the same triplets gives the same duet.")] = 0,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Compute in bfloat16 where it is safe.")] = False,
    lora_rank: Annotated[int, typer.Option(min=0, help="Learn low-rank changes alone; try ten times the rate.")] = 0,
    chunk: Annotated[int, typer.Option(min=0, help="Texts in memory at a time, same result; 0 a whole batch.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    add: Annotated[bool, typer.Option(help="Begin a generation for the new duet.")] = True,
    models_dir: Annotated[
        Path | None,
        typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
    ] = None,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Tune a duet on the triplets that `pgduet mine` found, judge it on held-out ones, and begin its generation.

    Interrupted or killed, the same command goes on from the last checkpoint. The new duet is in the model store; a
    worker fills its generation once the sidecar serves it, and `pgduet generation promote` switches to it, if it was
    better. Several processes on one machine: torchrun --nproc-per-node 2 --no-python pgduet finetune ...
    Exits with 3 for too little data, 4 where numbers are not finite, 5 where all vectors became alike, 6 where
    nothing is left to learn. Examples:

        pgduet mine && pgduet finetune small-1

        pgduet finetune small-2 --objective triplet --margin 0.3 --part code

        pgduet finetune small-3 --retain-queries cosqa-dev.jsonl --retain-codes cosqa-codes.jsonl

        pgduet finetune small-4 --lora-rank 16 --rate 5e-4 --batch 256 --chunk 32 --device auto

        pgduet models load small-1 && pgduet generation wait small-1 && pgduet generation promote small-1
    """
    from pgduet.cli.connecting import connect_known
    from pgduet.cli.scoring import print_lines
    from pgduet.encoding.manifest import Part
    from pgduet.training.tuning.errors import TuningError
    from pgduet.training.tuning.material import read_material, read_retained
    from pgduet.training.tuning.plan import Plan
    from pgduet.training.tuning.processes import joined
    from pgduet.training.tuning.recipe import Terms, run_folder, tune

    try:
        if part not in list(Part):
            raise TuningError(f"part is {part!r}", hint="part must be both, code or text")
        plan = Plan(
            objective=objective,
            hard=hard,
            part=Part(part),
            steps=steps,
            batch=batch,
            rate=rate,
            margin=margin,
            max_tokens=max_tokens,
            patience=patience,
            check_every=check_every,
            seed=seed,
            bfloat16=bfloat16,
            lora_rank=lora_rank,
            chunk=chunk,
            device=device,
        )
        terms, retained = Terms(share, least_gain, most_lost), read_retained(retain_queries, retain_codes, retain_limit)
        with connect_known(dsn) as connection:
            start, material = parent or _active(connection), read_material(connection, retained)
        folder = run_folder(name, models_dir)
        with joined() as team, _progress(steps, shown=team.leads) as (say, report):
            tuned = tune(
                start,
                name,
                material,
                plan,
                folder,
                terms=terms,
                models_dir=models_dir,
                team=team,
                report=report,
                say=say,
            )
    except TuningError as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(error.exit_code) from error
    if tuned is None:
        return
    _show(tuned, folder)
    if add:
        with connect_known(dsn) as connection:
            print_lines(_begin(connection, tuned))


def _begin(connection: "Connection", tuned: "Tuned") -> str:
    from pgduet.database.generations import add_generation, judge, list_generations

    # A run that was cut off after it had begun the generation is given again.
    known = {one.name: one.model for one in list_generations(connection)}
    said = "its generation has begun" if known.get(tuned.name) == tuned.name else add_generation(connection, tuned.name)
    judge(connection, tuned.name, tuned.gate.as_json())
    return f"{said}\nnext: pgduet models load {tuned.name} && pgduet generation wait {tuned.name}"


def _active(connection: "Connection") -> str:
    from pgduet.database.generations import list_generations

    return next(one.model for one in list_generations(connection) if one.state == "active")


def _show(tuned: "Tuned", folder: Path) -> None:
    from pgduet.cli.scoring import new_table, print_lines, print_table

    gate = tuned.gate
    table = new_table("ndcg@10", "questions", "before", "after", "gain", "95 % between")
    for what, one in (("held out", gate.held_out), ("retained", gate.retained)):
        if one:
            between = f"{one.ci_low:+.4f} and {one.ci_high:+.4f}"
            table.add_row(
                what, str(one.questions), f"{one.before:.4f}", f"{one.after:.4f}", f"{one.gain:+.4f}", between
            )
    for half, (before, after) in gate.halves.items():
        table.add_row(f"held out, {half} half alone", "", f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}", "")
    print_table(table)
    verdict = f"{', '.join(gate.objections)}: it will not be promoted" if gate.objections else "better"
    code, text = tuned.weights
    print_lines(
        f"{tuned.name} {tuned.fingerprint}, weights code {code:g}, text {text:g}, is {verdict}",
        f"{tuned.progress.step} steps in {tuned.train_seconds:.0f} s, judged in {tuned.judge_seconds:.0f} s"
        + (" by an earlier run" if tuned.again else "")
        + f"; its log is {folder / 'steps.jsonl'}",
    )
    if picture := _picture(folder):
        print_lines(f"its curve is {picture}")


def _picture(folder: Path) -> Path | None:
    from importlib.util import find_spec

    # Comes with the extra `bench`; the log says the same in numbers.
    if find_spec("matplotlib") is None:
        return None
    from pgduet.training.tuning.curve import draw

    draw(folder / "steps.jsonl", folder / "curve.png")
    return folder / "curve.png"


@contextmanager
def _progress(steps: int, *, shown: bool) -> "Iterator[tuple[Say, Report]]":
    """Show a bar with the last step's numbers on a terminal, a line at every check elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not (shown and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=steps)

        def say(what: str) -> None:
            bar.update(task, description=what)
            if shown and hidden:
                typer.echo(what, file=sys.stderr)

        def report(step: "Step") -> None:
            said = f"loss {step.loss:.4f}, gradient {step.norm:.2f}"
            bar.update(task, completed=step.step, description=said)
            if shown and step.score is not None:
                console.print(f"step {step.step} of {steps}: {said}, nDCG@10 on dev {step.score:.4f}")

        yield say, report
