"""The mission's pair in small: Qwen2 beside jina v3 in its original layout and as ONNX, from manifest to vector."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fix_checkpoints import JINA_ADAPTER, JINA_TASKS, export_jina, jina_config, jina_tensors
from fix_hub import duet_of
from fix_qwen import reference
from pgduet.encoding.duet import Duet, load_duet
from pgduet.encoding.errors import SelfTestError
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.manifest import Golden, Manifest, Part, Role, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import import_file
from reference_jina import ReferenceJina

Floats = npt.NDArray[np.float32]
TEXTS = ["def add(a, b): return a + b", "x", "select * from t where a < b -- <|endoftext|> </s>", "for i in range(3)"]
PREFIX = {
    Role.DOCUMENT: "Represent the document for retrieval: ",
    Role.QUERY: "Represent the query for retrieving evidence documents: ",
}
WEIGHT = 0.3


def states(token_ids: tuple[int, ...], role: Role) -> Floats:
    """Run the independent jina with the adapter of a role."""
    model = ReferenceJina(jina_tensors(jina_config()), jina_config())
    ids = torch.tensor([token_ids])
    with torch.inference_mode():
        task = torch.tensor(JINA_TASKS.index(JINA_ADAPTER[role]))
        result: Floats = model(ids, torch.ones_like(ids), task)[0].numpy()
    return result


@pytest.fixture(scope="module")
def recipe(qwen2_folder: Path, original_jina: Path) -> Manifest:
    mission = parse_manifest(ready_made()["qodo-jina"], "qodo-jina.toml")
    tiny = duet_of(FolderSource(str(qwen2_folder), "transformers"), FolderSource(str(original_jina), "jina-v3"))
    code = replace(
        mission.code, source=tiny.code.source, width=64, max_tokens=40, weight=WEIGHT, prefix=dict.fromkeys(Role, "")
    )
    text = replace(
        mission.text, source=tiny.text.source, width=64, max_tokens=120, weight=1 - WEIGHT, restricted="", golden=()
    )
    return replace(mission, name="mission", dtype="float32", code=code, text=text)


@pytest.fixture(scope="module")
def duet(recipe: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Duet:
    return put(recipe, tmp_path_factory.mktemp("mission"))


def put(manifest: Manifest, folder: Path) -> Duet:
    path = folder / "duet.toml"
    path.write_text(to_toml(manifest))
    import_file(path, folder / "models", accept_licence=True)
    return load_duet(manifest.name, folder / "models")


def test_the_manifest_of_the_pair_uses_the_prefixes_of_its_authors(recipe: Manifest) -> None:
    assert recipe.text.prefix == PREFIX


@pytest.mark.parametrize("role", list(Role))
def test_a_vector_is_what_the_two_references_make_of_it(
    duet: Duet, recipe: Manifest, qwen2_folder: Path, role: Role
) -> None:
    tokens = duet.tokenise(TEXTS, role)
    own = duet.encode(tokens).embeddings
    code = reference(qwen2_folder, [token.code_ids for token in tokens])
    pooled = np.stack([states(token.text_ids, role).mean(axis=0) for token in tokens])
    text = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    seed = recipe.lift_seed
    expected = np.concatenate(
        [
            code @ lift_matrix(1536, 64, seed).T * np.float32(WEIGHT**0.5),
            text @ lift_matrix(1024, 64, seed).T * np.float32((1 - WEIGHT) ** 0.5),
        ],
        axis=1,
    )
    assert np.abs(own - expected).max() < 1e-5
    assert (own * expected).sum(axis=1).min() >= 0.999999


def test_roles_may_be_mixed_in_one_call_and_differ_in_the_text_half_alone(duet: Duet) -> None:
    document, query = (duet.tokenise(TEXTS, role) for role in Role)
    mixed = duet.encode([*document, *query]).embeddings
    apart = np.concatenate([duet.encode(document).embeddings, duet.encode(query).embeddings])
    assert np.abs(mixed - apart).max() < 1e-6
    a, b = np.split(mixed, 2)
    assert np.abs(a[:, :1536] - b[:, :1536]).max() < 1e-6
    assert ((a * b)[:, 1536:].sum(axis=1) / (1 - WEIGHT)).max() < 0.99


def test_the_fused_cosine_is_the_weighted_mean_of_the_cosines_of_the_halves(duet: Duet) -> None:
    tokens = duet.tokenise(TEXTS, Role.DOCUMENT)
    fused = duet.encode(tokens).embeddings
    code, text, finite = duet.halves(tokens)
    assert finite.all()
    assert np.abs(fused @ fused.T - (WEIGHT * code @ code.T + (1 - WEIGHT) * text @ text.T)).max() < 1e-6
    assert np.abs(fused @ fused.T - (code @ code.T + text @ text.T) / 2).max() > 1e-3


def test_one_half_alone_is_its_unit_vector_and_reads_nothing_for_the_other(duet: Duet) -> None:
    code, text, _ = duet.halves(duet.tokenise(TEXTS, Role.QUERY))
    for part, expected in ((Part.CODE, code), (Part.TEXT, text)):
        tokens = duet.tokenise(TEXTS, Role.QUERY, part)
        encoded = duet.encode(tokens, part)
        assert np.abs(encoded.embeddings - expected).max() < 1e-6
        assert encoded.sketches.shape == (len(TEXTS), 0)
        other = [token.text_ids if part is Part.CODE else token.code_ids for token in tokens]
        assert other == [()] * len(TEXTS)


def test_truncation_is_told_for_each_half(duet: Duet) -> None:
    (cut,) = duet.tokenise(["a " * 45], Role.DOCUMENT)
    assert (cut.code_truncated, cut.text_truncated, cut.truncated) == (True, False, True)
    assert len(cut.code_ids) == 40
    assert cut.code_ids[-1] == 151643
    assert cut.code_tokens > 45


@pytest.fixture
def golden(duet: Duet) -> Callable[..., Golden]:
    """Known states of a text, taken from the independent model; `off` is added to the last of them."""

    def make(role: Role, off: float = 0.0) -> Golden:
        text = "def add(a, b): return"
        (tokens,) = duet.text.tokenizer.encode([text])
        values = states(tokens.ids, role)[1:4, 1:4].copy()
        values[-1, -1] += off
        return Golden(role, text, 1, tuple(tuple(float(value) for value in row) for row in values))

    return make


def test_golden_values_of_the_true_weights_let_an_import_pass(
    recipe: Manifest, golden: Callable[..., Golden], tmp_path: Path
) -> None:
    text = replace(recipe.text, golden=(golden(Role.QUERY), golden(Role.DOCUMENT)))
    put(replace(recipe, text=text), tmp_path).self_test()


@pytest.mark.parametrize("wrong", ["adapter", "value"])
def test_golden_values_refuse_an_adapter_in_the_wrong_role_and_one_value_that_is_off(
    recipe: Manifest, golden: Callable[..., Golden], tmp_path: Path, wrong: str
) -> None:
    if wrong == "adapter":
        adapter = {Role.DOCUMENT: "retrieval.query", Role.QUERY: "retrieval.passage"}
        text = replace(recipe.text, golden=(golden(Role.QUERY),), adapter=adapter)
    else:
        text = replace(recipe.text, golden=(golden(Role.DOCUMENT, off=0.001),))
    with pytest.raises(SelfTestError, match="is not the authors'"):
        put(replace(recipe, text=text), tmp_path)
    assert not (tmp_path / "models" / "mission").exists()


@pytest.mark.slow
def test_bfloat16_is_another_fingerprint_with_nearly_the_same_vectors(
    duet: Duet, recipe: Manifest, golden: Callable[..., Golden], tmp_path: Path
) -> None:
    text = replace(recipe.text, golden=(golden(Role.QUERY), golden(Role.DOCUMENT)))
    small = put(replace(recipe, text=text, dtype="bfloat16"), tmp_path)
    assert small.fingerprint != duet.fingerprint
    small.self_test()
    for role in Role:
        own, full = (one.encode(one.tokenise(TEXTS, role)).embeddings for one in (small, duet))
        assert (own * full).sum(axis=1).min() >= 0.9995
        assert np.abs(own - full).max() > 1e-5
    with pytest.raises(SelfTestError, match="is not the authors'"):
        put(
            replace(recipe, name="off", dtype="bfloat16", text=replace(text, golden=(golden(Role.QUERY, off=0.4),))),
            tmp_path,
        )


@pytest.mark.slow
def test_the_onnx_file_of_the_repository_serves_as_the_text_half(
    duet: Duet, recipe: Manifest, original_jina: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "jina"
    (folder / "onnx").mkdir(parents=True)
    export_jina(folder / "onnx")
    (folder / "onnx" / "config.json").rename(folder / "config.json")
    shutil.copy(original_jina / "tokenizer.json", folder)
    source = FolderSource(str(folder), "onnx")
    by_onnx = put(replace(recipe, text=replace(recipe.text, source=source)), tmp_path)
    assert {path.name for path in (tmp_path / "models/mission/text").iterdir()} == {
        "config.json",
        "model.onnx",
        "model.onnx_data",
        "tokenizer.json",
    }
    by_onnx.self_test()
    assert by_onnx.fingerprint != duet.fingerprint
    vectors = {}
    for role in Role:
        own, folded = (one.encode(one.tokenise(TEXTS, role)).embeddings for one in (by_onnx, duet))
        assert np.abs(own - folded).max() < 1e-5
        vectors[role] = own
    assert np.abs(vectors[Role.QUERY] - vectors[Role.DOCUMENT]).max() > 1e-2
