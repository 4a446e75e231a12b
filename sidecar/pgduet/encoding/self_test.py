"""What a duet's vectors have to be: fixed texts and the reference vectors that come with pgduet.

`references/<fingerprint>.npy` holds the float16 vectors [6, 2560] of the samples, made with torch 2.13 on x86-64.
"""

from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

from pgduet.encoding.errors import SelfTestError
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.manifest import Role

SAMPLES = (
    ("retry an http call with exponential backoff", Role.QUERY),
    ("Liste sortieren, größte Werte zuerst", Role.QUERY),
    ("def add(a: int, b: int) -> int:\n    return a + b\n", Role.DOCUMENT),
    ("SELECT name FROM users WHERE id = $1;", Role.DOCUMENT),
    ("for (size_t i = 0; i < n; i++) sum += values[i];  // [SEP] </s>", Role.DOCUMENT),
    ("class Stack:\n    def push(self, item):\n        self.items.append(item)\n" * 40, Role.DOCUMENT),
)
# float16 costs about 1e-7 of cosine and another CPU's order of sums less; a wrong prefix, pooling or weight costs 1e-3.
_LEAST_COSINE = 0.99999


def compare(fingerprint: str, embeddings: Floats) -> None:
    """Compare the vectors [6, 2560] of the samples with the references of this fingerprint.

    Raises SelfTestError when there are no references, or a cosine is below 0.99999.
    """
    resource = files("pgduet.encoding").joinpath("references", f"{fingerprint}.npy")
    if not resource.is_file():
        raise SelfTestError(f"there are no reference vectors for the fingerprint {fingerprint}")
    with as_file(resource) as path:
        expected: npt.NDArray[np.float32] = np.load(path, allow_pickle=False).astype(np.float32)
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(embeddings, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = (expected * embeddings).sum(axis=1) / lengths
    # Not-a-number must fail, so the comparison is for what is good.
    if not (cosines >= _LEAST_COSINE).all():
        raise SelfTestError(
            f"the vectors of {fingerprint} are off: a cosine of {np.nanmin(cosines):.6f} to the reference vectors",
            hint="check the files with `pgduet models verify`, then the versions of torch, transformers and tokenizers",
        )
