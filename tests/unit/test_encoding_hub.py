"""What a hub can do to a fetch, one fault at a time, against a real server on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fix_hub import REVISION, Fault, Hub, contents, duet_of, hub_source, write_checkpoint
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest
from pgduet.encoding.sources import HubSource
from pgduet.encoding.store import hub as hub_module
from pgduet.encoding.store.install import install
from pgduet.encoding.store.layout import checked_manifest
from pgduet.encoding.store.report import quiet

WEIGHTS = "model.safetensors"
RECIPE = duet_of(hub_source("tiny/code"), hub_source("tiny/text"))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAUSES", (0.01, 0.01))


def get(models: Path, recipe: Manifest = RECIPE, said: list[str] | None = None) -> Path:
    def report(what: str, _done: int, _total: int) -> None:
        if said is not None:
            said.append(what)

    return install(recipe, None, models, report, False)


def check(folder: Path, hub: Hub) -> None:
    """Compare every stored file with its manifest, and with what the hub has."""
    for slot in checked_manifest(folder).slots:
        for name in slot.files:
            assert (folder / slot.slot / name).read_bytes() == hub.repos[f"tiny/{slot.slot}"][name]


def refused(models: Path, match: str, recipe: Manifest = RECIPE) -> StoreError:
    with pytest.raises(StoreError, match=match) as caught:
        get(models, recipe)
    assert not (models / "tiny").exists()
    return caught.value


def test_only_what_a_checkpoint_is_made_of_is_fetched_and_the_second_time_nothing(
    filled_hub: Hub, tmp_path: Path
) -> None:
    folder = get(tmp_path)
    manifest = checked_manifest(folder)
    assert sorted(manifest.code.files) == ["config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json"]
    assert sorted(path.name for path in (folder / "code").iterdir()) == sorted(manifest.code.files)
    assert not [each for each in filled_hub.requests if each.endswith((".py", ".bin", ".md"))]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tiny.lock", "tiny"]
    filled_hub.requests.clear()
    get(tmp_path)
    assert filled_hub.requests == []


def test_progress_counts_the_bytes_of_a_repository(filled_hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    install(RECIPE, None, tmp_path, lambda what, *at: seen.append(at) if what == "fetching tiny/code" else None, False)
    wanted = ("config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json")
    total = sum(len(filled_hub.repos["tiny/code"][name]) for name in wanted)
    assert seen[0] == (0, total)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_connection_that_drops_twice_does_no_harm(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.faults[WEIGHTS] = Fault("drop", 2)
    check(get(tmp_path), filled_hub)
    assert filled_hub.fetched(WEIGHTS) == 2 + 2


def test_a_connection_that_always_drops_is_told_and_what_was_fetched_is_kept(
    filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAUSES", ())
    filled_hub.faults[WEIGHTS] = Fault("drop")
    error = refused(tmp_path, r"could not fetch model\.safetensors of tiny/code in 1 tries: RemoteProtocolError")
    assert "repeat the command: what has been fetched is kept" in error.hint
    filled_hub.faults.clear()
    filled_hub.requests.clear()
    check(get(tmp_path), filled_hub)
    assert [each for each in filled_hub.requests if "tiny/code" in each] == [
        f"HEAD /tiny/code/resolve/{REVISION}/{WEIGHTS}",
        f"GET /tiny/code/resolve/{REVISION}/{WEIGHTS}",
    ]


def test_a_busy_hub_is_asked_again(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.faults[WEIGHTS] = Fault("503", 2)
    said: list[str] = []
    check(get(tmp_path, said=said), filled_hub)
    assert f"fetching {WEIGHTS} of tiny/code again, try 3 of 3: the hub answered 503" in said


def test_a_hub_that_stays_busy_is_told(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.faults["config.json"] = Fault("503")
    refused(tmp_path, r"could not fetch config\.json of tiny/code in 3 tries: HfHubHTTPError: .*503")


def test_a_short_body_is_fetched_again(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.faults[WEIGHTS] = Fault("short", 1)
    check(get(tmp_path), filled_hub)
    assert filled_hub.fetched(WEIGHTS) == 1 + 2


def test_a_body_that_stays_short_is_told(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.faults[WEIGHTS] = Fault("short")
    refused(tmp_path, r"could not fetch model\.safetensors of tiny/code in 3 tries")


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_wrong_bytes_of_the_right_size_are_fetched_again(filled_hub: Hub, tmp_path: Path, name: str) -> None:
    filled_hub.faults[name] = Fault("corrupt", 1)
    check(get(tmp_path), filled_hub)
    assert filled_hub.fetched(name) == 1 + 2


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json"])
def test_wrong_bytes_that_stay_wrong_are_refused(filled_hub: Hub, tmp_path: Path, name: str) -> None:
    filled_hub.faults[name] = Fault("corrupt")
    error = refused(tmp_path, rf"{name} of tiny/code came twice with other content")
    assert "mirror or proxy" in error.hint
    assert filled_hub.fetched(name) == 2
    assert not (tmp_path / ".tiny.sources" / "code" / name).exists()
    # The listing may be what is wrong: the next call asks again.
    assert not (tmp_path / ".tiny.sources" / "code" / ".listing.json").exists()
    filled_hub.faults.clear()
    check(get(tmp_path), filled_hub)


def test_a_file_that_went_bad_between_two_calls_is_fetched_again(
    filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled_hub.faults["tokenizer.json"] = Fault("503")
    monkeypatch.setattr(hub_module, "PAUSES", ())
    refused(tmp_path, "could not fetch tokenizer")
    kept = tmp_path / ".tiny.sources" / "code" / "config.json"
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    filled_hub.faults.clear()
    check(get(tmp_path), filled_hub)


def test_a_wrong_revision_is_told_at_once(filled_hub: Hub, tmp_path: Path) -> None:
    wrong = duet_of(hub_source("tiny/code", "f" * 40), hub_source("tiny/text"))
    error = refused(tmp_path, f"tiny/code has no commit {'f' * 40}", wrong)
    assert "full hash of a commit" in error.hint
    assert len(filled_hub.requests) == 1


def test_an_unknown_repository_is_told_at_once(filled_hub: Hub, tmp_path: Path) -> None:
    wrong = duet_of(hub_source("tiny/none"), hub_source("tiny/text"))
    error = refused(tmp_path, "there is no tiny/none on the hub, or it is private", wrong)
    assert "HF_TOKEN" in error.hint
    assert len(filled_hub.requests) == 1


def test_a_gated_repository_says_what_to_do(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.gated.add("tiny/text")
    error = refused(tmp_path, "tiny/text is gated")
    assert "accept its terms" in error.hint
    assert "HF_TOKEN" in error.hint


def test_a_hub_that_is_not_there_is_told(filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    error = refused(tmp_path, r"could not fetch its list of files of tiny/code in 3 tries: ConnectError")
    assert "HF_ENDPOINT" in error.hint


def test_offline_a_complete_duet_needs_no_request(
    filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(tmp_path)
    filled_hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check(get(tmp_path), filled_hub)
    assert filled_hub.requests == []


def test_offline_what_is_fetched_but_not_converted_needs_no_request(
    filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(what: str, _done: int, _total: int) -> None:
        if what == "converting tiny-text":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(RECIPE, None, tmp_path, interrupt, False)
    filled_hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check(get(tmp_path), filled_hub)
    assert filled_hub.requests == []


def test_offline_an_incomplete_duet_is_told(filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled_hub.faults[WEIGHTS] = Fault("503")
    refused(tmp_path, "could not fetch")
    filled_hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    error = refused(tmp_path, rf"HF_HUB_OFFLINE is set, and {WEIGHTS} of tiny/code is not here yet")
    assert "unset HF_HUB_OFFLINE" in error.hint
    assert filled_hub.requests == []


def test_offline_an_absent_duet_is_told_by_a_fresh_process_too(filled_hub: Hub, tmp_path: Path) -> None:
    """The hub client reads its variables when it is imported, so this is another way through it."""
    code = (
        "import sys; from pathlib import Path; from fix_hub import *;"
        "from pgduet.encoding.store.install import install;"
        "install(duet_of(hub_source('tiny/code'), hub_source('tiny/text')), None, Path(sys.argv[1]), print, False)"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "StoreError: HF_HUB_OFFLINE is set, and its list of files of tiny/code is not here yet" in done.stderr
    assert filled_hub.requests == []


def test_weights_that_are_only_pickled_are_refused_before_anything_is_fetched(filled_hub: Hub, tmp_path: Path) -> None:
    del filled_hub.repos["tiny/code"][WEIGHTS]
    refused(tmp_path, r"tiny/code at 0123456789ab has its weights only as pickles \(pytorch_model\.bin\)")
    assert len(filled_hub.requests) == 1


def test_a_repository_without_a_tokenizer_file_is_refused(filled_hub: Hub, tmp_path: Path) -> None:
    del filled_hub.repos["tiny/code"]["tokenizer.json"]
    refused(tmp_path, r"has no tokenizer\.json, which the format 'transformers' needs")


def test_an_encoder_that_needs_its_own_code_is_refused_before_its_weights(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.repos["tiny/code"]["config.json"] = (
        b'{"model_type": "tiny_own", "auto_map": {"AutoModel": "modeling_tiny.TinyModel"}}'
    )
    refused(tmp_path, "tiny-code runs only with Python code of its own repository, which is never run")
    assert filled_hub.fetched(WEIGHTS) == 0
    assert filled_hub.fetched("modeling_tiny.py") == 0


def test_a_sharded_checkpoint_is_fetched_whole(filled_hub: Hub, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "sharded", 1, shard_size="20KB")
    whole = filled_hub.repos["tiny/code"]
    filled_hub.repos["tiny/code"] = contents(folder)
    stored = get(tmp_path / "models")
    shards = sorted((stored / "code").glob("model-0000?-of-0000?.safetensors"))
    assert len(shards) > 1
    assert (stored / "code" / "model.safetensors.index.json").is_file()
    filled_hub.repos["tiny/code"] = whole
    get(tmp_path / "whole")
    assert (stored / "references.npy").read_bytes() == (tmp_path / "whole/tiny/references.npy").read_bytes()


def test_a_sharded_checkpoint_that_lacks_a_shard_is_refused(filled_hub: Hub, tmp_path: Path) -> None:
    files = contents(write_checkpoint(tmp_path / "sharded", 1, shard_size="20KB"))
    lost = sorted(name for name in files if name.startswith("model-"))[0]
    del files[lost]
    filled_hub.repos["tiny/code"] = files
    refused(tmp_path / "models", f"tiny-code lacks the weights {lost}, which its index names")


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.sizes[WEIGHTS] = 10**17
    error = refused(tmp_path, r"[GT]B free and 200000\.0 TB are needed: 200000\.0 TB to fetch")
    assert "PGDUET_MODELS_DIR" in error.hint
    assert not [each for each in filled_hub.requests if "resolve" in each]


def test_another_licence_than_the_manifest_tells_is_shown(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.licences = {"tiny/code": "mit", "tiny/text": "apache-2.0"}
    said: list[str] = []
    get(tmp_path, said=said)
    assert "code: tiny-code, licence MIT" in said
    assert [each for each in said if "the hub says" in each] == [
        "tiny-text: its manifest says licence MIT, the hub says apache-2.0"
    ]


def test_an_interrupt_leaves_no_duet_and_can_be_repeated(filled_hub: Hub, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, _total: int) -> None:
        if what == "fetching tiny/text" and done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(RECIPE, None, tmp_path, interrupt, False)
    assert not (tmp_path / "tiny").exists()
    filled_hub.requests.clear()
    check(get(tmp_path), filled_hub)
    assert not [each for each in filled_hub.requests if "tiny/code" in each]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}'])
def test_a_note_that_was_cut_off_is_not_believed(filled_hub: Hub, tmp_path: Path, text: str) -> None:
    def interrupt(what: str, done: int, _total: int) -> None:
        if what == "fetching tiny/text" and done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(RECIPE, None, tmp_path, interrupt, False)
    (note,) = (tmp_path / ".tiny.sources").glob("code.json")
    note.write_text(text)
    check(get(tmp_path), filled_hub)


def test_a_listing_of_another_commit_is_not_taken_for_this_one(filled_hub: Hub, tmp_path: Path) -> None:
    source = hub_source("tiny/code")
    listing = hub_module.look(source, tmp_path, quiet)
    assert hub_module.look(source, tmp_path, quiet) == listing
    assert len(filled_hub.requests) == 1
    with pytest.raises(StoreError, match="has no commit"):
        hub_module.look(HubSource("tiny/code", "f" * 40, "transformers"), tmp_path, quiet)


def test_the_hub_is_asked_without_loading_torch() -> None:
    code = "import sys, pgduet.encoding.store.hub; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
