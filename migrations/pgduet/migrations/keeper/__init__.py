"""Keeps the managed index: built when there are rows enough, rebuilt when they outgrew it, measured in between."""

from pgduet.migrations.keeper.keep import keep_index
from pgduet.migrations.keeper.policy import KINDS, choose_lists
from pgduet.migrations.keeper.watching import Progress

__all__ = ["KINDS", "Progress", "choose_lists", "keep_index"]
