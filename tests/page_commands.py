"""docs/reference/cli.md: every command with its options and examples, from what `--help` knows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import typer

from page_text import NOTE, escaped
from pgduet.cli import main

_EXAMPLES = re.compile(r"\bExamples?:\s*")
_INDENT = "    "
# Ends a sentence, and is no folder.
_STOP = re.compile(r"(?<=\S)\.$")
# How several examples stand in one line.
_BETWEEN = re.compile(r"\s{2}\|\s{2}")


@dataclass
class Told:
    """What a command says of itself: paragraphs, and its examples."""

    paragraphs: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Command:
    """A command that does something (a leaf of the tree), with the words that call it."""

    words: str
    command: Any

    @property
    def told(self) -> Told:
        return read_help(self.command.help or "", self.command.epilog or "")

    @property
    def context(self) -> Any:
        return self.command.context_class(self.command, info_name=self.words)

    @property
    def usage(self) -> str:
        return " ".join([self.words, *self.command.collect_usage_pieces(self.context)])

    def options(self) -> Iterator[tuple[str, str]]:
        """Yield name and meaning of every argument and option but --help."""
        for one in self.command.get_params(self.context):
            if one.name != "help" and (record := one.get_help_record(self.context)):
                yield record


def read_help(*texts: str) -> Told:
    """Take examples out of help texts: indented lines, or what follows `Example:` in a paragraph."""
    told = Told()
    for paragraph in re.split(r"\n\s*\n", "\n\n".join(text.strip("\n") for text in texts if text)):
        lines = paragraph.splitlines()
        if all(line.startswith(_INDENT) for line in lines):
            told.examples += [line.strip() for line in lines]
            continue
        said, *after = _EXAMPLES.split(" ".join(lines), maxsplit=1)
        told.examples += [_STOP.sub("", one.strip()) for one in _BETWEEN.split(after[0])] if any(after) else []
        told.paragraphs += [said.strip()] if said.strip() else []
    return told


@cache
def tree() -> Any:
    """Give the whole command line."""
    main._register_all()
    return typer.main.get_command(main.app)


def leaves(command: Any = None, words: str = "pgduet") -> Iterator[Command]:
    """Yield all commands that do something, by name."""
    command = command or tree()
    if not hasattr(command, "commands"):
        yield Command(words, command)
        return
    for name, below in sorted(command.commands.items()):
        yield from leaves(below, f"{words} {name}")


def commands_page() -> str:
    """Write the page."""
    root = Command("pgduet", tree())
    lines = ["# Commands", NOTE, f"{root.told.paragraphs[0]} `pgduet COMMAND --help` says the same as this page."]
    lines += [escaped(paragraph) for paragraph in root.told.paragraphs[1:]]
    lines.append("\n".join(_listed(*one) for one in root.options()))
    for one in leaves():
        lines += [f"## `{one.words}`", f"```text\n{one.usage}\n```"]
        lines += [escaped(paragraph) for paragraph in one.told.paragraphs]
        if options := list(one.options()):
            lines.append("\n".join(_listed(*each) for each in options))
        lines.append("```text\n{}\n```".format("\n".join(one.told.examples)))
    return "\n\n".join(lines) + "\n"


def _listed(name: str, meaning: str) -> str:
    said, _, extra = meaning.partition("  [")
    return f"- `{name}`: {escaped(said)}" + (f" *[{escaped(extra)}*" if extra else "")
