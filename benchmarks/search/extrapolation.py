"""What a larger table would cost, from the constants of the measured one."""

from collections.abc import Sequence
from typing import Any

from contenders import DOCUMENTED, OURS

from pgduet.migrations.keeper.policy import build_memory, wanted_lists

ROWS = (1_000_000, 10_000_000)
# k-means goes about so often over its 50 samples a list: from builds of 50,000 rows with 448 lists and of 200,000 with
# 894, which took 3.5 and 16 s of processor time.
_PASSES = 13
_SAMPLES = 50


def extrapolate(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a line for each size: sizes in GB, build in minutes and MB, processor ms a search at recall 0.95.

    Searches are a range: at the least as many lists are looked through as now, at the most the same share of them.
    """
    ours = _line(result["peers"]["nl"], OURS)
    plain = _line(result["peers"]["nl"], DOCUMENTED)
    rows, lists = result["rows"], ours["lists"]
    seconds_a_step = ours["build_seconds"] / _steps(rows, lists)
    milliseconds_a_row = ours["cpu_ms"] / (rows * ours["probes_or_ef"] / lists)
    found = []
    for size in ROWS:
        wanted = wanted_lists(size)
        least, most = (size * share * milliseconds_a_row for share in _shares(ours["probes_or_ef"], lists, wanted))
        found.append(
            {
                "rows": size,
                "table_gb": size * result["table_bytes_per_row"] / 1e9,
                "index_gb": size * ours["index_mb"] * 2**20 / rows / 1e9,
                "halfvec_index_gb": size * plain["index_mb"] * 2**20 / rows / 1e9,
                "lists": wanted,
                "build_minutes": seconds_a_step * _steps(size, wanted) / 60,
                "build_memory_mb": build_memory(size, "sketch", wanted),
                "search_cpu_ms_least": least,
                "search_cpu_ms_most": most,
            }
        )
    return found


def _line(table: Sequence[dict[str, Any]], peer: str) -> dict[str, Any]:
    return next(line for line in table if line["peer"] == peer and line["target"] == 0.95)


def _steps(rows: int, lists: int) -> int:
    """Count the distances that a build measures: passes over the samples, then every row once."""
    return (_PASSES * min(rows, _SAMPLES * lists) + rows) * lists


def _shares(probes: int, lists: int, wanted: int) -> tuple[float, float]:
    return probes / wanted, probes / lists
