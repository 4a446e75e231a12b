"""The probe on small random checkpoints of the true architectures."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, Qwen2Config, Qwen2Model

from pgduet.cli.models_quality import advice
from pgduet.encoding import Manifest
from pgduet.encoding.manifest import Slot, parse_manifest, ready_made
from pgduet.training.metrics import METRICS, estimate
from pgduet.training.probe import Probed, Variant, pairs, probe

END = "<|endoftext|>"


def write_tokenizer(folder: Path, *, template: bool, eos: bool = True) -> int:
    """Write a byte-level tokenizer; `template` says that it ends every text by itself."""
    vocab = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END])
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
        )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": END} if eos else {}))
    return int(tokenizer.get_vocab_size())


def write_decoder(folder: Path, *, template: bool = False, eos: bool = True, **more: Any) -> None:
    folder.mkdir(parents=True)
    size = write_tokenizer(folder, template=template, eos=eos)
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
    )
    Qwen2Model(config).save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | more))


def write_encoder(folder: Path) -> None:
    folder.mkdir(parents=True)
    size = write_tokenizer(folder, template=True)
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=0.3,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def manifest(**code: Any) -> Manifest:
    small = parse_manifest(ready_made()["small"], "small.toml")
    plain: dict[str, Any] = {"width": 32, "max_tokens": 512}
    text: Slot = replace(small.text, **plain)
    return replace(small, code=replace(small.code, **plain | {"pooling": "last"} | code), text=text)


def probed(folder: Path, made: Manifest) -> list[Probed]:
    write_encoder(folder / "text")
    return list(probe(made, folder))


def test_the_pairs_are_twenty_and_distinct() -> None:
    queries, codes = zip(*pairs(), strict=True)
    assert (len(set(queries)), len(set(codes))) == (20, 20)
    assert all(text.strip() for text in (*queries, *codes))


def test_a_decoder_is_tried_in_all_four_ways_and_each_gives_another_ranking(tmp_path: Path) -> None:
    write_decoder(tmp_path / "code")
    code, text = probed(tmp_path, manifest(end=END))
    ways = [(variant.attention, variant.end) for variant in code.variants]
    assert ways == [("causal", END), ("causal", ""), ("bidirectional", END), ("bidirectional", "")]
    assert [variant.used for variant in code.variants] == [True, False, False, False]
    assert len({variant.values.tobytes() for variant in code.variants}) == 4
    assert (code.has_choice, text.has_choice) == (True, False)
    assert [variant.used for variant in text.variants] == [True]
    assert advice(text).startswith("This encoder always reads both ways")


@pytest.mark.parametrize(
    ("layout", "slot", "used"),
    [
        ({}, {}, ("causal", "")),
        ({"is_causal": False}, {}, ("bidirectional", "")),
        ({"is_causal": False}, {"attention": "causal", "end": END}, ("causal", END)),
        # The tokenizer ends texts unasked: that is what the manifest gets, whatever it says.
        ({"template": True}, {"attention": "bidirectional"}, ("bidirectional", END)),
    ],
)
def test_the_way_in_use_is_the_one_that_the_duet_would_run(
    tmp_path: Path, layout: dict[str, Any], slot: dict[str, Any], used: tuple[str, str]
) -> None:
    write_decoder(tmp_path / "code", **layout)
    code, _ = probed(tmp_path, manifest(**slot))
    assert (code.used.attention, code.used.end) == used
    assert sum(variant.used for variant in code.variants) == 1


def test_a_decoder_without_an_end_token_is_tried_in_two_ways(tmp_path: Path) -> None:
    write_decoder(tmp_path / "code", eos=False)
    code, _ = probed(tmp_path, manifest())
    assert [(variant.attention, variant.end) for variant in code.variants] == [("causal", ""), ("bidirectional", "")]


def variant(attention: str, used: bool, first: float, second: float) -> Variant:
    values = np.repeat([[first], [second]], 10, axis=0).repeat(3, axis=1)
    return Variant(attention, END, used, dict(zip(METRICS, estimate(values), strict=True)), values)


def test_the_advice_names_a_change_only_where_it_is_clear() -> None:
    used = variant("causal", True, 0.5, 0.5)
    much, little = variant("bidirectional", False, 0.9, 0.8), variant("bidirectional", False, 1.0, 0.1)
    assert 'attention = "bidirectional"' in advice(Probed("code", "e", [used, much]))
    assert "nDCG@10 +0.350" in advice(Probed("code", "e", [used, much]))
    assert advice(Probed("code", "e", [used, little])).startswith("No way is clearly better")
    equal = variant("bidirectional", False, 0.5, 0.5)
    assert advice(Probed("code", "e", [equal, used])).startswith("The manifest uses the best way: causal")
