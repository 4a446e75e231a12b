"""What a duet's vectors have to be: fixed texts and their reference vectors, and known states of real weights.

The vectors, float16 [6, 1536 + 1024], come with pgduet as `references/<fingerprint>.npy` (made with torch 2.13 on
x86-64), or stand beside the manifest as `references.npy`, made when the duet was put into the store. Only the direction
of each half counts.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pgduet.encoding.errors import SelfTestError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.manifest import SLOT_WIDTHS, Manifest, Role
from pgduet.encoding.store.layout import REFERENCES

if TYPE_CHECKING:
    from pgduet.encoding.duet import Duet

SAMPLES = (
    ("retry an http call with exponential backoff", Role.QUERY),
    ("Liste sortieren, größte Werte zuerst", Role.QUERY),
    ("def add(a: int, b: int) -> int:\n    return a + b\n", Role.DOCUMENT),
    ("SELECT name FROM users WHERE id = $1;", Role.DOCUMENT),
    ("for (size_t i = 0; i < n; i++) sum += values[i];  // [SEP] </s>", Role.DOCUMENT),
    ("class Stack:\n    def push(self, item):\n        self.items.append(item)\n" * 40, Role.DOCUMENT),
)
# float16 costs about 1e-7 of cosine and another CPU's order of sums less; a wrong prefix, pooling or weight costs 1e-3.
# bfloat16 has 8 bits: another machine's order of sums may cost what the type itself costs. In int8 a number that
# differs in its last bit may be rounded to the next whole one.
_LEAST_COSINE = {"float32": 0.99999, "bfloat16": 0.9995, "int8": 0.999}
# Largest difference of a state. Another adapter moves the golden values of jina v3 by 0.1 to 1.4.
_GOLDEN_TOLERANCE = {"float32": 2e-4, "bfloat16": 0.1, "int8": 0.1}
# Samples have nothing in common; a cosine above this is a pooled token that sees nothing of the text.
_LIKE_ANY_OTHER = 1 - 1e-6
_HINT = "check the files with `pgduet models verify`, then the versions of torch, transformers and tokenizers"


def make_references(duet: "Duet") -> npt.NDArray[np.float16]:
    """Embed the samples as the reference vectors [6, 2560] to keep: both halves side by side, each of length 1.

    Raises SelfTestError where a sample has no vector, or a half gives the same one for different samples: such a duet
    is of no use.
    """
    halves = _halves(duet)
    for half, rows in zip((duet.code, duet.text), halves, strict=True):
        if not np.linalg.norm(rows, axis=1).all():
            problem = "gives numbers that are not finite for a plain text"
        elif (rows @ rows.T)[np.triu_indices(len(rows), 1)].max() > _LIKE_ANY_OTHER:
            problem = "gives the same vector for different texts"
        else:
            continue
        raise SelfTestError(f"the {half.slot.slot} encoder {half.slot.encoder} {problem}", hint=_HINT)
    return np.concatenate(halves, axis=1).astype(np.float16)


def _halves(duet: "Duet") -> tuple[Floats, Floats]:
    tokens = [token for text, role in SAMPLES for token in duet.tokenise([text], role)]
    code, text, _ = duet.halves(tokens)
    return code, text


def shipped(fingerprint: str) -> bool:
    """Tell whether reference vectors for `fingerprint` come with pgduet."""
    return files("pgduet.encoding").joinpath("references", f"{fingerprint}.npy").is_file()


def references(manifest: Manifest, folder: Path) -> Floats:
    """Read the reference vectors [6, 2560] of a duet; those that come with pgduet win over those in its `folder`.

    Raises SelfTestError when there are none.
    """
    fingerprint = fingerprint_of(manifest)
    if shipped(fingerprint):
        with as_file(files("pgduet.encoding").joinpath("references", f"{fingerprint}.npy")) as path:
            return _read(path)
    if manifest.references:
        return _read(folder / REFERENCES)
    raise SelfTestError(
        f"there are no reference vectors for the duet {manifest.name!r} with fingerprint {fingerprint}",
        hint="put it into the store with `pgduet models import`, which makes them",
    )


def _read(path: Path) -> Floats:
    vectors: npt.NDArray[np.float16] = np.load(path, allow_pickle=False)
    return vectors.astype(np.float32)


def compare(duet: "Duet", expected: Floats) -> None:
    """Compare both halves of the samples with the references [6, 2560], each for itself.

    On the fused vector a half of little weight could be anything. Raises SelfTestError when a cosine is below 0.99999
    (float32), 0.9995 (bfloat16) or 0.999 (int8).
    """
    split = SLOT_WIDTHS["code"]
    for half, rows, known in zip(
        (duet.code, duet.text), _halves(duet), (expected[:, :split], expected[:, split:]), strict=True
    ):
        lengths = np.linalg.norm(known, axis=1) * np.linalg.norm(rows, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            cosines = (known * rows).sum(axis=1) / lengths
        # Not-a-number must fail, so the comparison is for what is good.
        if not (cosines >= _LEAST_COSINE[half.dtype]).all():
            worst = float(np.nan_to_num(cosines, nan=-1).min())
            raise SelfTestError(
                f"the {half.slot.slot} vectors of {duet.fingerprint} are off: a cosine of {worst:.6f} to the reference "
                "vectors",
                hint=_HINT,
            )


def check_golden(duet: "Duet") -> None:
    """Compare the states of both encoders with the golden values of their manifest, where it has any.

    Raises SelfTestError naming the first state that is off: the weights, an adapter or the tokenizer is not the
    authors'.
    """
    for half in (duet.code, duet.text):
        for golden in half.slot.golden:
            (tokens,) = half.tokenizer.encode([golden.text])
            states = half.encoders[golden.role].states(tokens.ids)
            expected = np.array(golden.values, np.float32)
            found = states[golden.token : golden.token + expected.shape[0], 1 : 1 + expected.shape[1]]
            off = float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf
            if not off <= _GOLDEN_TOLERANCE[half.dtype]:
                raise SelfTestError(
                    f"the {half.slot.slot} encoder {half.slot.encoder} is not the authors': as {golden.role} a state "
                    f"differs by {off:.4f} from its known value",
                    hint=_HINT,
                )
