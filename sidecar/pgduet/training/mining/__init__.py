"""Triplets for fine-tuning, mined from the chunks of the table and their stored vectors.

`mine` runs once: it reads chunks (`table`), cuts descriptions from code (`documented`, `comments`), finds copies
(`likeness`, `copies`), sets thresholds (`thresholds`), splits (`sides`), pairs (`nearest`, `positives`), looks for
negatives (`negatives`) and writes (`storing`). `read_triplets` is what training reads.
"""

from pgduet.training.mining.options import Options, Progress, Side
from pgduet.training.mining.report import Report, TooFewError
from pgduet.training.mining.run import mine
from pgduet.training.mining.storing import Triplet, read_triplets

__all__ = ["Options", "Progress", "Report", "Side", "TooFewError", "Triplet", "mine", "read_triplets"]
