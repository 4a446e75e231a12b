"""`pgduet search`: code by meaning, on the terminal."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pgduet.database.search import Hit


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(search)


def search(
    words: Annotated[list[str], typer.Argument(help="What the code does, in plain words or as code.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Number of hits.")] = 10,
    language: Annotated[str | None, typer.Option(help="Only this language, such as python.")] = None,
    repo: Annotated[str | None, typer.Option(help="Only this repository.")] = None,
    path: Annotated[str | None, typer.Option(help="Only paths LIKE this pattern, such as 'src/%'.")] = None,
    min_similarity: Annotated[float | None, typer.Option(help="Only hits at least so similar (cosine).")] = None,
    lexical: Annotated[
        bool, typer.Option("--lexical", help="Rank by the words of the query too: for names and other exact words.")
    ] = False,
    page: Annotated[int, typer.Option(min=1, help="Which `k` hits: 2 shows those after the first `k`.")] = 1,
    lines: Annotated[int, typer.Option(min=0, help="Lines of code to show of each hit.")] = 8,
    pager: Annotated[
        bool, typer.Option(help="On a terminal, show what is longer than the screen in $PAGER or less.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array, with the whole content.")] = False,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Find code by what it does.

    Examples:

        pgduet search "retry an http call with backoff"

        pgduet search -k 3 --language python --path 'src/%' "parse a date"

        pgduet search --lexical parse_http_date

        pgduet search -k 20 --page 2 --lines 0 "open a file"

        pgduet search --json "quick sort" | jq '.[].path'
    """
    from pgduet.chunking import UnknownLanguageError, find_language
    from pgduet.cli.connecting import connect_known
    from pgduet.database.search import search
    from pgduet.errors import PgduetError

    query = " ".join(words).strip()
    if not query:
        raise PgduetError("the query is blank", hint='say what the code does: pgduet search "retry with backoff"')
    try:
        named = find_language(language) if language else None
    except UnknownLanguageError:
        # Rows that came by INSERT name languages as they like.
        named = language
    with connect_known(dsn) as connection:
        hits = search(
            connection,
            query,
            k=k * page,
            language=named,
            repo=repo,
            path_like=path,
            min_similarity=min_similarity,
            lexical=lexical,
        )
    first = k * (page - 1)
    if json:
        _print_json(hits[first:])
    elif hits[first:]:
        _print_hits(hits[first:], lines, first + 1, pager)
    elif hits:
        typer.echo(f"no more hits: there are {len(hits)}", err=True)
    else:
        typer.echo("no hits: nothing is stored yet, or the filters leave nothing", err=True)


def _print_json(hits: "list[Hit]") -> None:
    from json import dumps

    typer.echo(dumps([hit._asdict() for hit in hits], ensure_ascii=False, indent=2))


def _print_hits(hits: "list[Hit]", lines: int, first: int = 1, pager: bool = False) -> None:
    """Print hits; what is longer than the screen of a terminal goes to the pager."""
    import os
    import pydoc

    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not (pager and console.is_terminal):
        _print_all(console, hits, first, lines)
        return
    with console.capture() as captured:
        _print_all(console, hits, first, lines)
    shown = captured.get()
    if shown.count("\n") < console.height:
        console.file.write(shown)
        return
    # As git does: less keeps colours, and leaves what it showed on the screen.
    os.environ.setdefault("LESS", "FRX")
    pydoc.pager(shown)


def _print_all(console: "Console", hits: "list[Hit]", first: int, lines: int) -> None:
    from rich.text import Text

    for number, hit in enumerate(hits, first):
        place = "/".join(part for part in (hit.repo, hit.path) if part) or f"chunk {hit.chunk_id}"
        span = f":{hit.start_line}-{hit.end_line}" if hit.start_line else ""
        what = f"  {hit.symbol or ''} ({hit.kind or 'chunk'})".replace("   ", "  ")
        console.print(
            Text.assemble(f"{number}. ", (f"{hit.similarity:.2f}", "bold"), "  ", (f"{place}{span}", "cyan"), what)
        )
        if lines:
            _print_code(console, hit, lines)


def _print_code(console: "Console", hit: "Hit", lines: int) -> None:
    from rich.padding import Padding
    from rich.syntax import Syntax

    from pgduet.web.highlight import lexer_name

    all_lines = hit.content.split("\n")
    shown = "\n".join(line[:200] for line in all_lines[:lines])
    if console.is_terminal:
        code = Syntax(shown, lexer_name(hit.language), background_color="default", word_wrap=False)
        console.print(Padding(code, (0, 0, 0, 4)))
    else:
        for line in shown.split("\n"):
            typer.echo(f"    {line}".rstrip())
    if len(all_lines) > lines:
        console.print(f"    ... {len(all_lines) - lines} more lines", style="dim")
    console.print()
