"""The duets that are served, and how they come and go while the sidecar runs."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import grpc
import structlog

from pgduet.encoding import StoreError
from pgduet.encoding.store.layout import is_name
from pgduet.errors import PgduetError
from pgduet.serving.calls import Refusal
from pgduet.serving.engine import Engine
from pgduet.serving.loading import Store, give_memory_back
from pgduet.serving.memory import Memory
from pgduet.serving.metrics import Metrics
from pgduet.serving.recent import RecentQueries
from pgduet.serving.settings import Settings
from pgduet.serving.turns import Turns

if TYPE_CHECKING:
    from pgduet.encoding import Duet

_log = structlog.stdlib.get_logger("pgduet.serving.models")


class Served:
    """A loaded duet with its engine; `ended` completes when the engine's model thread ends."""

    def __init__(self, duet: "Duet", engine: Engine, ended: "asyncio.Future[None]", keep_queries: int) -> None:
        self.duet = duet
        self.engine = engine
        self.ended = ended
        # A query's vector of one duet means nothing to another.
        self.recent = RecentQueries(keep_queries)
        self.idle = asyncio.Event()
        self.idle.set()
        self._calls = 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the duet loaded while the block runs."""
        self._calls += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self.idle.set()


class Models:
    """Load and unload duets by name. Not thread-safe: the event loop owns it.

    `failure` gets the error of a duet without which the sidecar cannot go on: one that was named at the start, or the
    last one.
    """

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._store = store
        self._metrics = metrics
        metrics.models.set_function(lambda: len(self._served))
        self._turns = Turns()
        self._served: dict[str, Served] = {}
        self._loading: dict[str, asyncio.Task[Served]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._memory = Memory(settings.model_bytes)
        # Those that left to make room: who asks for one has it loaded again.
        self._evicted: set[str] = set()
        self._returning: set[asyncio.Task[tuple[Served, bool]]] = set()
        # All whose threads may run, those that load or leave too.
        self._engines: list[Engine] = []
        # One at a time: transformers changes torch's default number type, which all threads share, while it builds.
        self._load_turn = asyncio.Lock()

    async def start(self) -> None:
        """Load the duets named in the settings, in order; raises what kept one from being loaded."""
        tasks = [self._begin(name, partial(self._store.load, name, fetch=True)) for name in self._settings.model]
        await asyncio.gather(*tasks)
        for name in self._settings.model:
            self._memory.hold(name, await self._size(name))

    def all(self) -> "list[Duet]":
        """Return the duets that may be used now."""
        return [served.duet for served in self._served.values()]

    def get(self, name: str) -> Served:
        """Return what serves a duet; refuses with NOT_FOUND, or with UNAVAILABLE while it loads.

        One that had left to make room begins to load.
        """
        if served := self._served.get(name):
            self._memory.use(name)
            return served
        if name in self._evicted:
            self._bring_back(name)
        if name in self._loading or name in self._evicted:
            message = f"the model {name} is loading; try again in a few seconds"
            raise Refusal(grpc.StatusCode.UNAVAILABLE, message)
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"no model {name[:80]!r} is served here; served: {self._names()}")

    async def load(self, name: str) -> tuple[Served, bool]:
        """Serve a duet of the store, and tell whether that took loading; several calls for one name load it once.

        A load goes on when the caller is cancelled. Refuses a name that is none, is not in the store, or has no room;
        a duet that cannot be used; and one whose files in the store are not those that are served.
        """
        if not is_name(name):
            message = f"no duet can be called {name[:80]!r}; name one of the model store, never a path"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        stored = await asyncio.to_thread(self._stored, name)
        size = None
        while (task := self._loading.get(name)) is None or name in self._leaving:
            if leaving := self._leaving.get(name):
                await asyncio.wait((leaving,))
            elif served := self._served.get(name):
                self._refuse_replaced(served, stored)
                return served, False
            elif isinstance(stored, PgduetError):
                absent = isinstance(stored, StoreError)
                raise _refusal(stored, grpc.StatusCode.NOT_FOUND if absent else grpc.StatusCode.FAILED_PRECONDITION)
            elif size is None:
                size = await self._size(name)
            elif leaving := self._make_room(name, size):
                await asyncio.wait((leaving,))
            else:
                self._memory.hold(name, size)
                task = self._begin(name, partial(self._store.load, name))
                break
        try:
            return await asyncio.shield(task), True
        except PgduetError as error:
            raise _refusal(error, grpc.StatusCode.FAILED_PRECONDITION) from error
        except Exception as error:
            message = f"the model {name} could not be loaded: {type(error).__name__}; see the sidecar's log"
            raise Refusal(grpc.StatusCode.INTERNAL, message) from error

    async def unload(self, name: str) -> list[str]:
        """Stop serving a duet, wait for its calls in flight, give its memory back; return the names still served.

        The unloading goes on when the caller is cancelled. The last duet is refused.
        """
        if name in self._evicted:
            self._evicted.discard(name)
            return list(self._served)
        task = self._leaving.get(name)
        if task is None:
            self.get(name)
            if len(self._served) == 1:
                message = f"{name} is the only model that is served; load another one first, or stop the sidecar"
                raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)
            task = self._retire(name)
        await asyncio.shield(task)
        return list(self._served)

    def close(self) -> None:
        """End the model threads after what they do now; work that waits fails."""
        for engine in self._engines:
            engine.close()

    def _names(self) -> str:
        return ", ".join((*self._served, *(f"{name} (loading)" for name in self._loading))) or "none"

    def _stored(self, name: str) -> str | PgduetError:
        """Return the fingerprint of what the store holds, or why there is none."""
        try:
            return self._store.fingerprint(name)
        except PgduetError as error:
            return error

    def _refuse_replaced(self, served: Served, stored: str | PgduetError) -> None:
        if isinstance(stored, StoreError):
            return  # removed meanwhile, which what is in memory does not mind
        if isinstance(stored, PgduetError):
            raise _refusal(stored, grpc.StatusCode.FAILED_PRECONDITION)
        if stored != served.duet.fingerprint:
            name = served.duet.name
            message = (
                f"{name} is served with fingerprint {served.duet.fingerprint}, the model store now holds {stored}; "
                f"unload it first: pgduet models load {name} --unload"
            )
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)

    async def _size(self, name: str) -> int:
        """Return the bytes of a duet's weights, where they are limited; what its files hide is told when they load."""
        if not self._memory.most:
            return 0
        try:
            return await asyncio.to_thread(self._store.weights_bytes, name)
        except (PgduetError, OSError, ValueError, LookupError):
            return 0

    def _make_room(self, name: str, size: int) -> "asyncio.Task[None] | None":
        """Return the leaving of another duet that a load has to wait for; None where there is room.

        Refuses where there is none, and will be none.
        """
        # One that leaves still has its memory.
        held = [*self._served, *self._loading, *self._leaving]
        many = len(held) >= self._settings.max_models
        if not many and not self._memory.lacks(size):
            return None
        if self._memory.most and self._leaving:
            return next(iter(self._leaving.values()))
        for one in self._memory.longest_unused() if self._memory.most else ():
            if one in self._served and one not in self._settings.model and self._served[one].idle.is_set():
                _log.info("a model leaves to make room", model=one, room_for=name)
                self._evicted.add(one)
                return self._retire(one)
        if many:
            message = (
                f"{name} would be one model too many: PGDUET_MAX_MODELS is {self._settings.max_models}, in memory are "
                f"{', '.join(held)}; unload one first (pgduet models load NAME --unload), or raise the limit"
            )
        else:
            message = (
                f"the weights of {name} take {size / 1e6:,.0f} MB, too much beside what cannot leave now "
                f"({self._memory}): PGDUET_MODEL_BYTES is {self._memory.most:,}; try again, or raise the limit"
            )
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, message)

    def _bring_back(self, name: str) -> None:
        """Load a duet again that had left to make room."""
        if name in self._loading or any(task.get_name() == name for task in self._returning):
            return
        task = asyncio.create_task(self.load(name), name=name)
        self._returning.add(task)

        def note(done: "asyncio.Task[tuple[Served, bool]]") -> None:
            self._returning.discard(done)
            error = None if done.cancelled() else done.exception()
            if isinstance(error, Refusal) and error.code is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                # It will not come back: from now on who asks is told that it is not served.
                self._evicted.discard(name)
            if error:
                _log.warning("the model was not loaded again", model=name, why=str(error))

        task.add_done_callback(note)

    def _begin(self, name: str, load: "Callable[[], Duet]") -> "asyncio.Task[Served]":
        task = asyncio.create_task(self._load(name, load))
        self._loading[name] = task
        return task

    async def _load(self, name: str, load: "Callable[[], Duet]") -> Served:
        settings = self._settings
        engine = Engine(
            batch_tokens=settings.batch_tokens,
            bulk_tokens=settings.bulk_tokens,
            queue_tokens=settings.queue_tokens,
            turns=self._turns,
            metrics=self._metrics.of_model(name),
        )
        self._engines.append(engine)
        try:
            async with self._load_turn:
                ended = asyncio.wrap_future(engine.start(load))
                loaded = asyncio.wrap_future(engine.loaded)
                await asyncio.wait((loaded, ended), return_when=asyncio.FIRST_COMPLETED)
            if not loaded.done():
                await ended  # raises what ended it
            self._served[name] = served = Served(loaded.result(), engine, ended, settings.keep_queries)
            self._evicted.discard(name)
        except Exception as error:
            _log.warning("the model was not loaded", model=name, exc_info=not isinstance(error, PgduetError))
            self._engines.remove(engine)
            self._memory.free(name)
            engine.close()
            # Its frames hold what was loaded.
            traceback.clear_frames(error.__traceback__)
            await asyncio.to_thread(give_memory_back, engine.pools)
            raise
        finally:
            del self._loading[name]
        ended.add_done_callback(partial(self._note_end, name))
        return served

    def _note_end(self, name: str, ended: "asyncio.Future[None]") -> None:
        """Do without a duet whose model thread failed, where the sidecar can."""
        error = ended.exception()
        served = self._served.get(name)
        if error is None or served is None or served.ended is not ended:
            return
        if name in self._settings.model or len(self._served) == 1:
            if not self.failure.done():
                self.failure.set_result(error)
            return
        _log.error("the model thread ended; the model is no longer served", model=name, exc_info=error)
        traceback.clear_frames(error.__traceback__)
        self._retire(name)

    def _retire(self, name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._leave(name, self._served.pop(name)))
        self._leaving[name] = task
        return task

    async def _leave(self, name: str, served: Served) -> None:
        try:
            await served.idle.wait()
            served.engine.close()
            await asyncio.wait((served.ended,))
            self._engines.remove(served.engine)
            pools = served.engine.pools
            del served
            await asyncio.to_thread(give_memory_back, pools)
        finally:
            self._memory.free(name)
            del self._leaving[name]
        _log.info("model unloaded", model=name)


def _refusal(error: PgduetError, code: grpc.StatusCode) -> Refusal:
    return Refusal(code, f"{error}; {error.hint}" if error.hint else str(error))
