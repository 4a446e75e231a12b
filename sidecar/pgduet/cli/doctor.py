"""`pgduet doctor`: what is ill, and how to mend it."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.cli.checks import Finding


def register(app: typer.Typer) -> None:
    """Add `pgduet doctor`."""
    app.command(epilog="Examples:  pgduet doctor  |  pgduet doctor --json  |  pgduet doctor --model qodo-qwen3")(doctor)


def doctor(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    model: Annotated[
        str, typer.Option(envvar="PGDUET_MODEL", help="Duets whose files are checked, separated by commas.")
    ] = "small",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead of lines.")] = False,
) -> None:
    """Check every part, say what is wrong with it and what to do; exit with 1 where one fails."""
    findings = []
    for finding in _findings(dsn, model):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{finding.state:<4}  {finding.part:<16} {' '.join(finding.detail.split())}")
            if finding.hint and finding.state != "ok":
                typer.echo(f"      {'':<16} -> {finding.hint}")
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def _findings(dsn: str, model: str) -> Iterator["Finding"]:
    from pgduet.cli.checks import check_certificates, check_database, check_machine, check_sidecar

    fingerprints: dict[str, str] = {}
    # As `pgduet serve` reads the same variable.
    yield from check_machine(model.replace(",", " ").split())
    yield from check_sidecar(fingerprints)
    yield from check_certificates()
    yield from check_database(dsn, fingerprints)
