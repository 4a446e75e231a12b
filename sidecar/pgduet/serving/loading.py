"""Getting a duet from the store into memory, fit for use, and out of it again."""

import ctypes
import gc
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from pgduet.encoding import StoreError, fingerprint_of
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.store.pull import pull
from pgduet.encoding.store.weighing import weights_bytes
from pgduet.serving.settings import Settings

if TYPE_CHECKING:
    from pgduet.encoding import Duet

_log = structlog.stdlib.get_logger("pgduet.serving.loading")

# Fetched without asking: its weights are small and free to use, and without it nothing works out of the box.
PULLED_UNASKED = "small"


class Store:
    """The model store that the settings name, as the sidecar uses it."""

    def __init__(self, settings: Settings) -> None:
        self._models_dir = settings.models_dir
        self._threads = settings.threads

    def fingerprint(self, name: str) -> str:
        """Return the fingerprint of the duet that the store holds now, told by its manifest alone.

        Raises StoreError when it is not there, ManifestError when its manifest cannot be used.
        """
        return fingerprint_of(read_manifest(duet_folder(name, self._models_dir) / MANIFEST))

    def weights_bytes(self, name: str) -> int:
        """Return the bytes of memory that a duet's weights take; raises as `pgduet.encoding.store.weighing` does."""
        return weights_bytes(duet_folder(name, self._models_dir))

    def load(self, name: str, *, fetch: bool = False) -> "Duet":
        """Load a duet and test it against its reference vectors; takes seconds.

        Raises StoreError when it is not in the store (with `fetch`, `small` is fetched instead) or is damaged,
        WeightsError or SelfTestError when its files do not make what its manifest says.
        """
        if fetch:
            self._fetch_missing(name)
        started = time.perf_counter()
        _log.info("loading; the first time here an encoder may be exported for OpenVINO, up to a minute", model=name)
        with _uncollected():
            # Not at the top: this imports torch, and the server answers "loading" before that.
            from pgduet.encoding import load_duet

            duet = load_duet(name, self._models_dir, self._threads)
        loaded = time.perf_counter()
        duet.self_test()
        _log.info(
            "model loaded",
            model=duet.name,
            fingerprint=duet.fingerprint,
            engines=[half.engine for half in duet.encoders],
            load_seconds=round(loaded - started, 2),
            self_test_seconds=round(time.perf_counter() - loaded, 2),
        )
        return duet

    def _fetch_missing(self, name: str) -> None:
        try:
            duet_folder(name, self._models_dir)
        except StoreError:
            if name != PULLED_UNASKED:
                raise
            _log.info("fetching the model, which may take a minute", model=name)
            pull(name, self._models_dir)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make what is loaded inside exempt from garbage collection.

    Modules and vocabularies are a million objects that all stay: looking through them takes a third of the loading
    time, and later lengthens every full collection.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def give_memory_back(pools: Iterable[Executor] = ()) -> None:
    """Give the memory of a duet that nobody refers to back to the system; takes about 0.3 s, and Python stands still.

    `pools` are those that worked for the duet: a thread holds what it ran until it has gone on to wait or to end.

    Weights of some megabytes come from the heap of the C library, which keeps what is freed there: without trimming,
    two thirds of what `small` took stayed with the process.
    """
    for pool in pools:
        pool.shutdown(wait=True)
    # A part of a duet in a reference cycle was made exempt when it was loaded.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # other C libraries than glibc have none
        trim(0)
