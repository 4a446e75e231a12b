import json
import threading
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from fix_tokenizers import BYTE_LEVEL, END_TEMPLATE, added, bpe, letters, write
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.xlmr import tokenizer_json
from pgduet.encoding.tokenizer import TextTokenizer

WORDS = [*"abcdefghijklmnopqrstuvwxyz()[]<>/", "def", "return"]
END = "<|endoftext|>"
MARKERS = ("<s>", "<pad>", "</s>", "<unk>")
LETTERS = {letter: len(MARKERS) + number for number, letter in enumerate(letters())}
FRAME = {"sep": ["</s>", 2], "cls": ["<s>", 0]}
ROBERTA = {"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": False} | FRAME
TWO = {"type": "Sequence", "processors": [ROBERTA, BYTE_LEVEL, ROBERTA]}
PAIR_ONLY = END_TEMPLATE | {"single": END_TEMPLATE["pair"]}


def roberta(post: dict[str, Any] | None = ROBERTA, *more: dict[str, Any]) -> dict[str, Any]:
    """Byte-level BPE over single letters whose vocabulary holds its markers, as RoBERTa's does, in places 0 to 3."""
    vocab = {marker: number for number, marker in enumerate(MARKERS)} | LETTERS
    return bpe(vocab, [], [*(added(number, marker) for number, marker in enumerate(MARKERS)), *more], post)


def ids_of(text: str) -> tuple[int, ...]:
    return tuple(LETTERS[letter] for letter in text.replace(" ", "Ġ"))


@pytest.fixture
def tokenizer(tmp_path: Path) -> TextTokenizer:
    """XLM-R's pipeline over a few pieces; limit of 10 tokens."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(piece, 0.0) for piece in specials] + [("▁", -2.0)] + [(word, -3.0) for word in WORDS] + [("<mask>", 0.0)]
    return TextTokenizer(write(tmp_path, tokenizer_json(pieces)), max_tokens=10)


def test_markers_inside_a_text_are_text(tokenizer: TextTokenizer) -> None:
    (half,) = tokenizer.encode(["</s>"])
    assert half.ids[0] == 0
    assert half.ids[-1] == 2
    assert not {0, 1, 2, 3} & set(half.ids[1:-1])
    assert half.count == 2 + 1 + 4


def test_a_long_text_is_counted_whole_and_cut_with_its_frame(tokenizer: TextTokenizer) -> None:
    (half,) = tokenizer.encode(["abc " * 100])
    assert half.count == 2 + 400
    assert len(half.ids) == 10
    assert (half.ids[0], half.ids[-1]) == (0, 2)


def test_one_tokenizer_serves_many_threads(tokenizer: TextTokenizer) -> None:
    texts = [f"def {'ab' * n} (x)" for n in range(50)]
    expected = tokenizer.encode(texts)
    results: list[bool] = []

    def work() -> None:
        results.extend(tokenizer.encode(texts) == expected for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 160


@pytest.mark.parametrize(
    ("post", "head", "tail"),
    [
        (None, (), ()),
        (BYTE_LEVEL, (), ()),
        (ROBERTA, (0,), (2,)),
        ({"type": "BertProcessing"} | FRAME, (0,), (2,)),
        (END_TEMPLATE, (), (151643,)),
        ({"type": "Sequence", "processors": [BYTE_LEVEL, END_TEMPLATE]}, (), (151643,)),
        ({"type": "Sequence", "processors": [{"type": "Sequence", "processors": [ROBERTA]}, BYTE_LEVEL]}, (0,), (2,)),
    ],
)
def test_every_known_post_processor_frames_a_text_as_the_library_does(
    tmp_path: Path, post: dict[str, Any] | None, head: tuple[int, ...], tail: tuple[int, ...]
) -> None:
    path = write(tmp_path, roberta(post))
    (half,) = TextTokenizer(path, 10).encode(["a b"])
    assert half.ids == (*head, *ids_of("a b"), *tail)
    assert half.ids == tuple(Tokenizer.from_file(str(path)).encode("a b").ids)


@pytest.mark.parametrize(
    ("post", "said"),
    [
        (TWO, "its post-processor frames a text twice"),
        (PAIR_ONLY, "its template does not hold the text exactly once"),
        ({"type": "Surprise"}, "its post-processor Surprise is not known"),
    ],
)
def test_a_frame_that_is_not_understood_is_refused(tmp_path: Path, post: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        TextTokenizer(write(tmp_path, roberta(post)), 10)


@pytest.mark.parametrize("post", [BYTE_LEVEL, END_TEMPLATE, None])
@pytest.mark.parametrize("text", ["", "ab", "abcdefgh", "abcdefghi", "abcdefghij", f"x{END}"])
def test_the_end_stands_exactly_once_wherever_the_text_is_cut(
    tmp_path: Path, post: dict[str, Any] | None, text: str
) -> None:
    path = write(tmp_path, roberta(post, added(151643, END)))
    (half,) = TextTokenizer(path, 10, end=END).encode([text])
    assert half.ids == (*ids_of(text)[:9], 151643)
    assert half.count == len(text) + 1


def test_an_end_that_a_template_gives_twice_stands_once(tmp_path: Path) -> None:
    single = END_TEMPLATE["single"]
    path = write(tmp_path, roberta(END_TEMPLATE | {"single": [*single, single[1]]}, added(151643, END)))
    assert TextTokenizer(path, 10).encode(["a"])[0].ids == (*ids_of("a"), 151643, 151643)
    assert TextTokenizer(path, 10, end=END).encode(["a"])[0].ids == (*ids_of("a"), 151643)


def test_the_end_comes_behind_another_tail(tmp_path: Path) -> None:
    path = write(tmp_path, roberta(ROBERTA, added(151643, END)))
    assert TextTokenizer(path, 10, end=END).encode(["a"])[0].ids == (0, *ids_of("a"), 2, 151643)


def test_an_end_is_found_among_the_pieces_too(tmp_path: Path) -> None:
    path = write(tmp_path, roberta(None) | {"added_tokens": []})
    assert TextTokenizer(path, 10, end="</s>").encode(["a"])[0].ids == (*ids_of("a"), 2)


def test_an_end_that_the_tokenizer_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"does not know the token <\|endoftext\|>, which has to end every text"):
        TextTokenizer(write(tmp_path, roberta()), 10, end=END)


@pytest.mark.parametrize("ignore_merges", [False, True])
@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_that_is_a_piece_of_bpe_is_text_inside_a_text(
    tmp_path: Path, marker: str, ignore_merges: bool
) -> None:
    spec = roberta()
    spec["model"]["ignore_merges"] = ignore_merges
    # One split less, and the marker reaches the pieces whole.
    spec["pre_tokenizer"] = BYTE_LEVEL
    (half,) = TextTokenizer(write(tmp_path, spec), 20).encode([marker])
    assert half.ids == (0, *ids_of(marker), 2)
    if ignore_merges:
        bare = Tokenizer.from_str(json.dumps(spec | {"added_tokens": [], "post_processor": None}))
        assert bare.encode(marker).ids == [MARKERS.index(marker)], "merely dropping the added tokens is not enough"


def test_a_marker_that_is_a_piece_of_word_pieces_is_text_inside_a_text(tmp_path: Path) -> None:
    vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}
    model: dict[str, Any] = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "vocab": vocab,
    }
    model["max_input_chars_per_word"] = 100
    spec = roberta() | {
        "added_tokens": [added(number, token) for token, number in vocab.items() if number < 3],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
        "decoder": None,
        "model": model,
    }
    # A word that no piece makes up is unknown, as ever.
    assert TextTokenizer(write(tmp_path, spec), 10).encode(["a [SEP] ß"])[0].ids == (1, 3, 0, 0, 2)


def test_added_blanks_and_words_stay_what_the_encoder_was_taught(tmp_path: Path) -> None:
    more = [added(400, "    ", special=False), added(407, "ab", special=False), added(410, "<tool>", special=False)]
    path = write(tmp_path, roberta(ROBERTA, *more))
    (half,) = TextTokenizer(path, 20).encode(["    abc<tool>"])
    assert half.ids == (0, 400, 407, *ids_of("c<tool>"), 2)


def test_a_limit_that_the_frame_fills_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, roberta(ROBERTA))
    assert TextTokenizer(path, 3).encode(["abc"])[0].ids == (0, *ids_of("a"), 2)
    with pytest.raises(WeightsError, match="a limit of 2 tokens leaves no room"):
        TextTokenizer(path, 2)


def test_truncation_and_padding_of_the_file_are_not_used(tmp_path: Path) -> None:
    truncation = {"direction": "Left", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 1}
    padding |= {"pad_type_id": 0, "pad_token": "<pad>"}
    path = write(tmp_path, roberta() | {"truncation": truncation, "padding": padding})
    assert Tokenizer.from_file(str(path)).encode("abcdefg").ids == [1, 1, 1, 1, 1, 0, *ids_of("fg"), 2]
    assert TextTokenizer(path, 20).encode(["abcdefg"])[0].ids == (0, *ids_of("abcdefg"), 2)


def test_a_folder_without_a_tokenizer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no tokenizer\.json") as raised:
        TextTokenizer(tmp_path / "tokenizer.json", 10)
    assert "save_pretrained" in (raised.value.hint or "")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"post_processor": null, "added_tokens": [], "model": {"type": "Surprise", "vocab": {}}}'],
)
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(WeightsError, match="cannot use the tokenizer"):
        TextTokenizer(path, 10)
