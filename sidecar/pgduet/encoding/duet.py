"""The duet: two encoders, one vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pgduet.encoding import self_test
from pgduet.encoding.engines import TORCH_ON_CPU, Runtime, wished_runtime
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.fusion import fuse
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.half import Half
from pgduet.encoding.manifest import SLOT_WIDTHS, Manifest, Part, Role
from pgduet.encoding.sketch import Sketcher
from pgduet.encoding.store import layout as store
from pgduet.encoding.tokenizer import HalfTokens


@dataclass(frozen=True)
class EncoderInfo:
    """What is told about one half: `slot` code or text, the encoder's own `width`, its share `weight` of the cosine.

    `engine` is the library that runs it.
    """

    slot: str
    name: str
    width: int
    max_tokens: int
    weight: float
    dtype: str
    engine: str


@dataclass(frozen=True)
class Tokens:
    """A text as the encoders read it.

    The ids are cut to the encoders' limits; `code_tokens` and `text_tokens` count the whole text, frame and prefix
    included. A half that was not asked for has no ids and counts 0.
    """

    role: Role
    code_ids: tuple[int, ...]
    text_ids: tuple[int, ...]
    code_tokens: int
    text_tokens: int

    @property
    def code_truncated(self) -> bool:
        """Whether the code half reads only the beginning."""
        return self.code_tokens > len(self.code_ids)

    @property
    def text_truncated(self) -> bool:
        """Whether the text half reads only the beginning."""
        return self.text_tokens > len(self.text_ids)

    @property
    def truncated(self) -> bool:
        """Whether either half reads only the beginning."""
        return self.code_truncated or self.text_truncated


@dataclass(frozen=True)
class Encoded:
    """Unit vectors [n, width], their sketches, and which rows are finite; the others are zeros.

    The width is 2,560 with sketches [n, 320]; of one half it is 1,536 (code) or 1,024 (text) with sketches [n, 0].
    """

    embeddings: Floats
    sketches: npt.NDArray[np.uint8]
    finite: npt.NDArray[np.bool_]


def _info(half: Half) -> EncoderInfo:
    slot = half.slot
    return EncoderInfo(slot.slot, slot.encoder, slot.width, slot.max_tokens, slot.weight, half.dtype, half.engine)


class Duet:
    """A loaded duet. All methods may be called from several threads."""

    def __init__(self, manifest: Manifest, folder: Path, runtime: Runtime = TORCH_ON_CPU) -> None:
        """Load both encoders from `folder`; use `load_duet`, which also checks the files.

        Raises WeightsError where files do not make an encoder.
        """
        self.name = manifest.name
        self.fingerprint = fingerprint_of(manifest)
        self.width = sum(SLOT_WIDTHS.values())
        self.weights = (manifest.code.weight, manifest.text.weight)
        self.code, self.text = (
            Half(slot, folder / slot.slot, manifest.dtype, manifest.lift_seed, runtime) for slot in manifest.slots
        )
        self.encoders = tuple(_info(half) for half in (self.code, self.text))
        self._manifest = manifest
        self._folder = folder
        self._sketcher = Sketcher(self.width, manifest.sketch_seed)

    def width_of(self, part: Part) -> int:
        """Return how many numbers a vector has: 2,560, or 1,536 or 1,024 for one half."""
        return self.width if part is Part.BOTH else SLOT_WIDTHS[part]

    def tokenise(self, texts: Sequence[str], role: Role, part: Part = Part.BOTH) -> list[Tokens]:
        """Tokenise texts for the encoders of `part`, each with its prefix for `role`."""
        nothing = [HalfTokens((), 0)] * len(texts)
        code = nothing if part is Part.TEXT else self.code.tokenise(texts, role)
        text = nothing if part is Part.CODE else self.text.tokenise(texts, role)
        return [Tokens(role, c.ids, t.ids, c.count, t.count) for c, t in zip(code, text, strict=True)]

    def encode(
        self, tokens: Sequence[Tokens], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
    ) -> Encoded:
        """Turn texts, tokenised for `part`, into vectors, in order.

        A vector does not depend on the other texts: to 1e-6 in float32 and int8, to 1e-3 in bfloat16. A half alone is
        its lifted unit vector; the other encoder does not run. A text for which an encoder gives numbers that are not
        finite, or no length, is flagged, not raised. `before_pass` is called before each pass of an encoder, and may
        encode other texts.
        """
        if part is not Part.BOTH:
            embeddings, finite = self._half(tokens, part, before_pass)
            return Encoded(embeddings, np.zeros((len(tokens), 0), np.uint8), finite)
        code, text, finite = self.halves(tokens, before_pass)
        embeddings = fuse(code, text, *self.weights)
        embeddings[~finite] = 0
        return Encoded(embeddings, self._sketcher.sketch(embeddings), finite)

    def halves(
        self, tokens: Sequence[Tokens], before_pass: Callable[[], None] = lambda: None
    ) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """Return both halves, lifted unit vectors [n, 1536] and [n, 1024], not weighted, and which rows are finite."""
        code, code_finite = self._half(tokens, Part.CODE, before_pass)
        text, text_finite = self._half(tokens, Part.TEXT, before_pass)
        return code, text, code_finite & text_finite

    def _half(
        self, tokens: Sequence[Tokens], part: Part, before_pass: Callable[[], None]
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        roles = [t.role for t in tokens]
        if part is Part.CODE:
            return self.code.encode([t.code_ids for t in tokens], roles, before_pass)
        return self.text.encode([t.text_ids for t in tokens], roles, before_pass)

    def self_test(self) -> None:
        """Compare a few fixed texts with the duet's reference vectors, and its states with those its manifest knows.

        Raises SelfTestError when there are no references for this fingerprint, or a number is off.
        """
        self_test.check_golden(self)
        self_test.compare(self, self_test.references(self._manifest, self._folder))


def load_duet(
    name: str, models_dir: Path | None = None, threads: int | None = None, runtime: Runtime | None = None
) -> Duet:
    """Load a duet from the model store; nothing is fetched.

    `models_dir` defaults to the store of this user; `threads` sets torch's threads for the whole process; `runtime` is
    that of PGDUET_ENGINE and PGDUET_DEVICE by default. Every file is
    checked against its sha256. Raises StoreError when the duet is absent or damaged, WeightsError when its files do not
    make the two encoders.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    folder = store.duet_folder(name, models_dir)
    return Duet(store.checked_manifest(folder), folder, wished_runtime() if runtime is None else runtime)
