"""What a run gave, kept beside its log, so that the command can be given again after it was cut off at the very end."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pgduet.encoding import fingerprint_of
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.training.tuning.checkpoint import Progress
from pgduet.training.tuning.gate import Gate
from pgduet.training.tuning.held_out import Weights

_FILE = "outcome.json"


@dataclass(frozen=True)
class Tuned:
    """A tuned duet: its name, fingerprint and place in the store, its weights, its judgement, seconds of both parts.

    `again` tells that an earlier run had done all this.
    """

    name: str
    fingerprint: str
    folder: Path
    weights: Weights
    gate: Gate
    progress: Progress
    train_seconds: float
    judge_seconds: float
    again: bool = False


def write_outcome(folder: Path, key: str, tuned: Tuned) -> None:
    """Keep what the run `key` gave, whole or not at all."""
    known = {
        "key": key,
        "fingerprint": tuned.fingerprint,
        "weights": list(tuned.weights),
        "gate": tuned.gate.as_json(),
        "progress": asdict(tuned.progress),
        "train_seconds": tuned.train_seconds,
        "judge_seconds": tuned.judge_seconds,
    }
    partial = folder / f".{_FILE}"
    partial.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, folder / _FILE)


def read_outcome(folder: Path, key: str, name: str, models_dir: Path | None) -> Tuned | None:
    """Return what the run `key` gave; None where it never ended, or its duet is no longer in the store."""
    try:
        known = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        place = duet_folder(name, models_dir)
        fingerprint = fingerprint_of(read_manifest(place / MANIFEST))
    except (OSError, StoreError):
        return None
    if (known["key"], known["fingerprint"]) != (key, fingerprint):
        return None
    scores = {int(step): score for step, score in known["progress"].pop("scores").items()}
    return Tuned(
        name,
        fingerprint,
        place,
        (known["weights"][0], known["weights"][1]),
        Gate.from_json(known["gate"]),
        Progress(**known["progress"], scores=scores),
        known["train_seconds"],
        known["judge_seconds"],
    )
