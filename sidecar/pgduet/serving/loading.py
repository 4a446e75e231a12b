"""Getting a duet from the store into memory, fit for use."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from pgduet.encoding import StoreError
from pgduet.encoding.store.layout import duet_folder
from pgduet.encoding.store.pull import pull
from pgduet.serving.settings import Settings

if TYPE_CHECKING:
    from pgduet.encoding import Duet

_log = structlog.stdlib.get_logger("pgduet.serving.loading")

# Fetched without asking: its weights are small and free to use, and without it nothing works out of the box.
PULLED_UNASKED = "small"


def load(settings: Settings) -> "Duet":
    """Load the duet that the settings name and test it against its reference vectors; takes seconds.

    Raises StoreError when it is not in the store (`small` is fetched instead), SelfTestError when its vectors are off.
    """
    _ensure_present(settings)
    started = time.perf_counter()
    with _uncollected():
        # Not at the top: this imports torch, and the server answers "loading" before that.
        from pgduet.encoding import load_duet

        duet = load_duet(settings.model, settings.models_dir, settings.threads)
    loaded = time.perf_counter()
    duet.self_test()
    _log.info(
        "model loaded",
        model=duet.name,
        fingerprint=duet.fingerprint,
        load_seconds=round(loaded - started, 2),
        self_test_seconds=round(time.perf_counter() - loaded, 2),
    )
    return duet


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


def _ensure_present(settings: Settings) -> None:
    try:
        duet_folder(settings.model, settings.models_dir)
    except StoreError:
        if settings.model != PULLED_UNASKED:
            raise
        _log.info("fetching the model, which may take a minute", model=settings.model)
        pull(settings.model, settings.models_dir)
