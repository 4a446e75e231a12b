"""Decoders as encoders, on small random checkpoints; each test of a trap also springs it, to show it would tell."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoModel, dynamic_module_utils

from fix_qwen import WIDTH, Floats, reference, save, variant
from fix_tokenizers import QWEN_END, Qwen
from pgduet.encoding.architecture import resolve_attention
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.fusion import fuse
from pgduet.encoding.tokenizer import TextTokenizer
from pgduet.encoding.torch_model import TorchModel

END = "<|endoftext|>"
LIMIT = 24
TEXTS = [
    "def add(a, b):\n    return a + b\n",
    "parse a date",
    "x",
    "SELECT name, größe FROM artikel WHERE preis < 10;",
    "for (int i = 0; i < n; ++i) {\n\ttotal += values[i] * weights[i];\n}\n" * 3,
]
KINDS = ["qwen2", "qwen3"]
MODES = ["causal", "bidirectional"]
SAME, OTHER = 0.999999, 0.95
Encoders = dict[tuple[str, str], Encoder]
Ids = list[tuple[int, ...]]


def cosines(left: Floats, right: Floats) -> Floats:
    found: Floats = (left * right).sum(axis=1)
    return found


def assert_same(left: Floats, right: Floats) -> None:
    assert cosines(left, right).min() >= SAME
    assert np.abs(left - right).max() < 1e-5


@pytest.fixture(scope="session")
def tokenizer(qwen: Qwen) -> TextTokenizer:
    return TextTokenizer(qwen.plain, LIMIT, end=END)


@pytest.fixture(scope="session")
def sequences(tokenizer: TextTokenizer) -> Ids:
    """Ids of the texts; the last one is cut."""
    halves = tokenizer.encode(TEXTS)
    assert [half.count > LIMIT for half in halves] == [False, False, False, False, True]
    return [half.ids for half in halves]


@pytest.fixture(scope="session")
def bare(qwen: Qwen) -> Ids:
    """Ids of the texts as the file gives them, without an end."""
    return [half.ids for half in TextTokenizer(qwen.plain, LIMIT).encode(TEXTS)]


@pytest.fixture(scope="session")
def folders(qwen2_folder: Path, qwen3_folder: Path) -> dict[str, Path]:
    return {"qwen2": qwen2_folder, "qwen3": qwen3_folder}


@pytest.fixture(scope="session")
def encoders(folders: dict[str, Path]) -> Encoders:
    """All four loaded side by side: the mask of one must not reach another."""
    return {
        (kind, mode): Encoder(TorchModel(folders[kind], attention=mode), pooling="last")
        for kind in KINDS
        for mode in MODES
    }


def encode(encoder: Encoder, sequences: Ids) -> Floats:
    vectors, finite = encoder.encode(sequences)
    assert finite.all()
    return vectors


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_equals_the_reference_whichever_side_that_pads(
    folders: dict[str, Path],
    encoders: Encoders,
    sequences: Ids,
    kind: str,
    mode: str,
    side: str,
) -> None:
    expected = reference(folders[kind], sequences, bidirectional=mode == "bidirectional", side=side)
    assert_same(encode(encoders[kind, mode], sequences), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_wrong_mask_gives_another_vector(encoders: Encoders, sequences: Ids, kind: str) -> None:
    found = [encode(encoders[kind, mode], sequences) for mode in MODES]
    assert cosines(*found).max() < OTHER


def test_the_last_column_under_right_padding_is_another_vector(
    qwen2_folder: Path, encoders: Encoders, sequences: Ids
) -> None:
    vectors = encode(encoders["qwen2", "causal"], sequences)
    assert_same(vectors, reference(qwen2_folder, sequences, side="left", last="end"))
    wrong = cosines(vectors, reference(qwen2_folder, sequences, side="right", last="end"))
    # The padding is the end token, whose state drifts only slowly from one to the next.
    assert wrong[:-1].max() < 0.98
    assert wrong[-1] > SAME, "the longest text is not padded"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_vector_does_not_depend_on_its_batch_mates(encoders: Encoders, sequences: Ids, kind: str, mode: str) -> None:
    encoder = encoders[kind, mode]
    together = encode(encoder, sequences)
    assert_same(together, np.concatenate([encode(encoder, [ids]) for ids in sequences]))
    assert_same(together, encode(encoder, sequences[::-1])[::-1])
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6


def test_the_last_token_is_found_when_it_looks_like_padding(
    qwen2_folder: Path, encoders: Encoders, sequences: Ids
) -> None:
    ended_twice = [(*ids[:-1], QWEN_END, QWEN_END) for ids in sequences[:4]]
    vectors = encode(encoders["qwen2", "causal"], [*ended_twice, sequences[-1]])[:4]
    assert_same(vectors, reference(qwen2_folder, ended_twice))
    assert cosines(vectors, reference(qwen2_folder, ended_twice, last="pad")).max() < OTHER


@pytest.mark.parametrize("mode", MODES)
def test_a_text_without_its_end_would_be_another_vector(
    qwen2_folder: Path,
    encoders: Encoders,
    sequences: Ids,
    bare: Ids,
    mode: str,
) -> None:
    assert all(ids.count(QWEN_END) == 1 and ids[-1] == QWEN_END for ids in sequences)
    assert [len(ids) for ids in bare] == [len(ids) - 1 for ids in sequences[:-1]] + [LIMIT]
    ended = [(*ids[: LIMIT - 1], QWEN_END) for ids in bare]
    vectors = encode(encoders["qwen2", mode], sequences)
    assert_same(vectors, reference(qwen2_folder, ended, bidirectional=mode == "bidirectional"))
    assert cosines(vectors, encode(encoders["qwen2", mode], bare)).max() < OTHER


def by_sentence_transformers(folder: Path, *, unit: bool) -> Floats:
    transformer = Transformer(str(folder), max_seq_length=LIMIT)
    modules = [transformer, Pooling(WIDTH, "lasttoken"), *([Normalize()] if unit else [])]
    vectors: Floats = SentenceTransformer(modules=modules, device="cpu").encode(TEXTS, show_progress_bar=False)
    return vectors


def test_a_causal_vector_equals_that_of_sentence_transformers(
    qwen2_folder: Path, encoders: Encoders, sequences: Ids
) -> None:
    expected = by_sentence_transformers(qwen2_folder, unit=True)
    assert_same(encode(encoders["qwen2", "causal"], sequences), expected)
    assert cosines(encode(encoders["qwen2", "bidirectional"], sequences), expected).max() < OTHER


def test_halves_that_are_not_of_unit_length_would_drown_each_other(
    qwen2_folder: Path, encoders: Encoders, sequences: Ids
) -> None:
    raw = by_sentence_transformers(qwen2_folder, unit=False)
    assert np.linalg.norm(raw, axis=1).min() > 3
    code = encode(encoders["qwen2", "causal"], sequences)
    text = encode(encoders["qwen3", "causal"], sequences)
    own = (cosines(code[:-1], code[1:]), cosines(text[:-1], text[1:]))
    assert np.abs(own[0] - own[1]).max() > 0.1
    fused = fuse(code, text, 0.5, 0.5)
    assert np.abs(cosines(fused[:-1], fused[1:]) - sum(own) / 2).max() < 1e-6
    joined = np.concatenate([raw, text], axis=1)
    joined /= np.linalg.norm(joined, axis=1, keepdims=True)
    drowned = cosines(joined[:-1], joined[1:])
    assert np.abs(drowned - own[0]).max() < 0.1 * np.abs(own[0] - own[1]).max()


@pytest.mark.parametrize(
    ("config", "wished", "resolved"),
    [
        ({}, "auto", "causal"),
        ({"is_causal": True}, "auto", "causal"),
        ({"is_causal": None}, "auto", "causal"),
        ({"is_causal": False}, "auto", "bidirectional"),
        ({}, "bidirectional", "bidirectional"),
        ({"is_causal": True}, "bidirectional", "bidirectional"),
        ({"is_causal": False}, "causal", "causal"),
    ],
)
def test_attention_is_what_the_manifest_wishes_else_what_the_config_says(
    qwen2_folder: Path,
    encoders: Encoders,
    sequences: Ids,
    tmp_path: Path,
    config: dict[str, bool],
    wished: str,
    resolved: str,
) -> None:
    folder = variant(qwen2_folder, tmp_path / "variant", **config)
    assert resolve_attention(folder, wished) == resolved
    vectors = encode(Encoder(TorchModel(folder, attention=wished), pooling="last"), sequences)
    assert_same(vectors, encode(encoders["qwen2", resolved], sequences))


def test_a_checkpoint_in_several_files_gives_the_same_vectors(
    qwen: Qwen, encoders: Encoders, sequences: Ids, tmp_path: Path
) -> None:
    folder = save(tmp_path / "sharded", "qwen2", qwen.plain, shard="10MB")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) >= 2
    assert (folder / "model.safetensors.index.json").is_file()
    vectors = encode(Encoder(TorchModel(folder), pooling="last"), sequences)
    assert np.array_equal(vectors, encode(encoders["qwen2", "causal"], sequences))
    shards[-1].unlink()
    with pytest.raises(WeightsError):
        TorchModel(folder)


def with_code(source: Path, target: Path, **config: str) -> Path:
    """Give a checkpoint code of its own, as Qodo's and gte's repositories have it; here it would end the process."""
    classes = {"AutoModel": "modeling_qwen.Qwen2Model", "AutoConfig": "modeling_qwen.Qwen2Config"}
    folder = variant(source, target, auto_map=classes, **config)
    (folder / "modeling_qwen.py").write_text("raise SystemExit('the code of the repository ran')\n")
    return folder


def test_code_in_a_checkpoint_is_never_run(
    qwen2_folder: Path,
    encoders: Encoders,
    sequences: Ids,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = with_code(qwen2_folder, tmp_path / "coded")
    vectors = encode(Encoder(TorchModel(folder), pooling="last"), sequences)
    assert_same(vectors, encode(encoders["qwen2", "causal"], sequences))
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit, match="the code of the repository ran"):
        AutoModel.from_pretrained(folder, trust_remote_code=True)


def test_a_checkpoint_that_only_its_own_code_can_load_is_refused(qwen2_folder: Path, tmp_path: Path) -> None:
    folder = with_code(qwen2_folder, tmp_path / "coded", model_type="of_its_own")
    with pytest.raises(WeightsError):
        TorchModel(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_close_to_float32(
    folders: dict[str, Path],
    encoders: Encoders,
    sequences: Ids,
    kind: str,
) -> None:
    vectors = encode(Encoder(TorchModel(folders[kind], dtype="bfloat16"), pooling="last"), sequences)
    found = cosines(vectors, encode(encoders[kind, "causal"], sequences))
    assert 0.9995 <= found.min() < SAME
