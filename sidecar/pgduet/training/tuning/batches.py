"""Which triplets a step reads, and their tokens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from pgduet.encoding.manifest import Role
from pgduet.training.tuning.errors import TooLittleDataError
from pgduet.training.tuning.plan import Plan

if TYPE_CHECKING:
    from pgduet.encoding import Duet, Tokens


class Triplet(NamedTuple):
    """A question, a document that answers it, and one that does not."""

    anchor: str
    positive: str
    negative: str


@dataclass(frozen=True)
class Ids:
    """Token ids [n, t] of one half and the mask [n, t] that marks them with 1, padded on the right."""

    ids: torch.Tensor
    mask: torch.Tensor

    def pieces(self, size: int) -> "Iterator[Ids]":
        """Yield `size` texts at a time, in order, each time as wide as the longest of them."""
        for ids, mask in zip(torch.split(self.ids, size), torch.split(self.mask, size), strict=True):
            width = int(mask.sum(dim=1).max())
            yield Ids(ids[:, :width], mask[:, :width])


@dataclass(frozen=True)
class Column:
    """The anchors, the positives or the negatives of a batch, as each half reads them, by slot."""

    role: Role
    halves: dict[str, Ids]


class Batches:
    """The batches of a run, in an order that follows from the plan's seed alone."""

    def __init__(self, duet: "Duet", triplets: Iterable[Triplet], plan: Plan) -> None:
        """Tokenise every text once.

        Raises TooLittleDataError where the triplets do not fill one batch in which no text occurs twice.
        """
        self._plan = plan
        self._triplets = list(dict.fromkeys(triplets))
        if plan.pairs:
            # One of each pair, whatever its negatives.
            self._triplets = list({triplet[:2]: triplet for triplet in reversed(self._triplets)}.values())[::-1]
        self._read = 2 if plan.pairs else 3
        self._epochs: dict[int, list[list[int]]] = {}
        if not self._epoch(0):
            raise TooLittleDataError(
                f"{len(self._triplets)} triplets do not fill a batch of {plan.batch} in which no text occurs twice",
                hint="mine more, or make the batch smaller",
            )
        queries = {triplet.anchor for triplet in self._triplets}
        documents = {text for triplet in self._triplets for text in triplet[1 : self._read]}
        self._tokens = {Role.QUERY: _tokenised(duet, queries, Role.QUERY, plan.max_tokens)}
        self._tokens[Role.DOCUMENT] = _tokenised(duet, documents, Role.DOCUMENT, plan.max_tokens)

    def __iter__(self) -> Iterator[Triplet]:
        """Yield the distinct triplets in the order in which they were given."""
        return iter(self._triplets)

    def rows(self, number: int) -> list[Triplet]:
        """Return the triplets of a batch; batches are counted from 0 through all epochs."""
        epoch = 0
        # Epochs may differ in length by the batches that repeated texts leave short.
        while number >= len(batches := self._epoch(epoch)):
            number -= len(batches)
            epoch += 1
        return [self._triplets[row] for row in batches[number]]

    def columns(self, number: int, rank: int = 0, processes: int = 1) -> list[Column]:
        """Return anchors, positives and negatives of the share of a batch that process `rank` of several reads.

        There are no negatives where the plan reads none.
        """
        rows = [row[: self._read] for row in self.rows(number)[rank::processes]]
        texts = zip(*rows, strict=True)
        return [self._column(role, some) for role, some in zip(_ROLES[: self._read], texts, strict=True)]

    def _column(self, role: Role, texts: Sequence[str]) -> Column:
        tokens = [self._tokens[role][text] for text in texts]
        code, text = [t.code_ids for t in tokens], [t.text_ids for t in tokens]
        return Column(role, {"code": _padded(code), "text": _padded(text)})

    def _epoch(self, epoch: int) -> list[list[int]]:
        """Cut all triplets into batches in which no text occurs twice; what does not fit a whole batch is left out.

        A text that occurs twice in a batch would be a wrong answer to its own question.
        """
        if epoch not in self._epochs:
            order = np.random.default_rng([self._plan.seed, epoch]).permutation(len(self._triplets)).tolist()
            batches = []
            while batch := self._batch(order):
                batches.append(batch)
                taken = set(batch)
                order = [row for row in order if row not in taken]
            self._epochs[epoch] = batches
        return self._epochs[epoch]

    def _batch(self, order: Sequence[int]) -> list[int]:
        batch: list[int] = []
        texts: set[str] = set()
        for row in order:
            read = self._triplets[row][: self._read]
            if texts.isdisjoint(read):
                batch.append(row)
                texts.update(read)
                if len(batch) == self._plan.batch:
                    return batch
        return []


_ROLES = (Role.QUERY, Role.DOCUMENT, Role.DOCUMENT)


def _tokenised(duet: "Duet", texts: Iterable[str], role: Role, most: int) -> "dict[str, Tokens]":
    ordered = sorted(texts)
    found = zip(ordered, duet.tokenise(ordered, role), strict=True)
    return {text: _cut(tokens, most) for text, tokens in found}


def _cut(tokens: "Tokens", most: int) -> "Tokens":
    """Shorten a text to `most` tokens; its last token stays, as it may be the one that ends all texts."""
    both = tokens.code_ids, tokens.text_ids
    code, text = (ids if len(ids) <= most else (*ids[: most - 1], ids[-1]) for ids in both)
    return replace(tokens, code_ids=code, text_ids=text)


def _padded(sequences: Sequence[tuple[int, ...]]) -> Ids:
    longest = max(len(ids) for ids in sequences)
    ids = torch.zeros((len(sequences), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return Ids(ids, mask)
