"""A worker: lanes that drain the queue, and the rounds that reconcile and keep the index, until it is told to stop."""

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from types import FrameType

import structlog

from pgduet.client import SidecarBusyError, SidecarError
from pgduet.database.connection import Connection, cancel, is_pooled
from pgduet.database.errors import DatabaseError, SchemaError, readable_errors
from pgduet.database.generations import settle_generations
from pgduet.database.queue import Queue
from pgduet.errors import PgduetError
from pgduet.migrations.keeper import keep_index
from pgduet.migrations.schema import require_known
from pgduet.worker.embedding import Embedder, is_permanent
from pgduet.worker.heart import Heart
from pgduet.worker.lane import Lane
from pgduet.worker.metrics import Metrics
from pgduet.worker.options import Options
from pgduet.worker.outage import Outage
from pgduet.worker.patience import Patience
from pgduet.worker.sidecar import SidecarPlace
from pgduet.worker.snapshots import keep_snapshots
from pgduet.worker.sources import reconcile_sources, work_sources
from pgduet.worker.waking import Waker

_INDEX_SECONDS = 30.0
_GENERATIONS_SECONDS = 30.0
_SNAPSHOTS_SECONDS = 15.0
_STEP_SECONDS = 0.5
# Between two looks at a queue that holds nothing to take: rows of chunks that others have in hand count as due.
_SHORTEST_WAIT = 0.5
_REPORT_SECONDS = 2.0
# How long calls in flight may take to end once the worker is told to stop.
_GRACE_SECONDS = 10.0
# Raised where another sidecar's vectors came first: somebody has to mend that, and then work goes on.
_OTHER_FINGERPRINT = "55000"
_GIVING_BACK_SECONDS = 2.0
# What is due this soon is waited for before a single pass ends.
_SOON = 2.0

Connect = Callable[[], Connection]
Progress = Callable[[int, int], None]

log = structlog.get_logger("pgduet.worker")


class Worker:
    """Drain the queue with several lanes, each on a connection of its own made by `connect` (autocommit).

    `progress` is told every two seconds how many vectors were written and how many chunks wait.
    """

    def __init__(self, connect: Connect, options: Options | None = None, progress: Progress | None = None) -> None:
        self._connect = connect
        self._options = options or Options()
        self._progress = progress
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.metrics = Metrics()
        self._outage = Outage(self._options.longest_pause)
        self._stopping = threading.Event()
        self._waker = Waker(connect)
        self._place: SidecarPlace | None = None
        self._error: BaseException | None = None
        self._open_connections: dict[Connection, bool] = {}
        self._cut_at: float | None = None
        self._indexing: threading.Thread | None = None
        self._counting: threading.Thread | None = None
        self._newest_generation: int | None = None

    def stop(self) -> None:
        """End soon: calls in flight get ten seconds, then they are cancelled and their chunks given back."""
        if self._stopping.is_set():
            self._cut()
            return
        self._stopping.set()
        self._waker.stop()
        threading.Thread(target=self._end_statements, daemon=True).start()
        timer = threading.Timer(_GRACE_SECONDS, self._cut)
        timer.daemon = True
        timer.start()

    def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once` until nothing is due. Raises PgduetError.

        With `once` an outage is let out too; a sidecar that is late or busy is asked again, for fewer texts.
        """
        if self._options.metrics:
            self.metrics.serve(self._options.metrics)
        self._open(once)
        heart = Heart(self._connect, self.name, self._options.heartbeat, self.metrics, self._outage)
        heart.start()
        self._waker.start()
        lanes = [threading.Thread(target=self._lane, args=(once,)) for _ in range(self._options.concurrency)]
        try:
            if once:
                self._round(self._reconcile, once)
            for lane in lanes:
                lane.start()
            self._keep(lanes, once)
        finally:
            self.stop()
            for lane in lanes:
                if lane.ident is not None:
                    lane.join()
            for thread in (self._indexing, self._counting):
                if thread is not None:
                    thread.join()
            heart.stop()
            heart.join()
            self._waker.join()
            self._cut()
        if self._error is not None:
            raise self._error

    def _open(self, once: bool) -> None:
        """Wait until the database answers, refuse a schema of another version, and find the sidecar's address."""
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    require_known(connection, log.warning)
                    self._place = SidecarPlace(Queue(connection, self.name), self._options)
                    log.info("connected", database=connection.info.dbname, sidecar=self._place.client.address)
                    return
            except PgduetError as error:
                self._wait_out(error, once)

    def _cut(self) -> None:
        self._cut_at = self._cut_at or time.monotonic()
        if self._place is not None:
            self._place.close()

    # --- lanes

    def _lane(self, once: bool) -> None:
        """Turn until stopped; what cannot pass ends the whole worker with it."""
        with self._ending_all():
            while not self._stopping.is_set():
                try:
                    with self._connect() as connection, self._reachable(connection):
                        self._turn(connection, once)
                    if once:
                        return
                except PgduetError as error:
                    self._wait_out(error, once)

    @contextmanager
    def _ending_all(self) -> Iterator[None]:
        """End the whole worker with what ends one of its threads."""
        try:
            yield
        except BaseException as error:
            self._error = self._error or error
            # The others get the grace that a signal gives; where one came already, it runs.
            if not self._stopping.is_set():
                self.stop()

    def _turn(self, connection: Connection, once: bool) -> None:
        assert self._place is not None
        # A name of its own: a lane never gives back what another one has taken up since.
        queue = Queue(connection, f"{self.name}/{threading.get_ident()}")
        queue.release_all()
        with closing(Embedder(self._place.client, deadline=self._place.deadline, most=self._options.batch)) as embedder:
            self._drain(connection, queue, embedder, once)

    def _drain(self, connection: Connection, queue: Queue, embedder: Embedder, once: bool) -> None:
        assert self._place is not None
        lane = Lane(queue, embedder, self._options, self.metrics, self._outage, self._stopping.is_set)
        patience = Patience()
        while not self._stopping.is_set():
            calls = self._waker.calls
            try:
                sources = work_sources(
                    connection, self._place.client, self.name, self._options.lease, self._stopping.is_set
                )
                worked = lane.turn() or sources > 0
                self._outage.over(sidecar=False)
                patience.renew()
            except SidecarError as error:
                # Too late for many texts: half as many are asked for next, which is no reason to end a single pass.
                self._wait_out(error, once and not patience.bears(error))
                embedder.client = self._place.follow(queue)
                continue
            if not worked:
                due = queue.next_due()
                if once and (due is None or due > _SOON):
                    return
                poll = self._options.poll
                self._waker.wait(calls, poll if due is None else min(poll, max(_SHORTEST_WAIT, due)))

    def _wait_out(self, error: PgduetError, once: bool) -> None:
        """Pause for what may pass or be mended; raise what may not."""
        if self._stopping.is_set():
            return
        permanent = isinstance(error, DatabaseError) and not error.is_passing and error.sqlstate != _OTHER_FINGERPRINT
        if once or permanent or isinstance(error, SchemaError):
            raise error
        self.metrics.paused(
            "system_permanent" if isinstance(error, SidecarError) and is_permanent(error) else "system_temporary"
        )
        retry_after = error.retry_after if isinstance(error, SidecarBusyError) else None
        self._stopping.wait(self._outage.pause(error, retry_after))

    # --- rounds

    def _keep(self, lanes: list[threading.Thread], once: bool) -> None:
        """Reconcile and keep the index every now and then while the lanes work."""
        reconciled = indexed = settled = counted = reported = float("-inf")
        while any(lane.is_alive() for lane in lanes):
            now = time.monotonic()
            # Before the other round, which then sees every generation that is known here.
            if not once and now - settled >= _GENERATIONS_SECONDS and not self._stopping.is_set():
                self._round(self._settle_generations, once)
                settled = time.monotonic()
            if not once and now - reconciled >= self._options.reconcile and not self._stopping.is_set():
                self._round(self._reconcile, once)
                reconciled = time.monotonic()
            if not once and (now - indexed >= _INDEX_SECONDS or self._waker.index_asked.is_set()):
                indexed = now if self._start_indexing() else indexed
            if not once and now - counted >= _SNAPSHOTS_SECONDS:
                counted = now if self._start_counting() else counted
            lanes[0].join(_STEP_SECONDS)
            if now - reported >= _REPORT_SECONDS:
                self._report()
                reported = now
        if once and self._error is None and not self._stopping.is_set():
            self._look_after_index(once)
            self._round(self._settle_generations, once)
            self._round(self._keep_snapshots, once)

    def _start_indexing(self) -> bool:
        """Look after the index on a thread of its own, unless one still does: a build takes minutes, or more."""
        if self._stopping.is_set() or (self._indexing is not None and self._indexing.is_alive()):
            return False
        self._waker.index_asked.clear()
        self._indexing = threading.Thread(target=self._look_after_index, args=(False,), name="index")
        self._indexing.start()
        return True

    def _start_counting(self) -> bool:
        """Refresh the snapshots on a thread of its own, unless one still does: a map of millions takes minutes."""
        if self._stopping.is_set() or (self._counting is not None and self._counting.is_alive()):
            return False
        self._counting = threading.Thread(target=self._count, name="snapshots")
        self._counting.start()
        return True

    def _count(self) -> None:
        with self._ending_all():
            self._round(self._keep_snapshots, False)

    def _look_after_index(self, once: bool) -> None:
        if self._options.index:
            with self._ending_all():
                self._round(self._keep_index, once)

    def _round(self, work: Callable[[Connection], None], once: bool) -> None:
        """Work beside the lanes; where the database refuses or is lost, the next round makes up for it."""
        try:
            with self._connect() as connection, self._reachable(connection, is_round=True):
                if not self._stopping.is_set():
                    work(connection)
        except PgduetError as error:
            if once:
                raise
            log.warning("a round was left out", reason=str(error), hint=error.hint)

    def _reconcile(self, connection: Connection) -> None:
        enqueued, removed = Queue(connection, self.name).reconcile(self._stopping.is_set)
        rows = reconcile_sources(connection)
        log.info("reconciled", queued=enqueued, removed=removed, rows_of_watched_tables=rows)
        self._waker.wake()

    def _settle_generations(self, connection: Connection) -> None:
        """Call generations ready that are complete, and queue all chunks for one that was added."""
        newest = settle_generations(connection)
        if self._newest_generation is not None and newest is not None and newest > self._newest_generation:
            self._reconcile(connection)
        self._newest_generation = newest

    def _keep_snapshots(self, connection: Connection) -> None:
        assert self._place is not None
        keep_snapshots(connection, self._place.client.address, self._stopping.is_set)

    def _keep_index(self, connection: Connection) -> None:
        if is_pooled(connection):
            log.info("the index is not kept through a pooler", hint="run `pgduet db index` on a direct connection")
            return
        try:
            with readable_errors():
                log.info("index", state=keep_index(connection))
        except DatabaseError as error:
            if error.sqlstate is None:
                raise
            if self._stopping.is_set():
                log.info("the index is left to the next worker")
                return
            # Vectors are worth more than the index: searches work without it.
            log.warning("the index was not looked after", reason=str(error), hint=error.hint)

    @contextmanager
    def _reachable(self, connection: Connection, *, is_round: bool = False) -> Iterator[None]:
        """Let a stop reach what a connection is just doing, such as building an index or waiting for a lock."""
        self._open_connections[connection] = is_round
        try:
            yield
        finally:
            self._open_connections.pop(connection)

    def _end_statements(self) -> None:
        """Cancel what rounds are doing, and what lanes do that were cut off and do not end; until all end."""
        # A cancelled statement is an ERROR in the server's log, which somebody reads: most end by themselves.
        time.sleep(_STEP_SECONDS)
        while self._open_connections:
            is_late = self._cut_at is not None and time.monotonic() - self._cut_at > _GIVING_BACK_SECONDS
            for connection, is_round in list(self._open_connections.items()):
                if is_round or is_late:
                    cancel(connection)
            # Whoever was cancelled has time to give back what it holds.
            time.sleep(_GIVING_BACK_SECONDS if is_late else _STEP_SECONDS)

    def _report(self) -> None:
        if self._progress is None:
            return
        # A bar is no reason to fail: the lanes tell of outages.
        with suppress(PgduetError), self._connect() as connection:
            self._progress(self.metrics.embedded_total, Queue(connection, self.name).waiting())


@contextmanager
def stopping_on_signals(worker: Worker) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop a worker inside the block; the second at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
