"""The duet: two encoders, one vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pgduet.encoding import self_test, store
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.fusion import fuse
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.manifest import SLOT_WIDTHS, Manifest, Role, Slot
from pgduet.encoding.sketch import Sketcher
from pgduet.encoding.tokenizer import TextTokenizer


@dataclass(frozen=True)
class EncoderInfo:
    """What is told about one half: `slot` code or text, the encoder's own `width`, its share `weight` of the cosine."""

    slot: str
    name: str
    width: int
    max_tokens: int
    weight: float
    dtype: str


@dataclass(frozen=True)
class Tokens:
    """A text as both encoders read it.

    The ids are cut to the encoders' limits; `code_tokens` and `text_tokens` count the whole text, frame and prefix
    included; `truncated` says that either half reads only the beginning.
    """

    code_ids: tuple[int, ...]
    text_ids: tuple[int, ...]
    code_tokens: int
    text_tokens: int
    truncated: bool


@dataclass(frozen=True)
class Encoded:
    """Vectors [n, 2560] of unit length, their sketches [n, 320], and which rows are finite; the others are zeros."""

    embeddings: Floats
    sketches: npt.NDArray[np.uint8]
    finite: npt.NDArray[np.bool_]


class _Half:
    """One slot with its tokenizer, its encoder and its lift."""

    def __init__(self, slot: Slot, folder: Path, lift_seed: int) -> None:
        self.slot = slot
        self.tokenizer = TextTokenizer(folder / "tokenizer.json", slot.max_tokens)
        self._encoder = Encoder(folder, slot.width)
        self._lift = lift_matrix(slot.slot_width, slot.width, lift_seed)

    def encode(self, sequences: list[tuple[int, ...]]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        vectors, finite = self._encoder.encode(sequences)
        return vectors @ self._lift.T, finite


class Duet:
    """A loaded duet. All methods may be called from several threads."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        """Load both encoders from `folder`; use `load_duet`, which also checks the files.

        Raises WeightsError where files do not make an encoder.
        """
        self.name = manifest.name
        self.fingerprint = fingerprint_of(manifest)
        self.width = sum(SLOT_WIDTHS.values())
        self.encoders = tuple(
            EncoderInfo(slot.slot, slot.encoder, slot.width, slot.max_tokens, slot.weight, manifest.dtype)
            for slot in manifest.slots
        )
        self._code, self._text = (_Half(slot, folder / slot.slot, manifest.lift_seed) for slot in manifest.slots)
        self._sketcher = Sketcher(self.width, manifest.sketch_seed)

    def tokenise(self, texts: Sequence[str], role: Role) -> list[Tokens]:
        """Tokenise texts for both encoders, each with its prefix for `role`."""
        code, text = (
            half.tokenizer.encode([half.slot.prefix[role] + text for text in texts])
            for half in (self._code, self._text)
        )
        return [
            Tokens(c.ids, t.ids, c.count, t.count, c.count > len(c.ids) or t.count > len(t.ids))
            for c, t in zip(code, text, strict=True)
        ]

    def encode(self, tokens: Sequence[Tokens]) -> Encoded:
        """Turn tokenised texts into vectors, in order; a text's vector does not depend on the others (to 1e-6).

        A text for which either half gives numbers that are not finite, or no length, is flagged, not raised.
        """
        code, code_finite = self._code.encode([t.code_ids for t in tokens])
        text, text_finite = self._text.encode([t.text_ids for t in tokens])
        finite = code_finite & text_finite
        embeddings = fuse(code, text, self._code.slot.weight, self._text.slot.weight)
        embeddings[~finite] = 0
        return Encoded(embeddings, self._sketcher.sketch(embeddings), finite)

    def self_test(self) -> None:
        """Compare a few fixed texts with the reference vectors that come with pgduet.

        Raises SelfTestError when there are none for this fingerprint, or a vector is off.
        """
        tokens = [token for text, role in self_test.SAMPLES for token in self.tokenise([text], role)]
        self_test.compare(self.fingerprint, self.encode(tokens).embeddings)


def load_duet(name: str, models_dir: Path | None = None, threads: int | None = None) -> Duet:
    """Load a duet from the model store; nothing is fetched.

    `models_dir` defaults to the store of this user; `threads` sets torch's threads for the whole process. Every file is
    checked against its sha256. Raises StoreError when the duet is absent or damaged, WeightsError when its files do not
    make the two encoders.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    folder = store.duet_folder(name, models_dir)
    return Duet(store.checked_manifest(folder), folder)
