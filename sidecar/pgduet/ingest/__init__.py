"""Loads source trees into `pgduet.code_chunks` and keeps them in step, chunk by chunk."""

from pgduet.ingest.loading import DEFAULT_MAX_BYTES, ingest
from pgduet.ingest.report import Progress, Report

__all__ = ["DEFAULT_MAX_BYTES", "Progress", "Report", "ingest"]
