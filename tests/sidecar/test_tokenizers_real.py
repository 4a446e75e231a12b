"""True tokenizers, 151,646, 250,002 and 30,522 pieces, against the classes that their authors' code loads."""

import json
import sysconfig
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import Qwen2Tokenizer, XLMRobertaTokenizer

from fix_tokenizers import QWEN_END, SPECIALS, Qwen
from pgduet.encoding.tokenizer import TextTokenizer

END = "<|endoftext|>"
LONG = 1 << 20
TEXTS = [
    "",
    " ",
    "\n\n\t  x\r\n",
    "Hello, world!",
    "résumé ﬁle № ½ — 日本語のコメント // наклейка 🙂 é e\u0301",
    "for (int i = 0; i < n; ++i) {\n\ttotal += values[i] * weights[i];\n}\n" * 30,
]
MARKERS = ["<|endoftext|>", "<|im_start|>x<|im_end|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def sources() -> list[str]:
    """40 whole files of the standard library, of up to 12 kB and without any marker in them."""
    paths = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    texts = (path.read_text(encoding="utf-8") for path in paths)
    plain = (text for text in texts if len(text) < 12_000 and not any(marker in text for marker in MARKERS))
    return list(islice(plain, 40))


@pytest.fixture(scope="module")
def plain(qwen: Qwen) -> TextTokenizer:
    return TextTokenizer(qwen.plain, LONG, end=END)


@pytest.fixture(scope="module")
def libraries(qwen: Qwen, xlmr_file: Path, bert_file: Path) -> dict[str, Tokenizer]:
    """The bare library over the same files, Qwen2's with its end in the file."""
    files = {"plain": qwen.ended, "xlmr": xlmr_file, "bert": bert_file}
    tokenizers = {name: Tokenizer.from_file(str(path)) for name, path in files.items()}
    for tokenizer in tokenizers.values():
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return tokenizers


@pytest.fixture(scope="module")
def xlmr(xlmr_file: Path) -> TextTokenizer:
    return TextTokenizer(xlmr_file, LONG)


@pytest.fixture(scope="module")
def bert(bert_file: Path) -> TextTokenizer:
    return TextTokenizer(bert_file, LONG)


def ids_of(tokenizer: TextTokenizer, text: str) -> list[int]:
    (half,) = tokenizer.encode([text])
    assert half.count == len(half.ids)
    return list(half.ids)


def test_qwen2_has_its_published_size_and_ids(
    qwen: Qwen, plain: TextTokenizer, libraries: dict[str, Tokenizer]
) -> None:
    assert (len(qwen.vocab), len(qwen.merges)) == (151643, 151387)
    assert libraries["plain"].get_vocab_size() == 151646
    assert [libraries["plain"].token_to_id(token) for token in SPECIALS] == [151643, 151644, 151645]
    assert ids_of(plain, "Hello, world!") == [9707, 11, 1879, 0, 151643]


def test_xlm_r_gives_its_published_ids(xlmr: TextTokenizer) -> None:
    assert ids_of(xlmr, "Hello World!") == [0, 35378, 6661, 38, 2]
    assert len(ids_of(xlmr, "Jina Embeddings V3 is great for semantic search.")) == 17


def test_qwen2_reads_text_as_its_own_class_does(qwen: Qwen, plain: TextTokenizer, sources: list[str]) -> None:
    pairs: Any = qwen.merges  # declared as strings there, read as pairs
    reference = Qwen2Tokenizer(vocab=qwen.vocab, merges=pairs)
    for text in TEXTS + sources:
        assert ids_of(plain, text) == [*reference(text)["input_ids"], QWEN_END]


def test_xlm_r_reads_text_as_its_own_class_does(xlmr_file: Path, xlmr: TextTokenizer, sources: list[str]) -> None:
    pieces = json.loads(xlmr_file.read_text(encoding="utf-8"))["model"]["vocab"]
    reference = XLMRobertaTokenizer(vocab=[(piece, score) for piece, score in pieces])
    # The class built from pieces alone normalises nothing, which plain ASCII does not ask for.
    texts = [text for text in TEXTS + sources if text.isascii()]
    assert len(texts) > 30
    for text in texts:
        assert ids_of(xlmr, text) == reference(text)["input_ids"]


@pytest.mark.parametrize("name", ["plain", "xlmr", "bert"])
def test_text_is_read_as_the_file_says(
    name: str, libraries: dict[str, Tokenizer], sources: list[str], request: pytest.FixtureRequest
) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    for text in TEXTS + sources:
        assert ids_of(tokenizer, text) == libraries[name].encode(text).ids


@pytest.mark.parametrize("name", ["plain", "xlmr", "bert"])
def test_markers_inside_a_text_are_text_where_the_library_obeys_them(
    name: str, libraries: dict[str, Tokenizer], request: pytest.FixtureRequest
) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    markers = {token.content: number for number, token in libraries[name].get_added_tokens_decoder().items()}
    assert len(markers) >= 3
    for marker, number in markers.items():
        assert not set(markers.values()) & set(ids_of(tokenizer, f"x {marker} y")[1:-1])
        assert number in libraries[name].encode(f"x {marker} y").ids[1:-1]


def test_an_end_in_the_source_does_not_replace_the_end_of_the_text(
    plain: TextTokenizer, libraries: dict[str, Tokenizer]
) -> None:
    # The library reads the literal as the same id: whoever looks at the last id would append nothing.
    assert libraries["plain"].encode(f"x{END}", add_special_tokens=False).ids[-1] == QWEN_END
    ids = ids_of(plain, f"x{END}")
    assert ids.count(QWEN_END) == 1
    assert ids[:-1] == ids_of(plain, "x")[:-1] + ids_of(plain, END)[:-1]


@pytest.mark.parametrize("template", [False, True])
def test_qwen2_ends_exactly_once_wherever_it_is_cut(qwen: Qwen, template: bool) -> None:
    tokenizer = TextTokenizer(qwen.ended if template else qwen.plain, 128, end=END)
    for words in (0, 1, 126, 127, 128, 129, 500):
        (half,) = tokenizer.encode([("value " * words).rstrip()])
        assert half.count == words + 1
        assert len(half.ids) == min(words + 1, 128)
        assert half.ids[-1] == QWEN_END
        assert half.ids.count(QWEN_END) == 1
