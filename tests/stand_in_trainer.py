"""A trainer as a process of its own that looks often and runs another program: STORE PROGRAM ARGUMENT ..."""

import sys
from pathlib import Path

from pgduet.database.connection import connect
from pgduet.training.requests.options import Options
from pgduet.training.requests.trainer import Trainer, stopping_on_signals

if __name__ == "__main__":
    trainer = Trainer(
        lambda: connect(autocommit=True, application_name="pgduet trainer"),
        Options(poll=0.3, pause=0.3, grace=0.3, models_dir=Path(sys.argv[1]), program=tuple(sys.argv[2:])),
    )
    with stopping_on_signals(trainer):
        trainer.run()
