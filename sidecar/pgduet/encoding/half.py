"""One half of a duet: its tokenizer, its encoders and its lift."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pgduet.encoding.architecture import DECODERS, computes_int8, most_tokens, read_architecture, resolve_attention
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.engines import TORCH_ON_CPU, Runtime, build_encoder, runs_onnx
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.manifest import Role, Slot
from pgduet.encoding.tokenizer import HalfTokens, TextTokenizer


class Half:
    """One slot, loaded."""

    def __init__(self, slot: Slot, folder: Path, dtype: str, lift_seed: int, runtime: Runtime = TORCH_ON_CPU) -> None:
        """Load the slot's files from `folder`, one encoder for both roles or one for each where it has adapters.

        Raises WeightsError where they do not make the encoder that the manifest describes.
        """
        self.slot = slot
        self.tokenizer = TextTokenizer(folder / "tokenizer.json", slot.max_tokens, slot.end)
        if not runs_onnx(slot):
            _refuse_misuse(slot, folder, self.tokenizer)
        # An ONNX file computes in float32 whatever the other half does.
        self.dtype = "float32" if runs_onnx(slot) else "int8" if computes_int8(read_architecture(folder)) else dtype
        self.encoders = _encoders(slot, folder, dtype, runtime)
        self.engine = self.encoders[Role.DOCUMENT].model.engine
        width = self.encoders[Role.DOCUMENT].model.width
        if width != slot.width:
            raise WeightsError(f"the encoder in {folder} is {width} wide, its manifest says {slot.width}")
        self._lift = torch.from_numpy(lift_matrix(slot.slot_width, slot.width, lift_seed))

    def tokenise(self, texts: Sequence[str], role: Role) -> list[HalfTokens]:
        """Tokenise texts, each with the prefix for `role`."""
        return self.tokenizer.encode([self.slot.prefix[role] + text for text in texts])

    def encode(
        self, sequences: list[tuple[int, ...]], roles: list[Role], before_pass: Callable[[], None] = lambda: None
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return lifted unit vectors [n, slot width] and which are finite; row i is read as `roles[i]`.

        `before_pass` is called before each pass of an encoder.
        """
        if not self.slot.adapter:
            vectors, finite = self.encoders[Role.DOCUMENT].encode(sequences, before_pass)
        else:
            vectors = np.zeros((len(sequences), self.slot.width), np.float32)
            finite = np.zeros(len(sequences), np.bool_)
            for role, encoder in self.encoders.items():
                rows = [row for row, wanted in enumerate(roles) if wanted is role]
                vectors[rows], finite[rows] = encoder.encode([sequences[row] for row in rows], before_pass)
        # Not by numpy: the threads of its BLAS go on spinning for a while, and take a fifth of the encoders' time.
        return (torch.from_numpy(vectors) @ self._lift.T).numpy(), finite


def _refuse_misuse(slot: Slot, folder: Path, tokenizer: TextTokenizer) -> None:
    """Raise WeightsError where a manifest uses an encoder in a way that gives vectors, but not of the texts."""
    config = read_architecture(folder)
    most = most_tokens(config)
    if most is not None and slot.max_tokens > most:
        raise WeightsError(
            f"the encoder in {folder} has positions for {most} tokens; its manifest says max_tokens {slot.max_tokens}",
            hint=f"set max_tokens to {most} or less",
        )
    if config["model_type"] not in DECODERS:
        return
    if slot.pooling == "cls" and resolve_attention(folder, slot.attention) == "causal":
        raise WeightsError(
            f"the encoder in {folder} is causal: the first token, which pooling 'cls' takes, sees nothing of a text",
            hint='set pooling = "last"',
        )
    if slot.pooling == "last" and not slot.end and not tokenizer.ends_texts:
        raise WeightsError(
            f"the encoder in {folder} pools the last token, and nothing says which token ends its texts",
            hint='set `end` to that token, such as "<|endoftext|>", or to "none" where its authors use none',
        )


def _encoders(slot: Slot, folder: Path, dtype: str, runtime: Runtime) -> dict[Role, Encoder]:
    if slot.adapter:
        return {role: build_encoder(slot, folder, role, dtype, runtime) for role in Role}
    return dict.fromkeys(Role, build_encoder(slot, folder, Role.DOCUMENT, dtype, runtime))
