import dataclasses

import pytest

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest, Role, parse_manifest, ready_made

SMALL = ready_made()["small"]


def small() -> Manifest:
    return parse_manifest(SMALL, "small.toml")


def test_small_is_described_as_documented() -> None:
    manifest = small()
    assert [(slot.encoder, slot.width, slot.slot_width, slot.max_tokens) for slot in manifest.slots] == [
        ("all-MiniLM-L6-v2", 384, 1536, 256),
        ("multilingual-e5-small", 384, 1024, 512),
    ]
    assert manifest.text.prefix == {Role.DOCUMENT: "passage: ", Role.QUERY: "query: "}
    assert manifest.code.prefix == {Role.DOCUMENT: "", Role.QUERY: ""}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('dtype = "float32"', 'dtype = "float8"', "`dtype` must hold one of 'float32'"),
        ('dtype = "float32"\n', "", "key `dtype` is missing"),
        ('dtype = "float32"', 'dtype = "float32"\ncolour = 1', "unknown key `colour`"),
        ('name = "small"', 'name = "../small"', "`name` must hold a name"),
        ("max_tokens = 256", 'max_tokens = "256"', r"\[code\]: key `max_tokens` must hold a whole number"),
        ("max_tokens = 256", "max_tokens = true", r"\[code\]: key `max_tokens` must hold a whole number"),
        ("width = 384", "width = 4096", r"\[code\]: key `width` must hold a whole number from 1 to 1536"),
        ("weight = 0.5", "weight = 0.6", "must sum to 1"),
        ("weight = 0.5", "weight = nan", "a number from 0 to 1"),
        ('"config.json" = "953f', '"../config.json" = "953f', r"\[code\]: key `files` must hold a table of file names"),
        ('"config.json" = "953f', '"config.json" = "95', r"\[code\]: key `files` must hold a table of file names"),
        ('document = "passage: ", ', "", r"\[text\] \[prefix\]: key `document` is missing"),
        ('kind = "package"', 'kind = "ftp"', r"\[source\]: key `kind` must hold one of 'package'"),
        ('name = "small"', "name = ", "is not TOML"),
    ],
)
def test_a_malformed_manifest_is_refused_naming_the_key(old: str, new: str, said: str) -> None:
    assert old in SMALL
    with pytest.raises(ManifestError, match=said):
        parse_manifest(SMALL.replace(old, new, 1), "small.toml")


def test_every_ingredient_that_moves_a_vector_changes_the_fingerprint() -> None:
    manifest = small()
    code, text = manifest.code, manifest.text
    changed = [
        dataclasses.replace(manifest, lift_seed=1),
        dataclasses.replace(manifest, sketch_seed=1),
        dataclasses.replace(manifest, dtype="bfloat16"),
        dataclasses.replace(manifest, code=dataclasses.replace(code, weight=0.4)),
        dataclasses.replace(manifest, code=dataclasses.replace(code, max_tokens=128)),
        dataclasses.replace(manifest, code=dataclasses.replace(code, pooling="last")),
        dataclasses.replace(manifest, code=dataclasses.replace(code, width=383)),
        dataclasses.replace(manifest, text=dataclasses.replace(text, prefix={**text.prefix, Role.QUERY: ""})),
        dataclasses.replace(manifest, text=dataclasses.replace(text, files={**text.files, "config.json": "0" * 64})),
    ]
    fingerprints = {fingerprint_of(each) for each in [manifest, *changed]}
    assert len(fingerprints) == len(changed) + 1


def test_words_about_a_duet_do_not_change_its_fingerprint() -> None:
    manifest = small()
    assert fingerprint_of(dataclasses.replace(manifest, summary="other", name="other")) == fingerprint_of(manifest)
