"""The real server as a process of its own, over a duet that draws vectors of full width: `pgduet serve` in a second.

Reads the settings of `pgduet serve` from PGDUET_*.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from gated_server import GatedDuet, GatedStore, Words
from pgduet.encoding import Part
from pgduet.errors import PgduetError
from pgduet.serving.logs import configure_logs
from pgduet.serving.server import Sidecar
from pgduet.serving.settings import read_settings
from stub_sidecar import stub_vector

# A text with this in it fails, one with the other takes long.
POISON = "poisonous"
SLOW = "slow "


class WideDuet(GatedDuet):
    """Answers as the stub does, at once."""

    def encode(
        self, tokens: Sequence[Words], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
    ) -> Any:
        if any(POISON in token.text for token in tokens):
            raise RuntimeError("no kernel for this text")
        if any(SLOW in token.text for token in tokens):
            self.gate.wait(3)
        name = {Part.BOTH: "both", Part.CODE: "code", Part.TEXT: "text"}[part]
        vectors = np.array([stub_vector(token.text, part=name) for token in tokens], np.float32)
        sketches = np.packbits(vectors > 0, axis=1) if part is Part.BOTH else np.zeros((len(tokens), 0), np.uint8)
        return SimpleNamespace(embeddings=vectors, sketches=sketches, finite=np.ones(len(tokens), bool))

    def width_of(self, part: Part) -> int:
        return {Part.BOTH: 2560, Part.CODE: 1536, Part.TEXT: 1024}[part]


async def _serve() -> int:
    settings = read_settings()
    configure_logs(settings)
    store = GatedStore(None, "small")
    store.duets["small"] = WideDuet("small", "print-1", width=2560)
    sidecar = Sidecar(settings, store)
    await sidecar.listen()
    return await sidecar.run()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_serve()))
    except PgduetError as error:
        sys.exit(f"error: {error}")
