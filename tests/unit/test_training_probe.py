"""The probe on small random checkpoints of the true architectures."""

import gc
import json
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, Qwen2Config, Qwen2Model

from pgduet.cli.models_quality import advice
from pgduet.encoding import Manifest, Role
from pgduet.encoding.frame import NO_END
from pgduet.encoding.half import Half
from pgduet.encoding.manifest import Slot, parse_manifest, ready_made
from pgduet.encoding.torch_model import TorchModel
from pgduet.training.metrics import METRICS, estimate
from pgduet.training.probe import Probed, Variant, pairs, probe

END = "<|endoftext|>"
OTHER = "<|im_end|>"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost these encoders more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_tokenizer(folder: Path, *, template: bool, eos: str = END) -> int:
    """Write a byte-level tokenizer whose settings name `eos`; `template` says that it ends every text by itself."""
    vocab = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END, OTHER])
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
        )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": eos} if eos else {}))
    return int(tokenizer.get_vocab_size())


def write_decoder(folder: Path, *, template: bool = False, eos: str = END, **more: Any) -> None:
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
    plain: dict[str, Any] = {"width": 32, "max_tokens": 64}
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
    assert ways == [("causal", END), ("causal", NO_END), ("bidirectional", END), ("bidirectional", NO_END)]
    assert [variant.used for variant in code.variants] == [True, False, False, False]
    assert len({variant.values.tobytes() for variant in code.variants}) == 4
    assert (code.has_choice, text.has_choice) == (True, False)
    assert [variant.used for variant in text.variants] == [True]
    assert advice(text).startswith("This encoder always reads both ways")


@pytest.mark.parametrize(
    ("layout", "slot", "used"),
    [
        ({}, {"end": NO_END}, ("causal", NO_END)),
        # Any token of a mean counts, so that it needs no end.
        ({}, {"pooling": "mean"}, ("causal", NO_END)),
        ({"is_causal": False}, {"end": NO_END}, ("bidirectional", NO_END)),
        ({"is_causal": False}, {"attention": "causal", "end": END}, ("causal", END)),
        # The tokenizer ends texts unasked: that is what a manifest gets that says nothing.
        ({"template": True}, {"attention": "bidirectional"}, ("bidirectional", END)),
        ({"template": True}, {"end": NO_END}, ("causal", NO_END)),
        # As in Qwen3-Embedding: the template ends texts in another token than the settings name.
        ({"template": True, "eos": OTHER}, {}, ("causal", END)),
        ({"template": True, "eos": OTHER}, {"end": END}, ("causal", END)),
        ({"template": True, "eos": OTHER}, {"end": OTHER}, ("causal", OTHER)),
        ({"eos": OTHER}, {"end": NO_END}, ("causal", NO_END)),
    ],
)
def test_the_way_in_use_is_the_one_that_the_duet_would_run(
    tmp_path: Path, layout: dict[str, Any], slot: dict[str, Any], used: tuple[str, str]
) -> None:
    write_decoder(tmp_path / "code", **layout)
    code, _ = probed(tmp_path, manifest(**slot))
    assert (code.used.attention, code.used.end) == used
    assert sum(variant.used for variant in code.variants) == 1


@pytest.mark.parametrize(
    ("layout", "slot", "tried"),
    [
        ({}, {"end": NO_END}, [END, NO_END]),
        ({"eos": OTHER}, {"end": NO_END}, [OTHER, NO_END]),
        ({"eos": OTHER, "template": True}, {"end": NO_END}, [END, NO_END]),
        ({"eos": OTHER, "template": True}, {"end": OTHER}, [OTHER, NO_END]),
        ({"eos": ""}, {"end": NO_END}, [NO_END]),
        ({"eos": "<|unknown|>"}, {"end": NO_END}, [NO_END]),
    ],
)
def test_the_end_token_to_try_is_that_of_the_manifest_or_else_of_the_tokenizer_or_else_of_its_settings(
    tmp_path: Path, layout: dict[str, Any], slot: dict[str, Any], tried: list[str]
) -> None:
    write_decoder(tmp_path / "code", **layout)
    code, _ = probed(tmp_path, manifest(**slot))
    assert [(variant.attention, variant.end) for variant in code.variants] == [
        (way, end) for way in ("causal", "bidirectional") for end in tried
    ]


def test_one_encoder_is_in_memory_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the mission take gigabytes; nothing waits for the garbage collector."""
    loaded: list[weakref.ref[torch.nn.Module]] = []

    class Counting(Half):
        def __init__(self, *arguments: Any) -> None:
            assert [module for module in loaded if module() is not None] == []
            super().__init__(*arguments)
            model = self.encoders[Role.QUERY].model
            assert isinstance(model, TorchModel)
            loaded.append(weakref.ref(model.module))

    monkeypatch.setattr("pgduet.encoding.half.Half", Counting)
    write_decoder(tmp_path / "code")
    gc.disable()
    try:
        probed(tmp_path, manifest(end=END))
    finally:
        gc.enable()
    assert len(loaded) == 5


def test_a_way_scores_as_the_duet_would_that_runs_so(tmp_path: Path) -> None:
    """The scores of each way are those of a half whose manifest says it."""
    write_decoder(tmp_path / "code", template=True)
    code, _ = probed(tmp_path, manifest())
    queries, codes = zip(*pairs(), strict=True)
    for one in code.variants:
        slot = manifest(attention=one.attention, end=one.end).code
        half = Half(slot, tmp_path / "code", "float32", 1)
        asked, stored = (
            half.encode([tokens.ids for tokens in half.tokenise(texts, role)], [role] * 20)[0]
            for texts, role in ((queries, Role.QUERY), (codes, Role.DOCUMENT))
        )
        ranks = (asked @ stored.T >= np.diag(asked @ stored.T)[:, None] - 1e-6).sum(axis=1)
        assert one.scores["mrr@10"].value == pytest.approx(np.where(ranks <= 10, 1 / ranks, 0).mean())


def variant(attention: str, used: bool, first: float, second: float, end: str = END) -> Variant:
    values = np.repeat([[first], [second]], 10, axis=0).repeat(len(METRICS), axis=1)
    return Variant(attention, end, used, dict(zip(METRICS, estimate(values), strict=True)), values)


def test_the_advice_names_a_change_only_where_it_is_clear() -> None:
    used = variant("causal", True, 0.5, 0.5)
    much, little = variant("bidirectional", False, 0.9, 0.8), variant("bidirectional", False, 1.0, 0.1)
    assert 'attention = "bidirectional"' in advice(Probed("code", "e", [used, much]))
    assert "nDCG@10 +0.350" in advice(Probed("code", "e", [used, much]))
    assert advice(Probed("code", "e", [used, little])).startswith("No way is clearly better")
    equal = variant("bidirectional", False, 0.5, 0.5)
    assert advice(Probed("code", "e", [equal, used])).startswith("The manifest uses the best way: causal")


@pytest.mark.parametrize("end", [END, NO_END, '<"|\\|">', "<\uff5cend\u2581of\u2581sentence\uff5c>"])
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_the_keys_of_the_advice_make_a_manifest_of_the_best_way(attention: str, end: str) -> None:
    probed = Probed("code", "e", [variant("causal", True, 0.5, 0.5, "<x>"), variant(attention, False, 0.9, 0.8, end)])
    sentence, keys = advice(probed).split("\n", 1)
    assert sentence.startswith("Change the manifest to")
    # `small` has neither key.
    changed = parse_manifest(ready_made()["small"].replace("[code]\n", keys, 1), "changed.toml")
    assert (changed.code.attention, changed.code.end) == (attention, end)
