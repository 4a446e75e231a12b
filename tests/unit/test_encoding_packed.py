"""Packed texts, as a GPU reads them, give the vectors of texts read alone; tried on the CPU, where torch attends."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fix_architectures import SEQUENCES, checkpoint
from pgduet.encoding import WeightsError, load_duet
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.engines import Runtime
from pgduet.encoding.packed import PACKABLE, PackedEncoder, _attend
from pgduet.encoding.torch_model import TorchModel

CASES = [(kind, attention) for kind in PACKABLE for attention in ("auto",)]
CASES += [(kind, "bidirectional") for kind in ("qwen2", "qwen3")]


@pytest.mark.parametrize("pooling", ["mean", "last", "cls"])
@pytest.mark.parametrize(("kind", "attention"), CASES)
def test_packed_texts_are_as_texts_alone(tmp_path: Path, kind: str, attention: str, pooling: str) -> None:
    folder = checkpoint(tmp_path, kind)
    plain = Encoder(TorchModel(folder, attention=attention), pooling)
    alone = np.concatenate([plain.encode([sequence])[0] for sequence in SEQUENCES])
    states = plain.states(SEQUENCES[0])
    packed = PackedEncoder(TorchModel(folder, attention=attention), pooling)
    found, finite = packed.encode([*SEQUENCES, ()])
    assert finite.tolist() == [True] * len(SEQUENCES) + [False]
    assert np.abs(found[:-1] - alone).max() < 2e-6
    assert np.abs(packed.states(SEQUENCES[0]) - states).max() < 2e-5
    # Two passes instead of one, in another order.
    small = PackedEncoder(TorchModel(folder, attention=attention), pooling, tokens_per_pass=32)
    assert np.abs(small.encode(list(reversed(SEQUENCES)))[0][::-1] - alone).max() < 2e-6


def test_a_text_does_not_see_its_neighbours(tmp_path: Path) -> None:
    packed = PackedEncoder(TorchModel(checkpoint(tmp_path, "bert")), "mean")
    first = packed.encode([(5, 6, 7), (8, 9, 10, 11)])[0]
    second = packed.encode([(5, 6, 7), (50, 60, 70, 20)])[0]
    assert np.array_equal(first[0], second[0])
    assert not np.allclose(first[1], second[1])


@pytest.mark.parametrize("causal", [False, True])
def test_attention_within_texts_is_that_of_a_mask_of_blocks(causal: bool) -> None:
    torch.manual_seed(4)
    query, key, value = torch.randn(1, 4, 9, 8), torch.randn(1, 2, 9, 8), torch.randn(1, 2, 9, 8)
    bounds = [0, 2, 3, 9]
    text = torch.tensor([0, 0, 1, 2, 2, 2, 2, 2, 2])
    allowed = text[:, None] == text
    if causal:
        allowed &= torch.ones(9, 9).tril().bool()
    scores = (query @ key.repeat_interleave(2, 1).transpose(2, 3)) * 0.3
    expected = scores.masked_fill(~allowed, -torch.inf).softmax(-1) @ value.repeat_interleave(2, 1)
    edges = torch.tensor(bounds, dtype=torch.int32)
    found, _ = _attend(
        torch.nn.Identity(),
        query,
        key,
        value,
        None,
        0.3,
        packed_bounds=bounds,
        packed_causal=causal,
        cu_seq_lens_q=edges,
        max_length_q=6,
    )
    torch.testing.assert_close(found, expected.transpose(1, 2))


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:", "cpu:1", "mps"])
def test_a_device_that_is_not_known_is_told(device: str) -> None:
    with pytest.raises(WeightsError, match=f"there is no device '{device}'"):
        Runtime(device=device)


def test_a_card_that_is_not_here_is_told(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDUET_DEVICE", f"cuda:{torch.cuda.device_count()}")
    with pytest.raises(WeightsError, match="torch finds no card for"):
        load_duet("tiny", tiny_store)
