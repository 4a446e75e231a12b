"""Tokenising for one encoder: real tokenizers, plain text in, ids out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.frame import Spec, read_frame

_BRACKETS = frozenset("<>[]{}|\uff5c")


@dataclass(frozen=True)
class HalfTokens:
    """What one encoder reads of a text: `ids`, cut to the encoder's limit, and how many the whole text has."""

    ids: tuple[int, ...]
    count: int


class TextTokenizer:
    """A `tokenizer.json` used for text only: WordPiece, Unigram or byte-level BPE.

    Markers such as `[SEP]`, `</s>` or `<|endoftext|>` inside a text are text: the tokenizer is stripped of them, and
    the ones that frame every text are put around it here. The frame is read once, from the file; a text that itself
    ends in a marker has no say. Nothing about the tokenizer is changed after loading, which makes one object safe under
    threads: setting truncation while another thread encodes raises `Already borrowed`.
    """

    def __init__(self, path: Path, max_tokens: int, end: str = "") -> None:
        """Load the file `path`; `end` is as for read_frame: "", a token, or NO_END.

        Raises WeightsError when the file is missing, is of a kind that is not understood or does not know `end`, and
        when `max_tokens` leaves no room for text.
        """
        try:
            spec: Spec = json.loads(path.read_text(encoding="utf-8"))
            self._frame = read_frame(spec, end)
            self._tokenizer = _loaded(spec)
        except FileNotFoundError as error:
            raise WeightsError(
                f"the encoder in {path.parent} has no {path.name}",
                hint="older files (vocab.txt, vocab.json with merges.txt, *.model) are not read; transformers makes "
                "the new one: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"cannot use the tokenizer {path}: {error}") from error
        self.ends_texts = bool(self._frame.tail)
        self._room = max_tokens - len(self._frame.head) - len(self._frame.tail)
        if self._room < 1:
            raise WeightsError(f"a limit of {max_tokens} tokens leaves no room for text beside the frame of {path}")

    def encode(self, texts: Sequence[str]) -> list[HalfTokens]:
        """Tokenise every text whole, and cut its ids to the encoder's limit, the frame included.

        Cost and memory grow with the text, not with its longest line.
        """
        return [self._framed(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _framed(self, ids: list[int]) -> HalfTokens:
        head, tail = self._frame.head, self._frame.tail
        return HalfTokens((*head, *ids[: self._room], *tail), len(head) + len(ids) + len(tail))


def _loaded(spec: Spec) -> Tokenizer:
    """Load the tokenizer without markers, frame, truncation and padding."""
    words = [token for token in spec["added_tokens"] if _is_text(token)]
    markers = {token["content"] for token in spec["added_tokens"]} - {token["content"] for token in words}
    text_only: Spec = {
        "added_tokens": words,
        "post_processor": None,
        "truncation": None,
        "padding": None,
        "model": _text_model(spec["model"], markers, {token["content"]: token["id"] for token in words}),
    }
    # Not from_str, whose errors have no type of their own.
    tokenizer = Tokenizer.from_buffer(json.dumps(spec | text_only).encode())
    for word in words:
        if tokenizer.token_to_id(word["content"]) != word["id"]:
            raise ValueError(f"its added token {word['content']!r} would not keep its id")
    return tokenizer


def _is_text(token: Spec) -> bool:
    """Tell an added run of blanks or word, which the encoder was taught as text, from a marker, which has brackets."""
    return not token["special"] and not _BRACKETS & set(token["content"])


def _text_model(model: Spec, markers: set[str], words: dict[str, int]) -> Spec:
    """Put the markers among the pieces out of reach of any text.

    A Unigram piece such as `</s>` scores highest, and BPE with `ignore_merges` takes a piece whole. With a blank before
    it, no piece can be met: blanks are split off or stand as another letter before the pieces are looked up.
    """

    def hidden(piece: str) -> str:
        return f" {piece}" if piece in markers else piece

    vocab: Any
    if isinstance(model["vocab"], dict):
        vocab = {hidden(piece): number for piece, number in model["vocab"].items()} | words
    else:
        vocab = [[hidden(piece), score] for piece, score in model["vocab"]]
    unknown = model.get("unk_token")
    return model | {"vocab": vocab} | ({"unk_token": hidden(unknown)} if unknown else {})
