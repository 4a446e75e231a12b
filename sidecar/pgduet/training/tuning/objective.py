"""What is made small: losses of sentence-transformers over the vectors of one batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    MultipleNegativesRankingLoss,
    TripletDistanceMetric,
    TripletLoss,
)
from torch import distributed
from torch.nn.functional import cosine_similarity

from pgduet.training.tuning.batches import Column
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

Embeddings = list[torch.Tensor]


@dataclass(frozen=True)
class Measured:
    """The loss of a batch, with its gradient, and what tells how the run goes.

    `active` is the share of triplets within the margin; `similarity` the mean cosine of anchors and negatives, over the
    halves. Without mined negatives the positives of others stand for them.
    """

    loss: torch.Tensor
    active: float
    similarity: float


class Objective:
    """The loss of a plan."""

    def __init__(self, trainee: Trainee, plan: Plan) -> None:
        self._trainee, self._plan = trainee, plan
        self._loss = _loss(trainee, plan)

    def __call__(self, columns: list[Column]) -> Measured:
        """Measure a batch of anchors, positives and, where the plan reads them, negatives; each half counts as much."""
        vectors = [self._trainee(column) for column in columns]
        spaces: list[Embeddings]
        if self._plan.fused:
            spaces = [[self._trainee.fused(each) for each in vectors]]
        else:
            spaces = [[each[slot] for each in vectors] for slot in self._trainee.encoders]
        loss = torch.stack([self._loss(space) for space in spaces]).mean()
        with torch.no_grad():
            facts = [_facts(space, self._plan.margin) for space in spaces]
        active, similarity = (sum(values) / len(values) for values in zip(*facts, strict=True))
        return Measured(loss, active, similarity)


def _loss(trainee: Trainee, plan: Plan) -> Callable[[Embeddings], torch.Tensor]:
    # The losses ask for a SentenceTransformer, which they need only where they compute the vectors themselves.
    model = cast(SentenceTransformer, trainee)
    if plan.objective == "triplet":
        triplet = TripletLoss(model, TripletDistanceMetric.COSINE, plan.margin)
        return lambda space: triplet.compute_loss_from_embeddings(space, torch.empty(0))
    # Across processes: with the negatives of its own share alone, each would solve an easier task than one process.
    several = distributed.is_initialized()
    in_batch = MultipleNegativesRankingLoss(model, scale=plan.scale, gather_across_devices=several)
    return lambda space: in_batch.compute_loss_from_embeddings(space, torch.empty(0))


def _facts(space: Embeddings, margin: float) -> tuple[float, float]:
    anchor, positive, *rest = space
    # Without mined negatives the next one's positive is a negative.
    negative = rest[0] if rest else positive.roll(1, dims=0)
    near, far = cosine_similarity(anchor, positive), cosine_similarity(anchor, negative)
    return float((margin - near + far > 0).float().mean()), float(far.mean())
