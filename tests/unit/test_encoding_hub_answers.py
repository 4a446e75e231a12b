"""What answers instead of a hub, and settings that no request can be made of."""

import json
from pathlib import Path

import pytest

from fix_hub import REVISION, Hub, hub_source
from pgduet.encoding.errors import StoreError
from pgduet.encoding.store import hub as hub_module
from pgduet.encoding.store.hub_errors import briefly, gave_up
from pgduet.encoding.store.listing import read_listing
from pgduet.encoding.store.report import quiet

SOURCE = hub_source("tiny/code")
LISTING = ".listing.json"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAUSES", ())


def look_fails(folder: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        hub_module.look(SOURCE, folder, quiet)
    assert not (folder / LISTING).exists()
    return caught.value


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"<html>log in</html>", "something else"),
        (b"\xff\xfe", "something else"),
        (b'{"error": "x"}', "something else"),
        (b"[]", "something else"),
        (b'{"id": "tiny/code", "sha": "%s"}' % REVISION.encode(), "it listed no files"),
        (
            b'{"id": "tiny/code", "sha": "%s", "siblings": [{"rfilename": "a"}]}' % REVISION.encode(),
            "no size or no hash of a",
        ),
    ],
)
def test_an_answer_of_something_else_than_a_hub_is_told(hub: Hub, tmp_path: Path, answer: bytes, why: str) -> None:
    hub.answer = answer
    error = look_fails(tmp_path)
    assert str(error).startswith("what answers at HF_ENDPOINT is not a model hub")
    assert why in str(error)
    assert "check HF_ENDPOINT" in error.hint


@pytest.mark.parametrize(
    "address", ["http://[bad", "127.0.0.1:9", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://a..b"]
)
def test_an_endpoint_that_is_no_address_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    error = look_fails(tmp_path)
    assert "HF_ENDPOINT" in f"{error} {error.hint}"
    assert hub.requests == []


@pytest.mark.parametrize("token", ["hf_tökén", "hf_\x0bsecret"])
def test_a_token_that_cannot_be_sent_is_told_and_not_shown(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    error = look_fails(tmp_path)
    assert str(error).startswith("HF_TOKEN or HF_ENDPOINT cannot be used")
    assert "secret" not in f"{error} {error.hint}"
    assert error.__cause__ is None
    assert hub.requests == []


def test_neither_password_nor_token_is_ever_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    error = OSError("cannot reach 'https://me:p@ss@hub.example/x' with hf_secret")
    for text in (str(gave_up(error, SOURCE, "x.json", 5)), briefly(error)):
        assert "cannot reach 'https://hub.example/x' with ***" in text
    monkeypatch.setenv("HF_ENDPOINT", "htp://me:p@ss@hub.example")
    with pytest.raises(StoreError, match=r"^HF_ENDPOINT cannot be used: 'htp://hub\.example' is not an address$"):
        hub_module.look(SOURCE, Path("absent"), quiet)


def test_a_listing_of_another_endpoint_is_not_used(
    filled_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_module.look(SOURCE, tmp_path, quiet)
    monkeypatch.setenv("HF_ENDPOINT", filled_hub.endpoint + "/")
    assert hub_module.look(SOURCE, tmp_path, quiet) == read_listing(tmp_path / LISTING, SOURCE)
    assert len(filled_hub.requests) == 1
    monkeypatch.setenv("HF_ENDPOINT", filled_hub.endpoint.replace("127.0.0.1", "me:secret@localhost"))
    assert read_listing(tmp_path / LISTING, SOURCE) is None
    hub_module.look(SOURCE, tmp_path, quiet)
    assert len(filled_hub.requests) == 2
    assert "secret" not in (tmp_path / LISTING).read_text()
    assert read_listing(tmp_path / LISTING, SOURCE) is not None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "{}", "\udcff"])
def test_a_damaged_listing_is_none(filled_hub: Hub, tmp_path: Path, damage: str) -> None:
    listing = hub_module.look(SOURCE, tmp_path, quiet)
    (tmp_path / LISTING).write_text(damage, errors="surrogateescape")
    assert read_listing(tmp_path / LISTING, SOURCE) is None
    assert hub_module.look(SOURCE, tmp_path, quiet) == listing
    assert len(filled_hub.requests) == 2


@pytest.mark.parametrize("key", ["endpoint", "repo", "files", "licence", "blob"])
def test_a_listing_that_lacks_a_key_is_none(filled_hub: Hub, tmp_path: Path, key: str) -> None:
    hub_module.look(SOURCE, tmp_path, quiet)
    kept = json.loads((tmp_path / LISTING).read_text())
    (kept["files"][0] if key == "blob" else kept).pop(key)
    (tmp_path / LISTING).write_text(json.dumps(kept))
    assert read_listing(tmp_path / LISTING, SOURCE) is None
