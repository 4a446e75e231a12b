"""The numbers that the goals are about."""

import math
from collections.abc import Sequence
from typing import Any

from contenders import DOCUMENTED, FAISS, HNSW, OURS, OURS_GRAPH
from tuning import TARGETS

Goal = tuple[str, float, str, bool]


def ratios(table: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return how many times faster than plain IVFFLAT ours is, and how many times slower than HNSW and FAISS.

    By medians at equal recall, the first by processor time too. HNSW is the faster of those that reach the recall; who
    does not reach it has no ratio.
    """
    found: dict[str, float] = {}
    for target in TARGETS:
        at = {line["peer"]: line for line in table if line["target"] == target and line["reached"]}
        if OURS not in at or DOCUMENTED not in at:
            continue
        ours, plain = at[OURS], at[DOCUMENTED]
        found[f"speedup_at_recall_{target}"] = plain["median_ms"] / ours["median_ms"]
        found[f"cpu_speedup_at_recall_{target}"] = plain["cpu_ms"] / ours["cpu_ms"]
        graphs = [at[name]["median_ms"] for name in HNSW if name in at]
        if graphs:
            found[f"times_hnsw_at_recall_{target}"] = ours["median_ms"] / min(graphs)
        if graphs and OURS_GRAPH in at:
            found[f"hnsw_kind_times_hnsw_at_recall_{target}"] = at[OURS_GRAPH]["median_ms"] / min(graphs)
        if FAISS in at:
            found[f"times_faiss_at_recall_{target}"] = ours["median_ms"] / at[FAISS]["median_ms"]
    return found


def goals(result: dict[str, Any]) -> list[Goal]:
    """Return each goal of the parts that ran: its name, what was measured, what is asked for, whether it is met."""
    least = 5 if result["rows"] >= 200_000 else 2
    lines: list[Goal] = []

    def at_least(name: str, value: float, goal: float) -> None:
        lines.append((name, value, f">= {goal}", value >= goal))

    def at_most(name: str, value: float, goal: float) -> None:
        lines.append((name, value, f"<= {goal}", value <= goal))

    at_least("times as fast as documented halfvec IVFFLAT, recall 0.95", result.get("speedup_at_recall_0.95", 0), least)
    for target in TARGETS:
        for prefix, kind in (("", "sketch"), ("hnsw_kind_", "hnsw")):
            key = f"{prefix}times_hnsw_at_recall_{target}"
            if key in result:
                at_most(f"index_kind {kind}: times the better HNSW's time, recall {target}", result[key], 1.5)
    at_most("times FAISS's time, recall 0.95", result.get("times_faiss_at_recall_0.95", math.inf), 3)
    if "growth" in result:
        at_least("recall after growth, once the keeper has run", result["recall_after_growth"], 0.95)
    if "filters" in result:
        at_least("least recall under a filter", min(line["recall"] for line in result["filters"]), 0.95)
        at_most("filters with too few rows", sum(not line["full"] for line in result["filters"]), 0)
    if "clients" in result:
        at_most("errors of 20 clients during a rebuild", result["clients"]["errors"], 0)
        at_most("answers of theirs with too few rows", result["clients"]["short_answers"], 0)
    if "overhead" in result:
        at_most("own overhead of a search, ms", result["overhead"]["overhead_ms"], 1)
    return lines
