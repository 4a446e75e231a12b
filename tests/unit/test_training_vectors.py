"""Vectors kept in a file: what is encoded again, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgduet.encoding import Duet, Role, fingerprint_of, load_duet
from pgduet.encoding.manifest import parse_manifest, ready_made
from pgduet.training.errors import DataError
from pgduet.training.vectors import encode, halves_key, vectors_of

TEXTS = {
    Role.QUERY: ["open a file", "close a file"],
    Role.DOCUMENT: ["open(path)", "f.close()", "def add(a, b):\n    return a + b"],
}


@pytest.fixture(scope="module")
def tiny(tiny_store: Path) -> Duet:
    """A loaded duet of two small random encoders."""
    return load_duet("tiny", tiny_store)


class Steps(list[tuple[str, int, int]]):
    """Collects what was reported."""

    def __call__(self, what: str, done: int, total: int) -> None:
        self.append((what, done, total))


def test_vectors_come_in_the_order_of_the_texts_whatever_their_length(
    tiny: Duet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgduet.training.vectors._BATCH", 2)
    texts = ["def add(a, b):\n    return a + b", "x", "open(path)", "f.close()", "yield"]
    steps = Steps()
    halves = encode(tiny, texts, Role.DOCUMENT, steps)
    for row, text in enumerate(texts):
        code, plain, finite = tiny.halves(tiny.tokenise([text], Role.DOCUMENT))
        assert halves.code[row] == pytest.approx(code[0], abs=1e-6)
        assert halves.text[row] == pytest.approx(plain[0], abs=1e-6)
        assert finite.all()
    assert (halves.code.shape, halves.text.shape) == ((5, 1536), (5, 1024))
    assert steps[0] == ("codes", 0, 5)
    assert steps[-1] == ("codes", 5, 5)
    assert len(steps) == 4


def test_a_second_run_encodes_nothing_and_a_changed_corpus_only_what_is_new(tiny: Duet, tmp_path: Path) -> None:
    path, steps = tmp_path / "v.npz", Steps()
    first = vectors_of(TEXTS, "key", lambda: tiny, path, steps).halves
    assert {what for what, _, _ in steps} == {"queries", "codes"}

    def never() -> Duet:
        raise AssertionError("the encoders were loaded")

    again = vectors_of(TEXTS, "key", never, path, steps).halves
    for role in Role:
        assert np.array_equal(again[role].code, first[role].code)
        assert np.array_equal(again[role].text, first[role].text)
    steps.clear()
    # The text of a query is not the same as a document: roles have prefixes.
    more = {Role.QUERY: ["close a file"], Role.DOCUMENT: ["f.close()", "close a file", "f.close()"]}
    mixed = vectors_of(more, "key", lambda: tiny, path, steps).halves
    assert steps == [("codes", 0, 1), ("codes", 1, 1)]
    assert np.array_equal(mixed[Role.DOCUMENT].code[0], first[Role.DOCUMENT].code[1])
    assert np.array_equal(mixed[Role.DOCUMENT].code[2], mixed[Role.DOCUMENT].code[0])
    assert not np.allclose(mixed[Role.DOCUMENT].text[1], mixed[Role.QUERY].text[0], atol=1e-4)
    vectors_of(TEXTS, "key", never, path, steps)
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.npz"]


def test_vectors_of_other_encoders_are_refused(tiny: Duet, tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    vectors_of(TEXTS, "one", lambda: tiny, path, Steps())
    with pytest.raises(DataError, match=r"other encoders \(one, needed: two\)"):
        vectors_of(TEXTS, "two", lambda: tiny, path, Steps())


def test_a_file_that_holds_no_vectors_is_refused(tiny: Duet, tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    array, uneven = tmp_path / "v.npy", tmp_path / "u.npz"
    path.write_text("hello")
    np.save(array, np.zeros((2, 3)))
    rows = np.zeros((2, 3), np.float32)
    np.savez(uneven, key="key", code=rows, text=rows, finite=np.ones(2, bool), digests=np.zeros((3, 32), np.uint8))
    for wrong in (path, array, uneven, tmp_path):
        with pytest.raises(DataError, match="is not a file of vectors"):
            vectors_of(TEXTS, "key", lambda: tiny, wrong, Steps())


def test_a_file_that_cannot_be_written_is_told_before_anything_is_encoded(tmp_path: Path) -> None:
    def never() -> Duet:
        raise AssertionError("the encoders were loaded")

    with pytest.raises(DataError, match="cannot write the vectors"):
        vectors_of(TEXTS, "key", never, tmp_path / "absent" / "v.npz", Steps())


def test_vectors_that_can_no_longer_be_kept_are_returned_with_the_error(tiny: Duet, tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()

    def vanish() -> Duet:
        folder.rmdir()
        return tiny

    found = vectors_of(TEXTS, "key", vanish, folder / "v.npz", Steps())
    assert len(found.halves[Role.QUERY]) == 2
    assert "cannot write the vectors" in str(found.unsaved)
    assert vectors_of(TEXTS, "key", lambda: tiny, tmp_path / "v.npz", Steps()).unsaved is None


def test_the_key_ignores_weights_and_nothing_else() -> None:
    small = parse_manifest(ready_made()["small"], "small.toml")
    heavier = replace(small, code=replace(small.code, weight=0.2), text=replace(small.text, weight=0.8))
    assert fingerprint_of(heavier) != fingerprint_of(small)
    assert halves_key(heavier) == halves_key(small)
    shorter = replace(small, code=replace(small.code, max_tokens=100))
    assert halves_key(shorter) != halves_key(small)
