"""Licences that allow no commercial use ask for a yes, wherever they are told, before anything is fetched."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from fix_hub import Hub, duet_of, hub_source, slot
from fix_store import add
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store import licence
from pgduet.encoding.store.layout import checked_manifest
from pgduet.encoding.store.report import quiet

NOWHERE = FolderSource("nowhere", "transformers")


def folders(**changes: Any) -> Manifest:
    return duet_of(FolderSource("code", "transformers"), FolderSource("text", "transformers"), **changes)


@pytest.mark.parametrize("name", ["CC BY-NC 4.0", "cc-by-nc-sa-4.0", "CC-BY-NC", "PolyForm Noncommercial 1.0.0"])
def test_a_manifest_with_such_a_licence_asks_without_a_word_on_restrictions(tmp_path: Path, name: str) -> None:
    manifest = duet_of(NOWHERE, NOWHERE, licence=name)
    with pytest.raises(StoreError, match=f"tiny-text is licensed as {name}: not for commercial use") as caught:
        add(tmp_path, manifest)
    assert "--accept-license" in caught.value.hint
    with pytest.raises(StoreError, match="nowhere of the encoder tiny-code is not there"):
        add(tmp_path, manifest, accept=True)


@pytest.mark.parametrize("name", ["MIT", "Apache-2.0", "NCSA", "cc-by-4.0", "BSD-3-Clause", "incl. patents", ""])
def test_a_free_licence_asks_for_nothing(name: str) -> None:
    licence.require(duet_of(NOWHERE, NOWHERE, licence=name), False)
    licence.compare(slot("code", NOWHERE), name, "the hub", False, quiet)


def test_a_hub_that_tells_such_a_licence_asks_before_anything_is_fetched(filled_hub: Hub, tmp_path: Path) -> None:
    filled_hub.licences = {"tiny/code": "apache-2.0", "tiny/text": "cc-by-nc-4.0"}
    recipe = duet_of(hub_source("tiny/code"), hub_source("tiny/text"))
    with pytest.raises(StoreError, match=r"tiny-text is licensed as cc-by-nc-4\.0, says the hub") as caught:
        add(tmp_path, recipe)
    assert "--accept-license" in caught.value.hint
    assert not [each for each in filled_hub.requests if "resolve" in each]
    # The listing is here now: it still asks.
    with pytest.raises(StoreError, match="says the hub"):
        add(tmp_path)
    said: list[str] = []
    checked_manifest(add(tmp_path, said=said, accept=True))
    assert [each for each in said if "the hub says" in each] == [
        "tiny-code: its manifest says licence MIT, the hub says apache-2.0",
        "tiny-text: its manifest says licence MIT, the hub says cc-by-nc-4.0",
    ]
    # Once said, it is not asked again for what is there.
    add(tmp_path)


def test_the_model_card_of_a_folder_asks_as_a_hub_does(checkpoints: tuple[Path, Path], tmp_path: Path) -> None:
    for source in checkpoints:
        shutil.copytree(source, tmp_path / "mine" / source.name)
    card = tmp_path / "mine" / "text" / "README.md"
    card.write_text("---\ntags:\n- x\nlicense: cc-by-nc-4.0\n---\n# Tiny\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"tiny-text is licensed as cc-by-nc-4\.0, says its model card"):
        add(tmp_path, folders())
    assert not (tmp_path / "models" / "tiny").exists()
    checked_manifest(add(tmp_path, accept=True))


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ('---\r\nlicense: "cc-by-nc-4.0"\r\n---\r\n', "cc-by-nc-4.0"),
        ("---\nlicense:\n- mit\n- cc-by-nc-4.0\nlanguage:\n- en\n---\n", "mit cc-by-nc-4.0"),
        ("---\nlicense: [mit, cc-by-nc-4.0]\n---\n", "mit cc-by-nc-4.0"),
        ("---\nlicense: other\nlicense_name: tiny-noncommercial\n---\n", "tiny-noncommercial"),
        ("---\nlanguage: en\n---\nlicense: mit\n", ""),
        ("# Tiny\nlicense: mit\n", ""),
    ],
)
def test_the_licence_is_read_off_the_head_of_a_model_card(tmp_path: Path, card: str, told: str) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())
    assert licence.told_by_card(tmp_path) == told


def test_a_folder_without_a_card_tells_nothing(tmp_path: Path) -> None:
    assert licence.told_by_card(tmp_path) == ""
