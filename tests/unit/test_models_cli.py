"""`pgduet models` as a user runs it, with a store of its own and a hub on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fix_hub import Hub, duet_of, hub_source
from fix_store import install
from pgduet.cli.models import models
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.errors import PgduetError

PGDUET = str(Path(sys.executable).with_name("pgduet"))


@pytest.fixture
def recipe(checkpoints: tuple[Path, Path], tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    code, text = (FolderSource(str(folder), "transformers") for folder in checkpoints)
    path.write_text(to_toml(duet_of(code, text)), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(store: Path, *arguments: str | Path, answer: str = "") -> Done:
    """Run the command in this process, where torch is loaded already."""
    result = CliRunner().invoke(models, list(map(str, arguments)), env={"PGDUET_MODELS_DIR": str(store)}, input=answer)
    said = result.stderr
    if isinstance(result.exception, PgduetError):
        said += f"error: {result.exception}\nhint: {result.exception.hint}\n"
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, said)


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_import_list_verify_and_remove(recipe: Path, tmp_path: Path) -> None:
    store = tmp_path / "models"
    added = run(store, "import", recipe)
    assert added.returncode == 0, added.stderr
    assert f"tiny is complete in {store / 'tiny'}, fingerprint " in added.stdout
    fingerprint = added.stdout.split()[-1]
    assert "code: tiny-code, licence MIT" in added.stderr

    listed = run(store, "list")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert lines["tiny"].split()[1:4] == [fingerprint, "present", lines["tiny"].split()[3]]
    assert lines["qodo-jina"].split()[1:4] == ["-", "not", "pulled"]
    rows = {row["name"]: row for row in json.loads(run(store, "list", "--json").stdout)}
    assert rows["tiny"]["fingerprint"] == fingerprint
    assert rows["tiny"]["bytes"] > 100_000
    assert (rows["qodo-jina"]["fingerprint"], rows["qodo-jina"]["state"]) == (None, "not pulled")

    assert run(store, "verify", "tiny").stdout == f"tiny: all 9 files in {store / 'tiny'} are as pinned\n"
    flip(store / "tiny/code/model.safetensors")
    flip(store / "tiny/references.npy")
    for arguments in (["verify"], ["verify", "tiny"]):
        wrong = run(store, *arguments)
        assert wrong.returncode == 1
        assert [line.split(" has sha256")[0] for line in wrong.stdout.splitlines()] == [
            f"tiny: {store}/tiny/code/model.safetensors",
            f"tiny: {store}/tiny/references.npy",
        ]
        assert "error: damaged: tiny" in wrong.stderr
        assert "hint: import tiny again" in wrong.stderr

    kept = run(store, "rm", "tiny", answer="n\n")
    assert kept.returncode == 1
    assert (store / "tiny").is_dir()
    assert run(store, "rm", "tiny", answer="y\n").returncode == 0
    assert not (store / "tiny").exists()
    again = run(store, "rm", "tiny", "--yes")
    assert again.returncode == 1
    assert "error: there is nothing of the duet 'tiny'" in again.stderr


def test_what_cannot_be_read_or_is_half_made_does_not_hide_the_rest(tmp_path: Path) -> None:
    install(tmp_path, "good")
    (install(tmp_path, "newer") / "duet.toml").write_text("layers = 3\n")
    (tmp_path / ".mine.sources").mkdir()
    (tmp_path / ".mine.sources" / "part").write_bytes(b"x" * 5000)
    rows = {row["name"]: row for row in json.loads(run(tmp_path, "list", "--json").stdout)}
    assert {name: rows[name]["state"] for name in ("good", "newer", "mine", "small")} == {
        "good": "present",
        "newer": "damaged",
        "mine": "interrupted",
        "small": "not pulled",
    }
    assert (rows["mine"]["licences"], rows["mine"]["fingerprint"]) == ({}, None)
    assert f"{tmp_path}/newer/duet.toml" in rows["newer"]["summary"]
    lines = {line.split()[0]: line.split() for line in run(tmp_path, "list").stdout.splitlines()}
    assert lines["newer"][1:3] == ["-", "damaged"]
    assert lines["mine"][1:3] == ["-", "interrupted"]

    (tmp_path / "good/code/strange.safetensors").touch()
    done = run(tmp_path, "verify")
    assert done.returncode == 1
    wrong, damaged = done.stdout.splitlines()
    assert wrong == f"good: {tmp_path}/good/code/strange.safetensors does not belong to the duet"
    assert damaged.startswith(f"newer: damaged: {tmp_path}/newer/duet.toml")
    assert "error: damaged: good, newer" in done.stderr
    assert "pgduet models import FILE.toml --replace" in done.stderr
    assert run(tmp_path, "rm", "newer", "--yes").returncode == 0
    assert not (tmp_path / "newer").exists()


@pytest.mark.parametrize("flag", ["--accept-license", "--accept-licence"])
def test_a_restricted_licence_needs_its_flag_in_either_spelling(tmp_path: Path, flag: str) -> None:
    manifest = duet_of(FolderSource("nowhere", "transformers"), FolderSource("nowhere", "transformers"))
    recipe = tmp_path / "tiny.toml"
    text = to_toml(manifest).replace("[text]\n", '[text]\nrestricted = "not for commercial use"\n')
    recipe.write_text(text, encoding="utf-8")
    asked = run(tmp_path / "models", "import", recipe)
    assert asked.returncode == 1
    assert "error: tiny-text is licensed as MIT: not for commercial use" in asked.stderr
    assert "--accept-license" in asked.stderr
    accepted = run(tmp_path / "models", "import", recipe, flag)
    assert f"error: the folder {tmp_path}/nowhere of the encoder tiny-code is not there" in accepted.stderr


def test_a_fetch_from_a_hub_can_be_interrupted_and_repeated(filled_hub: Hub, tmp_path: Path) -> None:
    recipe = duet_of(hub_source("tiny/code"), hub_source("tiny/text"))
    filled_hub.delays["tokenizer_config.json"] = 30.0
    path = tmp_path / "tiny.toml"
    path.write_text(to_toml(replace(recipe, name="remote")), encoding="utf-8")
    environment = {**os.environ, "PGDUET_MODELS_DIR": str(tmp_path / "models")}
    # A test run in the background of a shell ignores SIGINT, and so would its children.
    command = ["env", "--default-signal=INT", PGDUET, "models", "import", str(path)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + 60
        while not filled_hub.fetched("tokenizer_config.json") and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not (tmp_path / "models/remote").exists()
    assert not list((tmp_path / "models").rglob("*.incomplete"))
    filled_hub.delays.clear()
    done = run(tmp_path / "models", "import", path)
    assert done.returncode == 0, done.stderr


def test_every_command_shows_an_example(tmp_path: Path) -> None:
    for command in ("pull", "list", "verify", "rm", "import"):
        assert f"pgduet models {command}" in run(tmp_path, command, "--help").stdout


def test_an_unknown_duet_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "verify", "huge")
    assert done.returncode == 1
    assert "error: the duet 'huge' is not in the model store" in done.stderr
    assert run(tmp_path, "verify").stdout == "no duet is in the model store\n"
