"""Every command says what it does, what its options mean, and shows itself at work in examples that can be typed."""

import re
import shlex
from itertools import groupby

import pytest

from page_commands import Command, leaves, read_help, tree
from pgduet.cli import serve
from pgduet.serving.settings import Settings

COMMANDS = list(leaves())
# Where one command of a shell ends and another begins.
BETWEEN = {"&&", "|", ">"}


def typed(example: str) -> list[list[str]]:
    """Give the words of each call of pgduet in a line; variables before it and what else is called are left out."""
    words = [word for word in shlex.split(example) if not re.match("[A-Z_]+=", word)]
    runs = [list(run) for between, run in groupby(words, BETWEEN.__contains__) if not between]
    return [run[1:] for run in runs if run[0] == "pgduet"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.words)
def test_a_command_shows_an_example_of_itself(command: Command) -> None:
    assert command.told.paragraphs
    shown = [call for example in command.told.examples for call in typed(example)]
    assert [call for call in shown if ["pgduet", *call][: len(command.words.split())] == command.words.split()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.words)
def test_every_option_says_what_it_means(command: Command) -> None:
    unsaid = [name for name, meaning in command.options() if not meaning or meaning.startswith("[")]
    assert unsaid == []


@pytest.mark.parametrize("example", [one for command in COMMANDS for one in command.told.examples])
def test_an_example_can_be_typed(example: str) -> None:
    calls = typed(example)
    assert calls
    for words in calls:
        command, name = tree(), "pgduet"
        while hasattr(command, "commands"):
            name = words.pop(0)
            command = command.commands[name]
        # Knows each option; values are looked at when it runs.
        _, unknown, _ = command.make_parser(command.context_class(command, info_name=name)).parse_args(words)
        assert unknown == []


def test_an_example_with_a_wrong_option_is_found() -> None:
    command = tree().commands["ingest"]
    with pytest.raises(Exception, match="No such option: --nothing"):
        command.make_parser(command.context_class(command, info_name="ingest")).parse_args(["--nothing", "."])


def test_examples_are_read_in_each_form_they_have() -> None:
    assert read_help("Do it. Example: pgduet a.").examples == ["pgduet a"]
    assert read_help("Do it.", "Examples:  pgduet a --json  |  pgduet b | jq .").examples == [
        "pgduet a --json",
        "pgduet b | jq .",
    ]
    told = read_help("Do it. Examples:\n\n    pgduet a\n\n    pgduet b\n\nEnvironment: X.")
    assert (told.paragraphs, told.examples) == (["Do it.", "Environment: X."], ["pgduet a", "pgduet b"])


def test_the_sidecars_help_names_every_variable() -> None:
    assert [name for name in Settings.model_fields if f"PGDUET_{name.upper()}" not in serve.EPILOG] == []
