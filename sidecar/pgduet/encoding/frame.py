"""The frame of a tokenizer: the ids that stand before and after every text."""

from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
# The `end` that leaves texts without any token behind them, also where the tokenizer would put one there.
NO_END = "none"


@dataclass(frozen=True)
class Frame:
    """The ids around a text, such as `[CLS]` and `[SEP]`; either side may be empty."""

    head: tuple[int, ...]
    tail: tuple[int, ...]


def read_frame(spec: Spec, end: str) -> Frame:
    """Read the frame of a single text out of the content of a `tokenizer.json`.

    `end` is "", or the token that has to stand exactly once at the end of every text, or NO_END. Where the frame has
    the token already it is left; where it is missing, as in published Qwen2 tokenizers whose authors append it in code,
    it is added. Raises ValueError for a post-processor that is not understood and for an `end` that the tokenizer does
    not know.
    """
    framing = [part for part in _flat(spec["post_processor"]) if part["type"] != "ByteLevel"]
    if len(framing) > 1:
        raise ValueError("its post-processor frames a text twice")
    frame = _frame_of(framing[0]) if framing else Frame((), ())
    if end == NO_END:
        return Frame(frame.head, ())
    return _ended(frame, _id_of(spec, end)) if end else frame


def _flat(processor: Spec | None) -> list[Spec]:
    """List the post-processors in their order; ByteLevel, which moves offsets only, is one of them."""
    if processor is None:
        return []
    if processor["type"] == "Sequence":
        return [part for inner in processor["processors"] for part in _flat(inner)]
    return [processor]


def _frame_of(processor: Spec) -> Frame:
    if processor["type"] in ("RobertaProcessing", "BertProcessing"):
        return Frame((int(processor["cls"][1]),), (int(processor["sep"][1]),))
    if processor["type"] != "TemplateProcessing":
        raise ValueError(f"its post-processor {processor['type']} is not known")
    sides: list[list[int]] = [[]]
    for part in processor["single"]:
        if "Sequence" in part:
            sides.append([])
        else:
            sides[-1].extend(processor["special_tokens"][part["SpecialToken"]["id"]]["ids"])
    if len(sides) != 2:
        raise ValueError("its template does not hold the text exactly once")
    return Frame(tuple(sides[0]), tuple(sides[1]))


def _ended(frame: Frame, token: int) -> Frame:
    tail = list(frame.tail)
    while tail and tail[-1] == token:
        tail.pop()
    return Frame(frame.head, (*tail, token))


def _id_of(spec: Spec, content: str) -> int:
    for token in spec["added_tokens"]:
        if token["content"] == content:
            return int(token["id"])
    vocab = spec["model"]["vocab"]
    if isinstance(vocab, dict) and content in vocab:
        return int(vocab[content])
    raise ValueError(f"it does not know the token {content}, which has to end every text")
