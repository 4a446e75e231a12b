import dataclasses

import pytest

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest, Role, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource, HubSource

SMALL = ready_made()["small"]
JINA = ready_made()["qodo-jina"]


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
        dataclasses.replace(manifest, code=dataclasses.replace(code, pooling="cls")),
        dataclasses.replace(manifest, code=dataclasses.replace(code, attention="causal")),
        dataclasses.replace(manifest, code=dataclasses.replace(code, attention="bidirectional")),
        dataclasses.replace(manifest, code=dataclasses.replace(code, end="<|endoftext|>")),
        dataclasses.replace(manifest, code=dataclasses.replace(code, adapter=dict.fromkeys(Role, "a"))),
        dataclasses.replace(manifest, code=dataclasses.replace(code, width=383)),
        dataclasses.replace(manifest, text=dataclasses.replace(text, prefix={**text.prefix, Role.QUERY: ""})),
        dataclasses.replace(manifest, text=dataclasses.replace(text, files={**text.files, "config.json": "0" * 64})),
    ]
    fingerprints = {fingerprint_of(each) for each in [manifest, *changed]}
    assert len(fingerprints) == len(changed) + 1


def test_words_about_a_duet_do_not_change_its_fingerprint() -> None:
    manifest = small()
    moved = dataclasses.replace(manifest.code, source=FolderSource("/elsewhere", "transformers"), licence="other")
    other = dataclasses.replace(manifest, summary="other", name="other", references="0" * 64, code=moved)
    assert fingerprint_of(other) == fingerprint_of(manifest)


def test_the_fingerprint_of_small_is_the_one_that_databases_hold() -> None:
    assert fingerprint_of(small()) == "7ecc7aad5cf7e221"


@pytest.mark.parametrize("name", sorted(ready_made()))
def test_a_ready_made_manifest_is_named_as_its_file_and_survives_writing(name: str) -> None:
    manifest = parse_manifest(ready_made()[name], name)
    assert manifest.name == name
    assert parse_manifest(to_toml(manifest), name) == manifest


def test_a_recipe_has_no_fingerprint_before_its_files_are_known() -> None:
    with pytest.raises(ManifestError, match="has no fingerprint before its files are known"):
        fingerprint_of(parse_manifest(JINA, "qodo-jina.toml"))


def test_the_mission_pair_is_described_as_its_authors_run_it() -> None:
    code, text = parse_manifest(JINA, "qodo-jina.toml").slots
    assert (code.width, code.pooling, code.attention, code.end) == (1536, "last", "auto", "<|endoftext|>")
    assert (text.width, text.pooling, text.end) == (1024, "mean", "")
    assert text.adapter == {Role.DOCUMENT: "retrieval.passage", Role.QUERY: "retrieval.query"}
    assert text.prefix == {
        Role.DOCUMENT: "Represent the document for retrieval: ",
        Role.QUERY: "Represent the query for retrieving evidence documents: ",
    }
    assert "commercially" in text.restricted
    assert not code.restricted
    assert isinstance(code.source, HubSource)
    assert {golden.role: golden.values[0] for golden in text.golden} == {
        Role.QUERY: (-1.9765, 0.7356, -0.4414),
        Role.DOCUMENT: (-1.7028, 0.5688, -0.8541),
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('attention = "auto"', 'attention = "sideways"', "`attention` must hold one of 'auto', 'causal'"),
        ('"84bbef079b32e8823ec226d4e9e92902706b0eb6"', '"main"', "the full hash of a commit, 40 hexadecimal digits"),
        ('repo = "Qodo/Qodo-Embed-1-1.5B"', 'repo = "../x"', "the id of a repository"),
        ("token = 1", "token = -1", r"\[golden 1\]: key `token` must hold a whole number"),
        ("values = [[-1.9765,", "values = [[1.0], [-1.9765,", "a list of lists of numbers, all of one length"),
        ('role = "query"', 'role = "reader"', r"\[golden 1\]: key `role` must hold one of 'document', 'query'"),
        ('format = "jina-v3"', 'format = "transformers"', "'transformers' has no adapters"),
        ("adapter = {", "adaptor = {", "unknown key `adaptor`"),
    ],
)
def test_a_malformed_recipe_is_refused_naming_the_key(old: str, new: str, said: str) -> None:
    assert old in JINA
    with pytest.raises(ManifestError, match=said):
        parse_manifest(JINA.replace(old, new, 1), "qodo-jina.toml")


def test_jina_v3_without_adapters_is_refused() -> None:
    lines = [line for line in JINA.splitlines() if not line.startswith("adapter")]
    with pytest.raises(ManifestError, match="needs a table `adapter`"):
        parse_manifest("\n".join(lines), "qodo-jina.toml")
