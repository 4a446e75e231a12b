"""The pages of docs/reference say what is there: written from an installed database and from the command line."""

import re

import pytest

from fix_cluster import REPOSITORY
from fix_database import Database, new_database
from page_commands import commands_page
from page_examples import read_examples, run_examples
from page_functions import functions_page
from page_settings import SESSION, VARIABLES, read_variables, session_settings, settings_page
from page_text import compare
from pgduet.local.cluster import Cluster
from pgduet.serving.settings import Settings


def test_functions_views_and_tables_are_as_the_page_says_and_its_examples_print_that(live_database: Database) -> None:
    shown = run_examples(live_database)
    with live_database.connect() as session:
        compare("functions.md", functions_page(session, shown))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("COMMENT ON FUNCTION pgduet.version() IS NULL", "pgduet.version has no comment"),
        ("COMMENT ON COLUMN pgduet.generations.parent IS NULL", "without a comment: ['parent']"),
        ("CREATE VIEW pgduet.later AS SELECT 1 AS one", "pgduet.later has no comment"),
        ("CREATE FUNCTION pgduet.later() RETURNS int LANGUAGE sql AS 'SELECT 1'", "has a section in"),
        ("CREATE FUNCTION pgduet.embed(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "two functions of one name"),
    ],
)
def test_what_lacks_its_description_or_its_example_is_named(database: Database, change: str, told: str) -> None:
    with database.connect() as session:
        session.execute(change.encode())
        with pytest.raises(AssertionError, match=re.escape(told)):
            functions_page(session, {name: [] for name in read_examples()})


def test_commands_and_options_are_as_the_page_says() -> None:
    compare("cli.md", commands_page())


def test_settings_are_as_the_page_says(cluster: Cluster, template: str) -> None:
    with new_database(cluster, template) as untouched, untouched.connect() as session:
        compare("settings.md", settings_page(session))


def test_every_variable_and_every_setting_of_a_session_is_on_the_page() -> None:
    of_the_sidecar = {f"PGDUET_{name.upper()}" for name in Settings.model_fields}
    described = {name for name in VARIABLES if name.startswith("PGDUET_")} | of_the_sidecar
    assert set(read_variables()) == described
    assert session_settings() == set(SESSION)


@pytest.mark.parametrize("name", ["functions.md", "cli.md", "settings.md"])
def test_a_page_names_no_folder_of_the_machine_that_wrote_it(name: str) -> None:
    text = (REPOSITORY / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert str(REPOSITORY) not in text
    assert "/tmp/" not in text
