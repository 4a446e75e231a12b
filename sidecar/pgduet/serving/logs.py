"""Logs to stderr: one line per event, JSON for machines or columns for people. Texts never stand in them."""

import logging
import sys

import structlog
from structlog.typing import Processor

from pgduet.serving.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Send structlog's events and those of libraries to stderr in one format.

    `auto` means columns on a terminal and JSON elsewhere.
    """
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if as_json:
        shared.append(structlog.processors.format_exc_info)
    # Its own tracebacks show variables, and so texts.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else console
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries say little of use below a warning; our own level is filtered by the wrapper above.
    root.setLevel(logging.WARNING)
    logging.getLogger("pgduet").setLevel(logging.DEBUG)
