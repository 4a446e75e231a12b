"""What the metrics know of time, as an answer to a call: histograms of stages, and the slowest searches."""

import math
from collections import defaultdict
from itertools import pairwise

from prometheus_client import Histogram

from pgduet.serving.metrics import Metrics
from pgduet.v1 import embedding_pb2 as pb


def timings(metrics: Metrics) -> pb.TimingsResponse:
    """Read the histograms of all stages, summed over duets, and the slowest queries."""
    stages = {
        "request": metrics.answered,
        "wait": metrics.waited,
        "tokenise": metrics.tokenised,
        "compute": metrics.computed,
    }
    return pb.TimingsResponse(
        since=metrics.since,
        stages=[times for stage, histogram in stages.items() for times in _lanes(stage, histogram)],
        slowest=[
            pb.SlowQuery(at=one.at, request_id=one.request_id, seconds=one.seconds, tokens=one.tokens)
            for one in metrics.slowest.all()
        ],
    )


def _lanes(stage: str, histogram: Histogram) -> list[pb.StageTimes]:
    """Read one histogram lane by lane; Prometheus counts in each bucket what lies in those below it too."""
    upto: defaultdict[str, defaultdict[float, float]] = defaultdict(lambda: defaultdict(float))
    totals: defaultdict[str, float] = defaultdict(float)
    for sample in (sample for metric in histogram.collect() for sample in metric.samples):
        lane = sample.labels.get("lane", "")
        if sample.name.endswith("_bucket"):
            upto[lane][float(sample.labels["le"])] += sample.value
        elif sample.name.endswith("_sum"):
            totals[lane] += sample.value
    found = []
    for lane, buckets in sorted(upto.items()):
        bounds = sorted(buckets)
        below = [0.0, *(buckets[bound] for bound in bounds)]
        counts = [round(after - before) for before, after in pairwise(below)]
        finite = [bound for bound in bounds if bound != math.inf]
        found.append(pb.StageTimes(stage=stage, lane=lane, bounds=finite, counts=counts, total_seconds=totals[lane]))
    return found
