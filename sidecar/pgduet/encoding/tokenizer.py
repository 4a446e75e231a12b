"""Tokenising for one encoder: real tokenizers, plain text in, ids out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from pgduet.encoding.errors import WeightsError


@dataclass(frozen=True)
class HalfTokens:
    """What one encoder reads of a text: `ids`, cut to the encoder's limit, and how many the whole text has."""

    ids: tuple[int, ...]
    count: int


class TextTokenizer:
    """A `tokenizer.json` used for text only.

    Markers such as `[SEP]` or `</s>` inside a text are text: the tokenizer is stripped of its special tokens, and the
    ones that frame every text are put around it here. Nothing about the tokenizer is changed after loading, which makes
    one object safe under threads: setting truncation while another thread encodes raises `Already borrowed`.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            spec: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._head, self._tail = _frame(spec)
            self._tokenizer = Tokenizer.from_str(json.dumps(_text_only(spec)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"cannot use the tokenizer {path}: {error}") from error
        self._room = max_tokens - len(self._head) - len(self._tail)

    def encode(self, texts: Sequence[str]) -> list[HalfTokens]:
        """Tokenise every text whole, and cut its ids to the encoder's limit, the frame included.

        Cost and memory grow with the text, not with its longest line.
        """
        return [self._framed(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _framed(self, ids: list[int]) -> HalfTokens:
        count = len(ids) + len(self._head) + len(self._tail)
        return HalfTokens((*self._head, *ids[: self._room], *self._tail), count)


def _frame(spec: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read the ids before and after a single text out of the tokenizer's template."""
    template = spec["post_processor"]
    if not template or template["type"] != "TemplateProcessing":
        raise ValueError("its post-processor is not a template")
    head: list[int] = []
    tail: list[int] = []
    side = head
    for part in template["single"]:
        if "Sequence" in part:
            side = tail
        else:
            side.extend(template["special_tokens"][part["SpecialToken"]["id"]]["ids"])
    return tuple(head), tuple(tail)


def _text_only(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the tokenizer without special tokens, truncation and padding."""
    specials = {token["content"] for token in spec["added_tokens"] if token["special"]}
    model = dict(spec["model"])
    if model["type"] == "Unigram":
        # These pieces score highest, so the text "</s>" would become the marker. No piece can match a plain space.
        model["vocab"] = [
            [f" {piece}", score] if piece in specials else [piece, score] for piece, score in model["vocab"]
        ]
    text_only: dict[str, Any] = {
        "added_tokens": [],
        "post_processor": None,
        "truncation": None,
        "padding": None,
        "model": model,
    }
    return spec | text_only
