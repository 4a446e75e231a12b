"""`small` in eight bits, as `pgduet models shrink --int8-activations` makes it, in a store of its own."""

import shutil
from pathlib import Path

from pgduet.encoding.store.layout import duet_folder
from pgduet.encoding.store.shrinking import Shrink, shrink

NAME = "small-int8"


def int8_store(work: Path) -> Path:
    """Make the duet in a folder; return its store. What it costs in quality is measured elsewhere."""
    store = work / "models"
    shutil.copytree(duet_folder("small"), store / "small")
    shrink("small", NAME, Shrink({}, int8=True, activations=True), lambda *_: None, store)
    return store
