"""From a generation that was judged better to the active one: served, filled, promoted."""

import os
import time

from pgduet.database.errors import DatabaseError
from pgduet.database.generations import Generation, promote, wait_until_ready
from pgduet.errors import PgduetError
from pgduet.training.requests.course import Course

# A sidecar that was started again serves what it was told to then: the new duet is loaded once more.
_STILL_SECONDS = 60.0
_LOOK_SECONDS = 2.0


class Promotion:
    """Have the sidecar serve the new duet, wait until a worker has filled its generation, and promote it."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._connection = course.runs.connection
        self._lacking: int | None = None
        self._moved = 0.0

    def follow(self) -> tuple[str | None, str | None]:
        """Return `promoted` or, where it was not to be, why not; raises what ends the course, and DatabaseError."""
        name = self._course.run.name
        self._load()
        try:
            options = self._course.options
            pause = min(_LOOK_SECONDS, options.poll)
            wait_until_ready(self._connection, name, self._watch, timeout=options.patience, pause=pause)
            promote(self._connection, name, reason=f"fine-tuning run {self._course.run.run_id}")
        except PgduetError as error:
            if isinstance(error, DatabaseError) and error.is_passing:
                raise
            return None, f"not promoted: {error}"
        return "promoted", None

    def _watch(self, found: Generation) -> None:
        self._course.beat("filling")
        if found.lacking != self._lacking:
            self._lacking, self._moved = found.lacking, time.monotonic()
        elif time.monotonic() - self._moved > _STILL_SECONDS:
            self._load()

    def _load(self) -> None:
        options = self._course.options
        address = options.sidecar or os.environ.get("PGDUET_SIDECAR") or self._course.runs.sidecar_address()
        child = self._course.call("loading", "models", "load", self._course.run.name, f"--sidecar={address}")
        self._course.beat("filling", error=f"loading: {child.said()}" if child.code() else "")
        self._moved = time.monotonic()
