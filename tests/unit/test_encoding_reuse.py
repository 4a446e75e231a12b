"""What is fetched again and what is not, and what an interrupted import of something else may leave behind."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fix_checkpoints import JINA_ADAPTER, jina_config, write_native_jina
from fix_hub import Hub, contents, duet_of, hub_source, write_checkpoint
from fix_store import add, write
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.formats.conversion import names_in
from pgduet.encoding.manifest import Manifest
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store.install import import_file
from pgduet.encoding.store.layout import Place, checked_manifest
from pgduet.encoding.store.reuse import stored_alike

RECIPE = duet_of(hub_source("tiny/code"), hub_source("tiny/text"))


@pytest.fixture
def home(filled_hub: Hub, tmp_path: Path) -> Path:
    """A user's folder with the duet of both repositories in its store; the requests so far are forgotten."""
    add(tmp_path, RECIPE)
    filled_hub.requests.clear()
    return tmp_path


def stop(home: Path, manifest: Manifest, before: str) -> None:
    """Import `manifest` until `before` is reported, then interrupt."""

    def interrupt(what: str, _done: int, _total: int) -> None:
        if what == before:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(write(home / "mine", manifest), home / "models", interrupt)


def test_only_the_damaged_half_is_fetched_again(home: Path, filled_hub: Hub) -> None:
    (home / "models/tiny/text/model.safetensors").unlink()
    checked_manifest(add(home))
    assert not [each for each in filled_hub.requests if "tiny/code" in each]
    assert filled_hub.fetched("model.safetensors") == 1


def test_a_changed_weight_needs_nothing_fetched_again(home: Path, filled_hub: Hub) -> None:
    first = checked_manifest(home / "models/tiny")
    code, text = replace(RECIPE.code, weight=0.25), replace(RECIPE.text, weight=0.75)
    second = checked_manifest(add(home, replace(RECIPE, code=code, text=text), other=True))
    assert filled_hub.requests == []
    assert (second.code.weight, second.code.files) == (0.25, first.code.files)
    assert fingerprint_of(second) != fingerprint_of(first)


def test_a_duet_of_another_name_shares_the_files_of_the_same_encoders(home: Path, filled_hub: Hub) -> None:
    (home / "models" / "newer").mkdir()
    (home / "models" / "newer" / "duet.toml").write_text("layers = 3\n")
    folder = add(home, replace(RECIPE, name="again", summary="One word changed"))
    assert filled_hub.requests == []
    checked_manifest(folder)
    assert (folder / "text/model.safetensors").samefile(home / "models/tiny/text/model.safetensors")
    stored = checked_manifest(home / "models/tiny")
    pinned = replace(stored, name="pinned", references="", code=replace(stored.code, source=hub_source("gone/gone")))
    checked_manifest(add(home, pinned))
    assert filled_hub.requests == []


def test_a_damaged_encoder_of_another_name_is_not_shared(home: Path, filled_hub: Hub) -> None:
    (home / "models/tiny/text/tokenizer.json").write_text("{}")
    checked_manifest(add(home, replace(RECIPE, name="again")))
    assert filled_hub.fetched("model.safetensors") == 1


def test_only_an_encoder_of_the_same_recipe_is_shared(home: Path) -> None:
    place = Place(home / "models", "again")

    def found(dtype: str = "float32", **changes: object) -> list[Path]:
        return [folder for _, folder in stored_alike(replace(RECIPE.text, **changes), dtype, place)]  # type: ignore[arg-type]

    assert found() == found("bfloat16") == [home / "models/tiny/text"]
    assert found(slot="code") == [home / "models/tiny/text"]
    assert found(source=hub_source("tiny/text", "f" * 40)) == []
    assert found(source=hub_source("tiny/text", form="jina-v3")) == []
    assert found(adapter=JINA_ADAPTER) == []
    assert found(files={"config.json": "0" * 64}) == []


def test_adapters_are_folded_anew_for_another_type_of_numbers_and_package_hashes_are_held_to(home: Path) -> None:
    path = home / "models/tiny/duet.toml"
    stored = checked_manifest(path.parent)
    package = PackageSource("tiny-weights", "1.0", "model", "transformers", {"config.json": "0" * 64})
    text = replace(stored.text, source=hub_source("tiny/jina", form="jina-v3"), adapter=JINA_ADAPTER)
    write(path.parent, replace(stored, code=replace(stored.code, source=package), text=text))
    place = Place(home / "models", "again")
    for dtype, count in (("float32", 1), ("bfloat16", 0)):
        assert len(list(stored_alike(replace(text, files={}), dtype, place))) == count
    for files, count in (({}, 1), (package.files, 1), ({"config.json": "1" * 64}, 0)):
        wanted = replace(stored.code, source=replace(package, files=files), files={})
        assert len(list(stored_alike(wanted, "float32", place))) == count


def test_what_an_interrupted_import_of_another_repository_left_is_not_used(filled_hub: Hub, tmp_path: Path) -> None:
    sharded = contents(write_checkpoint(tmp_path / "sharded", 7, "20KB"))
    filled_hub.repos["tiny/sharded"] = {name: sharded[name] for name in sharded if name != "tokenizer_config.json"}
    assert "model.safetensors" not in sharded
    stop(tmp_path, RECIPE, "converting tiny-code")
    assert (tmp_path / "models/.tiny.sources/code/model.safetensors").is_file()
    recipe = duet_of(hub_source("tiny/sharded"), hub_source("tiny/text"))
    stop(tmp_path, recipe, "fetching tiny/sharded")
    assert names_in(tmp_path / "models/.tiny.sources/code") == []
    stored = checked_manifest(add(tmp_path, recipe))
    assert set(stored.code.files) == set(filled_hub.repos["tiny/sharded"])
    for name, content in filled_hub.repos["tiny/sharded"].items():
        assert (tmp_path / "models/tiny/code" / name).read_bytes() == content


def nested(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("left_by", ["another repository", "somebody else"])
def test_adapters_that_the_repository_does_not_have_are_not_folded_in(hub: Hub, tmp_path: Path, left_by: str) -> None:
    native = write_native_jina(tmp_path / "native")
    hub.repos["tiny/jina"] = nested(native)
    hub.repos["tiny/fewer"] = {name: data for name, data in nested(native).items() if "retrieval_query" not in name}
    hub.repos["tiny/code"] = contents(write_checkpoint(tmp_path / "code", 1))
    jina, fewer = (
        duet_of(
            hub_source("tiny/code"),
            hub_source(f"tiny/{name}", form="jina-v3"),
            width=jina_config()["hidden_size"],
            adapter=JINA_ADAPTER,
        )
        for name in ("jina", "fewer")
    )
    left = tmp_path / "models/.tiny.sources/text/retrieval_query"
    if left_by == "another repository":
        stop(tmp_path, jina, "converting tiny-text")
    else:
        stop(tmp_path, fewer, "converting tiny-text")
        shutil.copytree(native / "retrieval_query", left)
    assert left.is_dir()
    with pytest.raises(WeightsError, match="retrieval_query"):
        add(tmp_path, fewer)
