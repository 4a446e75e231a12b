"""All peers on the same vectors and questions: each at the smallest setting that reaches a recall, measured in turn."""

from typing import Any

import numpy as np
from contenders import contenders
from data import Documents, Questions, Truth
from report import race_table
from tuning import TARGETS, Tuned, Tuner, measure, settle

from pgduet.local.cluster import Cluster

# A round asks every peer once; beyond 50,000 chunks the exact ones and those of a page an entry take a second together.
_ROUNDS, _LARGE_ROUNDS, _CODE_ROUNDS = 500, 250, 100
_LARGE = 50_000


def race(
    cluster: Cluster, conninfo: str, documents: Documents, questions: dict[str, Questions]
) -> tuple[dict[str, Any], list[Tuned]]:
    """Return a table for each kind of questions; settings are chosen for sentences, the harder kind."""
    truth = Truth(questions["nl"], documents)
    tuned: list[Tuned] = []
    for peer in contenders(cluster, conninfo, documents):
        tuner = Tuner(peer, truth)
        tuned += [tuner.smallest(target) for target in (TARGETS if peer.ladder else TARGETS[:1])]
        words = ", ".join(f"{each.setting.effort}/{each.setting.depth}" for each in tuned if each.peer is peer)
        print(f"  {peer.name}: built in {peer.build.seconds:.1f} s, probes or ef/candidates {words}", flush=True)
    rounds = _LARGE_ROUNDS if len(documents.rows) > _LARGE else _ROUNDS
    print(f"  asking {rounds} sentences of each in turn", flush=True)
    settle(tuned, truth, rounds)
    tables = {"nl": [_line(each) for each in tuned]}
    print(race_table(tables["nl"]), flush=True)
    print(f"  asking {_CODE_ROUNDS} bodies of functions of each in turn", flush=True)
    code = [Tuned(each.peer, each.setting, each.target, each.reached) for each in tuned]
    measure(code, Truth(questions["code"], documents), _CODE_ROUNDS)
    tables["code"] = [_line(each) for each in code]
    return tables, tuned


def _line(each: Tuned) -> dict[str, Any]:
    build = each.peer.build
    return {
        "peer": each.peer.name,
        "target": each.target if each.peer.ladder else None,
        "reached": each.reached,
        "recall": each.recall,
        "median_ms": float(np.median(each.walls)),
        "p95_ms": float(np.quantile(each.walls, 0.95)),
        "cpu_ms": float(np.median(each.cpus)),
        "lists": build.lists or None,
        "probes_or_ef": each.setting.effort or None,
        "candidates": each.setting.depth or None,
        "build_seconds": build.seconds or None,
        "index_mb": build.bytes / 2**20 or None,
        "build_memory_mb": build.memory_mb or None,
    }
