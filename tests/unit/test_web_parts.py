"""Parts of the search page that need neither a database nor a browser."""

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from pgduet.database.overview import CurveStep, Run
from pgduet.web import courses, wording
from pgduet.web.curves import HEIGHT, WIDTH, draw
from pgduet.web.guard import bracketed
from pgduet.web.highlight import as_html, lexer_name, stylesheet
from pgduet.web.questions import BadRequestError, Question, read_question
from pgduet.web.server import address_of, is_loopback, open_socket


def run(**given: Any) -> Run:
    values: dict[str, Any] = dict.fromkeys(Run._fields)
    return Run(**values | {"run_id": 1, "name": "tuned", "state": "done", "requested_by": "ada"} | given)


def test_code_is_escaped_whatever_its_language() -> None:
    for language in ("python", "html", "csharp", "php", "klingon", None):
        shown = as_html("<script>&\"'</script>", language, 5)
        assert "<script" not in shown
        assert "&amp;" in shown


def test_code_is_cut_to_lines_that_a_page_can_show() -> None:
    assert as_html("\n".join("abc"), "text", 2) == "a\nb"
    assert len(as_html("x" * 100_000, "text", 1)) < 1100
    assert as_html("\n\n  indented", "text", 5) == "\n\n  indented"


def test_every_language_of_ours_has_a_lexer() -> None:
    assert (lexer_name("csharp"), lexer_name(None), lexer_name("rust")) == ("c#", "text", "rust")
    assert 'class="k' in as_html("class A { }", "csharp", 1)


def test_colours_come_in_pairs_for_light_and_dark() -> None:
    rules = stylesheet().splitlines()
    assert len(rules) > 40
    assert all("light-dark(" in rule and "url(" not in rule for rule in rules)


def test_scores_are_placed_within_the_picture_and_the_better_is_higher() -> None:
    runs = [
        run(score_before=0.6, score=0.62, gain_low=0.01, gain_high=0.04, gate_passed=True),
        run(score=None),
        run(score_before=0.62, score=0.61, gate_passed=False),
    ]
    picture = draw(runs)
    assert picture is not None
    first, second = picture.marks
    assert first.after < first.before
    assert second.after > second.before
    assert first.low is not None
    assert first.high is not None
    assert first.high < first.after < first.low
    assert second.low is None
    places = [(mark.x, y) for mark in picture.marks for y in (mark.before, mark.after)]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)


def test_nothing_is_drawn_where_nothing_was_judged_and_equal_scores_divide_by_nothing() -> None:
    assert draw([]) is None
    assert draw([run(score=0.5)]) is None
    assert draw([run(score_before=0.5, score=0.5)]) is not None


def course(*steps: tuple[int, float, float | None], to_do: int | None = 100, run_id: int = 1) -> list[CurveStep]:
    return [CurveStep(run_id, "tuned", "running", to_do, step, loss, score) for step, loss, score in steps]


def points_of(line: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (point.partition(",") for point in line.split())]


def test_a_course_is_placed_within_its_picture_as_far_as_the_run_has_come() -> None:
    whole, half = courses.draw(
        course((1, 2.0, None), (50, 0.5, 0.6), (100, 1.0, 0.8)) + course((1, 2.0, None), (50, 1.0, None), run_id=2)
    )
    loss, score = whole.panels
    across = courses.ACROSS
    middle = across.left + 49 / 99 * (across.right - across.left)
    assert [x for x, _ in points_of(loss.line)] == [across.left, pytest.approx(middle, abs=0.1), across.right]
    (first, least, last) = (y for _, y in points_of(loss.line))
    assert loss.top == first < last < least
    assert loss.grid == [(first, "2"), (least, "0.5")]
    assert [point.title for point in whole.panels] == ["loss", "dev score"]
    assert score.dots == points_of(score.line)
    assert least < score.top == score.dots[-1][1] < score.dots[0][1] < whole.height
    assert (len(half.panels), half.panels[0].dots) == (1, points_of(half.panels[0].line)[-1:])
    assert points_of(half.panels[0].line)[-1][0] < 0.6 * across.right
    assert half.height < whole.height


def test_a_course_of_one_step_or_without_ups_and_downs_divides_by_nothing() -> None:
    (single,) = courses.draw(course((1, 0.5, 0.7), to_do=1))
    assert single.told == "Loss 0.5 at step 1, least 0.5 at step 1. Dev score 0.7 at step 1, best 0.7 at step 1."
    for panel in single.panels:
        ((_, y),) = points_of(panel.line)
        assert panel.top < y < single.height
        assert len(panel.grid) == 1
    (level,) = courses.draw(course((1, 0.5, None), (9, 0.5, None), to_do=None))
    assert level.last == 9
    assert courses.draw([]) == []


def test_numbers_and_times_are_written_for_people() -> None:
    assert [wording.duration(seconds) for seconds in (None, 5, 300, 9000, 900_000)] == [
        wording.NOTHING,
        "5 s",
        "5 min",
        "2 h",
        "10 d",
    ]
    assert [wording.size(size) for size in (None, 12, 5 * 2**20)] == [wording.NOTHING, "12 B", "5.0 MB"]
    assert (wording.count(1234567), wording.decimal(-0.0001, 2), wording.decimal(0.98765)) == (
        "1,234,567",
        "0.00",
        "0.988",
    )
    assert wording.moment(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04"


def test_a_question_is_read_and_can_be_asked_for_more() -> None:
    asked = read_question(QueryParams("q= two+words &language=go&repo=&path=src/%25&k=95&lexical=1"))
    assert asked == Question("two words", 95, "go", None, "src/%", True)
    assert asked.more == "q=two+words&language=go&path=src%2F%25&k=100&lexical=1"
    assert Question("x", 100).more is None
    for wrong in ("q=x&k=101", "q=x&k=-1", "q=x&k=1e2", "q=x&k=%C2%B2", "q=%00"):
        with pytest.raises(BadRequestError):
            read_question(QueryParams(wrong))


def test_addresses_of_both_families_are_written_as_urls() -> None:
    assert (bracketed("::1"), bracketed("127.0.0.1"), bracketed("name")) == ("[::1]", "127.0.0.1", "name")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "db")] == [True] * 3 + [
        False
    ] * 2
    with open_socket("127.0.0.1", 0) as listening:
        assert address_of(listening).startswith("http://127.0.0.1:")
