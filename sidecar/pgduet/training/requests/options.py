"""What a trainer is told at its start."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.store.layout import store_folder

# Told in a few words what is being done.
Say = Callable[[str], None]
_PROGRAM = (str(Path(sys.executable).with_name("pgduet")),)


@dataclass(frozen=True)
class Options:
    """Hold a trainer's options; times in seconds.

    `pause` comes before a second attempt and doubles with each. `grace` is what a command has to end in. `patience` is
    how long a generation may take to be filled. `sidecar` None means what the settings name. Commands get `dsn` and the
    model store that `models_dir` names, and are run by `program`.
    """

    poll: float = 5.0
    pause: float = 30.0
    grace: float = 10.0
    patience: float = 86_400.0
    sidecar: str | None = None
    models_dir: Path | None = None
    dsn: str = ""
    program: tuple[str, ...] = _PROGRAM

    def folder(self, name: str) -> Path:
        """Return where the run that makes the duet `name` keeps its log and its checkpoints."""
        return self.store.parent / "finetune" / name

    @property
    def store(self) -> Path:
        """Return the folder of the model store."""
        return store_folder(self.models_dir)
