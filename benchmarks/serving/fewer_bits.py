"""`small` in fewer bits, as `pgduet models shrink` makes it, in a store of its own."""

import shutil
from pathlib import Path

from pgduet.encoding.store.layout import duet_folder
from pgduet.encoding.store.shrinking import Shrink, shrink

KINDS = {
    "int8": Shrink({}, int8=True, activations=True),
    "bfloat16": Shrink({}, bfloat16=True),
}


def small_in(kind: str, work: Path) -> tuple[str, Path]:
    """Make the duet in a folder; return its name and its store. What it costs in quality is measured elsewhere."""
    name, store = f"small-{kind}", work / f"models-{kind}"
    shutil.copytree(duet_folder("small"), store / "small")
    shrink("small", name, KINDS[kind], lambda *_: None, store)
    return name, store
