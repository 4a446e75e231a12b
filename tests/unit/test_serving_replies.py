import pytest

from pgduet.errors import PgduetError
from pgduet.serving.cache import Row
from pgduet.serving.replies import embed_response, text_error
from pgduet.serving.settings import read_settings
from pgduet.v1 import embedding_pb2 as pb


@pytest.mark.parametrize("text", ["", " \t\r\n", "\ufeff", "\u200b\u200c\u200d\u2060", "\u00a0\u3000\ufeff\r\n"])
def test_white_space_and_characters_that_show_nothing_are_blank(text: str) -> None:
    error = text_error(text, 100)
    assert error is not None
    assert error.kind == pb.EMBED_ERROR_KIND_BLANK


@pytest.mark.parametrize("text", ["x", "\ufeffx\r\n", "🙂", "שלום", "\x01", "."])
def test_anything_that_shows_is_not_blank(text: str) -> None:
    assert text_error(text, 100) is None


def test_a_text_over_the_limit_is_told_so_in_numbers_without_its_content() -> None:
    error = text_error("secret" * 20, 100)
    assert error is not None
    assert error.kind == pb.EMBED_ERROR_KIND_TOO_LONG
    assert error.message == "the text has 120 characters; the limit is 100"


def test_failed_texts_get_zeros_in_their_places() -> None:
    good = Row(b"\1\2" * 16, b"\xf0\x0f", 3, 4, True, False)
    nan = Row(b"\3\4" * 16, b"\xff\xff", 5, 6, False, False, finite=False)
    blank = pb.EmbedError(kind=pb.EMBED_ERROR_KIND_BLANK, message="blank")
    reply = embed_response("f", 16, [blank, good, nan], sketched=True)
    assert reply.embeddings == bytes(32) + b"\1\2" * 16 + bytes(32)
    assert reply.sketches == bytes(2) + b"\xf0\x0f" + bytes(2)
    assert [result.error.kind for result in reply.results] == [
        pb.EMBED_ERROR_KIND_BLANK,
        pb.EMBED_ERROR_KIND_UNSPECIFIED,
        pb.EMBED_ERROR_KIND_NOT_FINITE,
    ]
    assert (reply.results[1].code_tokens, reply.results[1].text_tokens, reply.results[1].truncated) == (3, 4, True)
    assert not reply.results[1].HasField("error")


def test_one_half_has_no_sketches_and_no_place_for_them() -> None:
    blank = pb.EmbedError(kind=pb.EMBED_ERROR_KIND_BLANK, message="blank")
    reply = embed_response("f", 16, [Row(b"\1\2" * 16, b"", 3, 0, False, False), blank], sketched=False)
    assert reply.embeddings == b"\1\2" * 16 + bytes(32)
    assert reply.sketches == b""


@pytest.mark.parametrize("cut", [(False, False), (True, False), (False, True), (True, True)])
def test_a_text_is_truncated_where_either_half_read_only_its_beginning(cut: tuple[bool, bool]) -> None:
    (result,) = embed_response("f", 16, [Row(bytes(32), bytes(2), 3, 4, *cut)], sketched=True).results
    assert (result.code_truncated, result.text_truncated) == cut
    assert result.truncated == any(cut)


def test_settings_come_from_the_environment_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDUET_LISTEN", "unix:/run/a.sock, 127.0.0.1:1")
    monkeypatch.setenv("PGDUET_SOCKET_MODE", "0600")
    monkeypatch.setenv("PGDUET_MODEL", "other")
    monkeypatch.setenv("PGDUET_THREADS", "")
    settings = read_settings(model="small", listen=None)
    assert settings.listen == ("unix:/run/a.sock", "127.0.0.1:1")
    assert (settings.socket_mode, settings.model, settings.threads) == (0o600, ("small",), None)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SOCKET_MODE", "rw-rw----", "octal"),
        ("SOCKET_MODE", "7777", "between 0000 and 0777"),
        ("MAX_TEXTS", "0", "greater than or equal to 1"),
        ("LISTEN", " , ", "at least one address"),
        ("LOG_FORMAT", "xml", "json"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"PGDUET_{name}", value)
    with pytest.raises(PgduetError, match=f"PGDUET_{name}: .*{told}"):
        read_settings()
