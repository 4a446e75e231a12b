"""The probe: how should a decoder read, one way or both, with or without its end token?

A decoder trained to attend both ways and run causally, or the other way round, gives plausible vectors that find
little, and no error. Twenty fixed pairs of query and code tell which way is right on the real weights.
"""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pgduet.encoding import Manifest, Role, WeightsError
from pgduet.encoding.frame import NO_END, Frame, Spec, read_frame
from pgduet.training.metrics import METRICS, Estimate, Values, estimate, score
from pgduet.training.ranking import TIES, Floats, ranks_of

if TYPE_CHECKING:
    from pgduet.encoding.half import Half
    from pgduet.encoding.manifest import Slot

NO_CHOICE = "auto"


@dataclass(frozen=True)
class Variant:
    """One way to run an encoder and what it scores; `attention` and `end` are spelled as in a manifest."""

    attention: str
    end: str
    used: bool
    scores: dict[str, Estimate]
    values: Values

    @property
    def label(self) -> str:
        """The way in words."""
        return f"{self.attention}, {'no end token' if self.end == NO_END else 'ending in ' + self.end}"


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
    used = _attention(slot, folder)
    frame_used = _frame(slot, folder)
    for tried in _ways(slot, folder, used):
        values = _score(tried, folder, manifest)
        scores = dict(zip(METRICS, estimate(values), strict=True))
        in_use = tried.attention == used and _frame(tried, folder) == frame_used
        yield Variant(tried.attention, tried.end, in_use, scores, values)


def _attention(slot: "Slot", folder: Path) -> str:
    from pgduet.encoding.architecture import resolve_attention
    from pgduet.encoding.engines import runs_onnx

    # An exported graph has its attention built in.
    return NO_CHOICE if runs_onnx(slot) else resolve_attention(folder, slot.attention)


def _ways(slot: "Slot", folder: Path, used: str) -> "list[Slot]":
    """List the slots to try; where attention is no choice, the end token is part of the encoder's frame."""
    if used == NO_CHOICE:
        return [replace(slot, attention=NO_CHOICE)]
    token = _end_token(slot, folder)
    ends = (token, NO_END) if token else (NO_END,)
    return [replace(slot, attention=way, end=end) for way in ("causal", "bidirectional") for end in ends]


def _frame(slot: "Slot", folder: Path) -> Frame:
    return read_frame(_spec(folder), slot.end)


def _spec(folder: Path) -> Spec:
    try:
        spec: Spec = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read the tokenizer in {folder}: {error}") from error
    return spec


def _end_token(slot: "Slot", folder: Path) -> str:
    """Return the end token to try.

    That of the slot, else the last one of the tokenizer's own frame, else the one that its settings name, which is
    often another. Empty where there is none that the tokenizer knows.
    """
    if slot.end not in ("", NO_END):
        return slot.end
    spec = _spec(folder)
    vocab = spec["model"]["vocab"]
    known = {number: piece for piece, number in vocab.items()} if isinstance(vocab, dict) else {}
    known |= {int(token["id"]): str(token["content"]) for token in spec["added_tokens"]}
    if tail := read_frame(spec, "").tail:
        return str(known.get(tail[-1], ""))
    try:
        token = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("eos_token")
    except FileNotFoundError:
        return ""
    content = str((token.get("content") if isinstance(token, dict) else token) or "")
    return content if content in known.values() else ""


def _score(slot: "Slot", folder: Path, manifest: Manifest) -> Values:
    """Return the metrics [20, 3] of the half that `slot` makes of the files in `folder`; it is gone afterwards."""
    from pgduet.encoding.half import Half

    half = Half(slot, folder, manifest.dtype, manifest.lift_seed)
    queries, codes = zip(*pairs(), strict=True)
    asked, stored = _encode(half, queries, Role.QUERY), _encode(half, codes, Role.DOCUMENT)
    return score([ranks_of(row, [answer], TIES[half.dtype]) for answer, row in enumerate(asked @ stored.T)])


def _encode(half: "Half", texts: Sequence[str], role: Role) -> Floats:
    sequences = [tokens.ids for tokens in half.tokenise(texts, role)]
    vectors, finite = half.encode(sequences, [role] * len(texts))
    if not finite.all():
        raise WeightsError(f"the encoder {half.slot.encoder} gives numbers that are not finite for a plain text")
    return vectors
