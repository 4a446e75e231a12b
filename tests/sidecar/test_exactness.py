"""The duet's halves against the two libraries everybody else would use."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoModel, AutoTokenizer

from pgduet.encoding import Duet, Role, load_duet
from pgduet.encoding.duet import Encoded
from pgduet.encoding.engines import TORCH_ON_CPU
from pgduet.encoding.errors import SelfTestError
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.manifest import Manifest, Part, Slot, read_manifest
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.torch_model import TorchModel

Floats = npt.NDArray[np.float32]
TEXTS = [
    "def add(a, b):\n    return a + b\n",
    "parse a date",
    "SELECT name, größe FROM artikel WHERE preis < 10 ORDER BY 2;",
    "résumé ﬁle № ½ — 日本語のコメント // наклейка",
    "x",
    "for (int i = 0; i < n; ++i) {\n\ttotal += values[i] * weights[i];\n}\n" * 30,
]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(duet_folder("small") / MANIFEST)


def encode(duet: Duet, texts: list[str], role: Role = Role.DOCUMENT) -> Encoded:
    return duet.encode(duet.tokenise(texts, role))


def half(duet: Duet, manifest: Manifest, slot: Slot, role: Role) -> Floats:
    """Take one half out of the fused vectors, in the encoder's own width."""
    start = 0 if slot is manifest.code else manifest.code.slot_width
    lifted = encode(duet, TEXTS, role).embeddings[:, start : start + slot.slot_width] / slot.weight**0.5
    own: Floats = lifted @ lift_matrix(slot.slot_width, slot.width, manifest.lift_seed)
    return own


def by_transformers(folder: Path, slot: Slot, texts: list[str]) -> Floats:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    rows = []
    for text in texts:
        inputs = tokenizer(text, return_tensors="pt", truncation=True, padding=False, max_length=slot.max_tokens)
        with torch.inference_mode():
            states = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
        rows.append(torch.nn.functional.normalize(states[0].mean(dim=0), dim=0).numpy())
    return np.stack(rows)


def by_sentence_transformers(folder: Path, slot: Slot, texts: list[str]) -> Floats:
    transformer = Transformer(str(folder), max_seq_length=slot.max_tokens)
    model = SentenceTransformer(modules=[transformer, Pooling(slot.width, "mean"), Normalize()], device="cpu")
    vectors: Floats = model.encode(texts, batch_size=3, show_progress_bar=False)
    return vectors


Reference = Callable[[Path, Slot, list[str]], Floats]


@pytest.mark.parametrize("reference", [by_transformers, by_sentence_transformers])
@pytest.mark.parametrize(("name", "role"), [("code", Role.DOCUMENT), ("text", Role.DOCUMENT), ("text", Role.QUERY)])
def test_a_half_equals_the_reference_library(
    duet: Duet, manifest: Manifest, name: str, role: Role, reference: Reference
) -> None:
    slot = manifest.code if name == "code" else manifest.text
    expected = reference(duet_folder("small") / name, slot, [slot.prefix[role] + text for text in TEXTS])
    actual = half(duet, manifest, slot, role)
    assert (expected * actual).sum(axis=1).min() >= 0.999999
    assert np.abs(expected - actual).max() < 1e-5


def test_a_vector_does_not_depend_on_its_batch_mates(duet: Duet) -> None:
    together = encode(duet, TEXTS).embeddings
    alone = np.concatenate([encode(duet, [text]).embeddings for text in TEXTS])
    reordered = encode(duet, TEXTS[::-1]).embeddings[::-1]
    for other in (alone, reordered):
        assert (together * other).sum(axis=1).min() >= 0.999999
        assert np.abs(together - other).max() < 1e-6


def test_texts_that_are_encoded_between_two_passes_change_nothing(duet: Duet) -> None:
    asked = duet.tokenise(["parse a date"], Role.QUERY)
    alone = duet.encode(asked).embeddings
    documents = duet.tokenise(TEXTS * 3, Role.DOCUMENT)
    between: list[Floats] = []
    found = duet.encode(documents, before_pass=lambda: between.append(duet.encode(asked).embeddings))
    # The long text fills a pass alone, three times in each half.
    assert len(between) >= 6
    assert all(np.array_equal(each, alone) for each in between)
    assert np.array_equal(found.embeddings, duet.encode(documents).embeddings)


def test_vectors_have_unit_length_and_a_sketch(duet: Duet) -> None:
    encoded = encode(duet, TEXTS, Role.QUERY)
    assert encoded.embeddings.shape == (len(TEXTS), duet.width)
    assert encoded.embeddings.dtype == np.float32
    assert np.abs(np.linalg.norm(encoded.embeddings, axis=1) - 1).max() < 1e-6
    assert encoded.sketches.shape == (len(TEXTS), duet.width // 8)
    assert encoded.finite.all()


def test_whole_texts_are_counted_and_truncation_is_told(duet: Duet) -> None:
    short, long = duet.tokenise(["def f(): pass", "value " * 300], Role.DOCUMENT)
    assert (short.code_truncated, short.text_truncated, short.truncated) == (False, False, False)
    # 300 words, the frame, and in the text half the prefix "passage: " of two tokens.
    assert (long.code_tokens, long.text_tokens, long.truncated) == (302, 304, True)
    assert (len(long.code_ids), len(long.text_ids)) == (256, 304)
    assert (long.code_truncated, long.text_truncated) == (True, False)


def test_markers_in_code_are_text(duet: Duet) -> None:
    (tokens,) = duet.tokenise(["[SEP] [CLS] [MASK] </s> <s> <mask> <pad>"], Role.QUERY)
    assert not {0, 100, 101, 102, 103} & set(tokens.code_ids[1:-1])
    assert not {0, 1, 2, 3, 250001} & set(tokens.text_ids[1:-1])


def test_tokens_know_what_they_are_for(duet: Duet) -> None:
    for role in Role:
        assert [tokens.role for tokens in duet.tokenise(["x", "y"], role)] == [role, role]


@pytest.mark.parametrize(("part", "width"), [(Part.CODE, 1536), (Part.TEXT, 1024)])
def test_one_half_alone_is_what_that_half_adds_to_the_pair(
    duet: Duet, manifest: Manifest, part: Part, width: int
) -> None:
    slot = manifest.code if part is Part.CODE else manifest.text
    start = 0 if part is Part.CODE else manifest.code.slot_width
    fused = encode(duet, TEXTS, Role.QUERY).embeddings[:, start : start + width]
    encoded = duet.encode(duet.tokenise(TEXTS, Role.QUERY, part), part)
    assert encoded.embeddings.shape == (len(TEXTS), width) == (len(TEXTS), duet.width_of(part))
    assert encoded.embeddings.dtype == np.float32
    assert encoded.sketches.shape == (len(TEXTS), 0)
    assert encoded.finite.all()
    assert np.abs(np.linalg.norm(encoded.embeddings, axis=1) - 1).max() < 1e-6
    assert np.abs(encoded.embeddings * slot.weight**0.5 - fused).max() < 1e-6


@pytest.mark.parametrize("part", [Part.CODE, Part.TEXT])
def test_a_half_that_is_not_asked_for_is_not_tokenised(duet: Duet, part: Part) -> None:
    (both,) = duet.tokenise(["value " * 600], Role.DOCUMENT)
    (one,) = duet.tokenise(["value " * 600], Role.DOCUMENT, part)
    code, text = (
        (one.code_ids, one.code_tokens, one.code_truncated),
        (one.text_ids, one.text_tokens, one.text_truncated),
    )
    asked, other = (code, text) if part is Part.CODE else (text, code)
    assert other == ((), 0, False)
    whole = (both.code_ids, both.code_tokens) if part is Part.CODE else (both.text_ids, both.text_tokens)
    assert asked == (*whole, True)


def test_halves_are_the_unit_vectors_of_both_encoders(duet: Duet, manifest: Manifest) -> None:
    code, text, finite = duet.halves(duet.tokenise(TEXTS, Role.QUERY))
    assert finite.all()
    assert (code.shape, text.shape) == ((len(TEXTS), 1536), (len(TEXTS), 1024))
    fused = np.concatenate([code * duet.weights[0] ** 0.5, text * duet.weights[1] ** 0.5], axis=1)
    assert np.abs(fused - encode(duet, TEXTS, Role.QUERY).embeddings).max() < 1e-6


@pytest.mark.slow
def test_bfloat16_stays_close_to_float32(duet: Duet, manifest: Manifest) -> None:
    coarse = Duet(dataclasses.replace(manifest, dtype="bfloat16"), duet_folder("small"))
    assert coarse.fingerprint != duet.fingerprint
    tokens = duet.tokenise(TEXTS, Role.DOCUMENT)
    for fine, rough in zip(duet.halves(tokens)[:2], coarse.halves(tokens)[:2], strict=True):
        # Below one, or it was not bfloat16 that ran.
        assert 0.9995 <= (fine * rough).sum(axis=1).min() < 0.999999


@pytest.mark.parametrize(("part", "width"), [(Part.BOTH, 2560), (Part.CODE, 1536), (Part.TEXT, 1024)])
def test_no_texts_give_no_vectors(duet: Duet, part: Part, width: int) -> None:
    encoded = duet.encode(duet.tokenise([], Role.DOCUMENT, part), part)
    assert encoded.embeddings.shape == (0, width)
    assert encoded.sketches.shape == (0, 320 if part is Part.BOTH else 0)


def test_the_self_test_passes(duet: Duet) -> None:
    duet.self_test()


@pytest.fixture(scope="module")
def in_torch(duet: Duet) -> Duet:
    """The same duet run by torch, whose weights can be changed."""
    return load_duet(duet.name, runtime=TORCH_ON_CPU)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.99, 0.01)])
def test_the_self_test_finds_one_layer_that_is_off_whatever_its_half_weighs(
    in_torch: Duet, monkeypatch: pytest.MonkeyPatch, weights: tuple[float, float]
) -> None:
    monkeypatch.setattr(in_torch, "weights", weights)
    model = in_torch.text.encoders[Role.DOCUMENT].model
    assert isinstance(model, TorchModel)
    weight = model.module.get_parameter("encoder.layer.5.output.dense.weight")
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight.mul_(1.05)
        with pytest.raises(SelfTestError, match="are off"):
            in_torch.self_test()
    finally:
        with torch.no_grad():
            weight.copy_(before)
    in_torch.self_test()
