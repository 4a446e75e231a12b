"""The round that keeps what BI tools look at: counts, times of the sidecars and the map of chunks."""

from collections.abc import Callable

import structlog

from pgduet.client import SidecarError
from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError
from pgduet.database.snapshots import COUNTED, Snapshots
from pgduet.worker.mapping import keep_map
from pgduet.worker.timing import keep_timings

log = structlog.get_logger("pgduet.worker")


def keep_snapshots(connection: Connection, sidecar: str, stopped: Callable[[], bool]) -> None:
    """Refresh each snapshot that is due and that no other worker refreshes.

    What the database refuses is logged and left to the next round: vectors are worth more. Raises DatabaseError where
    the connection is lost.
    """
    snapshots = Snapshots(connection)
    try:
        done = [name for name in COUNTED if not stopped() and snapshots.count(name)]
        keep_timings(snapshots, sidecar, stopped)
        done += ["code_map"] * keep_map(snapshots, stopped)
    except SidecarError as error:
        log.warning("sidecars were not asked for their times", reason=str(error), hint=error.hint)
    except DatabaseError as error:
        if error.sqlstate is None:
            raise
        if not stopped():
            log.warning("the snapshots were not refreshed", reason=str(error), hint=error.hint)
    else:
        if done:
            log.info("snapshots", refreshed=done)
