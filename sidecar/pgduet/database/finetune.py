"""Fine-tuning runs that were asked for, as a trainer sees them; each call is one short transaction."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from pgduet.database.connection import Connection, is_pooled
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.queries import load_queries

CHANNEL = "pgduet_finetune"
_LOCK_NOT_AVAILABLE = "55P03"
_NOT_SUPPORTED = "0A000"
_NOT_ALLOWED = "42501"


class FinetuneRun(NamedTuple):
    """Hold a run that was taken; `begun` where an earlier attempt left checkpoints to go on from."""

    run_id: int
    name: str
    options: dict[str, Any]
    attempts: int
    begun: bool


class FinetuneStep(NamedTuple):
    """Hold one step of a run, counted from 1; `dev_score` where it was checked on held-out pairs."""

    step: int
    loss: float
    gradient_norm: float | None
    learning_rate: float | None
    dev_score: float | None


class FinetuneRuns:
    """Work on the runs under a trainer's name, on one direct connection in autocommit mode, which holds the lock.

    Raises DatabaseError behind a pooler and where the role may not train, and so does every method.
    """

    def __init__(self, connection: Connection, trainer: str) -> None:
        self.connection = connection
        self._trainer = trainer
        if is_pooled(connection):
            raise DatabaseError(
                "a trainer cannot work through a pooler: its lock would belong to another session",
                "name the server itself: --dsn 'host=... port=5432'",
                _NOT_SUPPORTED,
            )
        if not self._one("may_train"):
            raise DatabaseError("this role may not train", "it has to be a member of pgduet_admin", _NOT_ALLOWED)
        self._one("settle_in")
        with readable_errors():
            connection.execute(f"LISTEN {CHANNEL}")

    def lock(self) -> bool:
        """Keep all other trainers of this database from taking runs; return whether none has one in hand."""
        return bool(self._one("try_lock"))

    def unlock(self) -> None:
        """Let others take runs. Does nothing on a connection that is lost: the lock went with it."""
        if not self.connection.broken:
            self._one("unlock")

    def schedule(self) -> int | None:
        """Ask for a run where the schedule says that one is due; return its number."""
        found = self._one("schedule")
        return None if found is None else int(found)

    def take(self, pause: float) -> FinetuneRun | None:
        """Take the oldest run that is due; what a dead trainer left is due `pause` seconds after, and ever later."""
        rows = self._rows("take", pause=pause)
        return FinetuneRun(*rows[0]) if rows else None

    def begin(self, run: FinetuneRun) -> None:
        """Note that training begins anew."""
        self._one("begin", run_id=run.run_id)

    def beat(
        self,
        run: FinetuneRun,
        phase: str,
        *,
        step: int | None = None,
        loss: float | None = None,
        norm: float | None = None,
        score: float | None = None,
        error: str | None = None,
    ) -> bool | None:
        """Say what is being done; return whether somebody wants the run cancelled, None where it is in other hands.

        What is None stays as it was said before; an empty `error` takes it away.
        """
        values = {"step": step, "loss": loss, "norm": norm, "score": score, "error": error}
        try:
            found = self._one("beat", run_id=run.run_id, phase=phase, **values)
        except DatabaseError as failure:
            # Somebody's open transaction has the row: the next beat tells.
            if failure.sqlstate != _LOCK_NOT_AVAILABLE:
                raise
            return False
        return None if found is None else bool(found)

    def note_steps(self, run: FinetuneRun, steps: Sequence[FinetuneStep]) -> None:
        """Keep steps for the run's curve, in the place of those kept before by the same number and of all later ones.

        Numbers are finite. Does nothing where the run is in other hands. Waits for no lock.
        """
        told = json.dumps([step._asdict() for step in steps], allow_nan=False)
        self._one("steps", run_id=run.run_id, steps=told)

    def judged(self, run: FinetuneRun) -> bool | None:
        """Note the generation that the run made; return whether it passed, None where none was made and judged."""
        found = self._one("judged", run_id=run.run_id)
        return None if found is None else bool(found)

    def put_back(self, run: FinetuneRun, error: str | None = None, *, pause: float = 0, resume: bool = True) -> str:
        """Leave a run to another attempt; return its state then.

        Without an error the attempt does not count. With one the next is due after `pause` seconds, doubled with each,
        and begins anew unless `resume`.
        """
        return str(self._one("put_back", run_id=run.run_id, error=error, pause=pause, resume=resume))

    def end(self, run: FinetuneRun, state: str, status: str | None = None, error: str | None = None) -> None:
        """End a run; without a status that of its judgement stays."""
        self._one("end", run_id=run.run_id, state=state, status=status, error=error)

    def sidecar_address(self) -> str:
        """Read where the settings say that the sidecar is."""
        return str(self._one("address"))

    def _one(self, query: str, **values: Any) -> Any:
        rows = self._rows(query, **values)
        return rows[0][0] if rows else None

    def _rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        # PostgreSQL's text holds no NUL; what a command says may.
        clean = {key: value.replace("\0", "") if isinstance(value, str) else value for key, value in values.items()}
        with readable_errors():
            queries = load_queries("finetune")
            return self.connection.execute(queries[query], {"trainer": self._trainer, **clean}).fetchall()
