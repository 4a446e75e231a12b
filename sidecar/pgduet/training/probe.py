"""The probe: how should a decoder read, one way or both, with or without its end token?

A decoder trained to attend both ways and run causally, or the other way round, gives plausible vectors that find
little, and no error. Twenty fixed pairs of query and code tell which way is right on the real weights.
"""

import gc
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pgduet.encoding import Manifest, Role, WeightsError
from pgduet.training.metrics import METRICS, Estimate, Values, estimate, score
from pgduet.training.ranking import Floats, ranks_of

if TYPE_CHECKING:
    from pgduet.encoding.half import Half
    from pgduet.encoding.manifest import Slot

NO_CHOICE = "auto"


@dataclass(frozen=True)
class Variant:
    """One way to run an encoder and what it scores; `end` is the token behind every text, or empty."""

    attention: str
    end: str
    used: bool
    scores: dict[str, Estimate]
    values: Values

    @property
    def label(self) -> str:
        """The way in words."""
        return f"{self.attention}, {'ending in ' + self.end if self.end else 'no end token'}"


@dataclass(frozen=True)
class Probed:
    """All ways to run one half; a half whose architecture leaves no choice has one."""

    slot: str
    encoder: str
    variants: list[Variant]

    @property
    def has_choice(self) -> bool:
        """Whether there is anything to decide."""
        return self.variants[0].attention != NO_CHOICE

    @property
    def used(self) -> Variant:
        """The way that the manifest says."""
        return next(variant for variant in self.variants if variant.used)

    @property
    def best(self) -> Variant:
        """The way that scores highest by nDCG, then by MRR; of equals the one that the manifest says."""
        return max(self.variants, key=lambda one: (*(one.scores[name].value for name in METRICS[:2]), one.used))

    def gain(self) -> Estimate:
        """Return how much more nDCG the best way scores than the one in use, query by query."""
        return estimate(self.best.values - self.used.values)[0]


def pairs() -> list[tuple[str, str]]:
    """Return the twenty pairs of query and code; code i answers query i alone."""
    text = files("pgduet.training").joinpath("probe_pairs.toml").read_text(encoding="utf-8")
    return [(pair["query"], pair["code"]) for pair in tomllib.loads(text)["pair"]]


def probe(manifest: Manifest, folder: Path) -> Iterator[Probed]:
    """Score the pairs with each half of the duet in `folder`, in every way that its encoder can be run.

    One encoder is in memory at a time. Raises WeightsError where the files do not make an encoder.
    """
    for slot in manifest.slots:
        yield Probed(slot.slot, slot.encoder, list(_variants(slot, folder / slot.slot, manifest)))


def _variants(slot: "Slot", folder: Path, manifest: Manifest) -> Iterator[Variant]:
    from pgduet.encoding.half import Half

    used = _attention(slot, folder)
    end = slot.end or (_end_token(folder) if used != NO_CHOICE else "")
    for attention in (NO_CHOICE,) if used == NO_CHOICE else ("causal", "bidirectional"):
        tried = replace(slot, attention=attention, end=end)
        half = Half(tried, folder, manifest.dtype, manifest.lift_seed)
        ended_now = _ends(slot, folder, half)
        # Where attention is no choice, the end token is part of the encoder's frame.
        for with_end in (True, False) if used != NO_CHOICE and end else (True,):
            values = _score(half, cut=0 if with_end else 1)
            scores = dict(zip(METRICS, estimate(values), strict=True))
            in_use = attention == used and with_end == ended_now
            yield Variant(attention, end if with_end else "", in_use, scores, values)
        # The next one may take gigabytes.
        del half
        gc.collect()


def _attention(slot: "Slot", folder: Path) -> str:
    from pgduet.encoding.half import ONNX_FILE
    from pgduet.encoding.torch_model import resolve_attention

    # An exported graph has its attention built in.
    return NO_CHOICE if ONNX_FILE in slot.files else resolve_attention(folder, slot.attention)


def _ends(slot: "Slot", folder: Path, ended: "Half") -> bool:
    """Tell whether the slot, used as its manifest says, ends texts as `ended` does; its tokenizer may do so unasked."""
    from pgduet.encoding.tokenizer import TextTokenizer

    plain = TextTokenizer(folder / "tokenizer.json", slot.max_tokens, slot.end)
    return plain.encode(["a"]) == ended.tokenizer.encode(["a"])


def _score(half: "Half", cut: int) -> Values:
    """Return the metrics [20, 3] of the half; the last `cut` tokens of every text are left away."""
    queries, codes = zip(*pairs(), strict=True)
    asked, stored = _encode(half, queries, Role.QUERY, cut), _encode(half, codes, Role.DOCUMENT, cut)
    return score([ranks_of(row, [answer]) for answer, row in enumerate(asked @ stored.T)])


def _encode(half: "Half", texts: Sequence[str], role: Role, cut: int) -> Floats:
    sequences = [tokens.ids[: len(tokens.ids) - cut] for tokens in half.tokenise(texts, role)]
    vectors, finite = half.encode(sequences, [role] * len(texts))
    if not finite.all():
        raise WeightsError(f"the encoder {half.slot.encoder} gives numbers that are not finite for a plain text")
    return vectors


def _end_token(folder: Path) -> str:
    """Return the end token that the tokenizer's settings name, for a slot that uses none; empty where there is none."""
    try:
        token = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("eos_token")
    except FileNotFoundError:
        return ""
    content = token.get("content") if isinstance(token, dict) else token
    return str(content or "")
