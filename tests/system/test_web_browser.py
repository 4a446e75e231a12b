"""`pgduet ui` as a person meets it: the real command, a real browser, the keyboard, small and large screens."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from fix_browser import Browser
from fix_database import Database
from fix_web import FAILED, MAP, RUNS, STEPS, fill
from fix_worker import Running, running, wait_until
from stub_sidecar import StubSidecar

PICTURES = Path(__file__).resolve().parents[2] / "artefacts"
PGDUET = str(Path(sys.executable).with_name("pgduet"))
HITS = "document.querySelectorAll('.hit').length"
CHOSEN = "[...document.querySelectorAll('.hit')].findIndex((hit) => hit.classList.contains('chosen'))"
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
DARK = "getComputedStyle(document.body).backgroundColor === 'rgb(13, 17, 23)'"
PAINTED = """(() => {
  const data = document.getElementById("map").getContext("2d").getImageData(0, 0, 9999, 9999).data;
  return data.some((value, at) => at % 4 === 3 && value > 0);
})()"""

LEGIBLE = """[...document.querySelectorAll("svg.course")].every((picture) => {
  const frame = picture.getBoundingClientRect();
  const colours = [...picture.querySelectorAll("polyline")].map((line) => getComputedStyle(line).stroke);
  return frame.width > 250 && colours.every((colour) => colour !== getComputedStyle(document.body).backgroundColor)
    && [...picture.querySelectorAll("text")].every((text) => {
      const place = text.getBoundingClientRect();
      return place.height >= 11 && place.left >= frame.left && place.right <= frame.right + 1;
    });
})"""


@contextmanager
def running_page(database: Database, folder: Path) -> Iterator[tuple[str, Running]]:
    """Run `pgduet ui` on a free port; give its address without the last slash."""
    with running([PGDUET, "ui", "--port", "0", "--timeout", "30"], folder / "ui.log", database.environment) as server:
        server.wait_for("end with Ctrl-C")
        found = re.search(r"http://127\.0\.0\.1:\d+", server.log_text())
        assert found is not None
        yield found.group(), server


@pytest.fixture
def shop(stub_database: Database) -> Database:
    with stub_database.connect() as session:
        fill(session)
        for statement in (FAILED, RUNS, STEPS, MAP):
            session.execute(statement.encode())
    return stub_database


def test_a_person_searches_reads_and_looks_around(shop: Database, browser: Browser, tmp_path: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    with running_page(shop, tmp_path) as (address, server):
        browser.resize(1280, 900)
        searches_by_keyboard(browser, address)
        explores_the_map(browser, address)
        looks_good_everywhere(browser, address)
        draws_curves_that_can_be_read(browser, address)
        switches_to_dark(browser, address)
        assert browser.complaints == []
        # Nothing foreign is even tried.
        assert browser.refused == []
        assert {url for url in browser.addresses if not url.startswith((f"{address}/", "about:blank"))} == set()
        ends_without_a_mess(server)


def searches_by_keyboard(browser: Browser, address: str) -> None:
    browser.open(f"{address}/")
    browser.wait_for("document.activeElement.id === 'q'")
    browser.press("Escape")
    browser.wait_for("document.activeElement.id !== 'q'")
    browser.press("/")
    browser.wait_for("document.activeElement.id === 'q'")
    browser.type("retry a failed request")
    browser.wait_for(f"{HITS} === 5")
    assert "q=retry+a+failed+request" in browser.value("location.search")
    browser.press("Enter")
    browser.wait_for(f"{CHOSEN} === 0")
    browser.press("j", "j", "k")
    browser.wait_for(f"{CHOSEN} === 1")
    where = browser.value("document.querySelector('.hit.chosen a').textContent")
    browser.press("Enter")
    browser.wait_for("location.pathname.startsWith('/chunk/') && document.querySelector('.place')")
    assert browser.value("document.querySelector('.place').textContent") == where
    browser.wait_for(f"{HITS} === 4")
    browser.press("Escape")
    browser.wait_for(f"location.pathname === '/' && {HITS} === 5")
    browser.value("document.querySelector('[name=language]').focus()")
    browser.type("rust")
    browser.wait_for(f"{HITS} === 1")
    assert browser.value("document.querySelectorAll('#repos option').length") == 2


def explores_the_map(browser: Browser, address: str) -> None:
    browser.open(f"{address}/map")
    browser.wait_for("document.querySelectorAll('#legend button').length === 3")
    browser.wait_for(PAINTED)
    browser.value("document.getElementById('map').focus()")
    browser.press("+", "Enter")
    browser.wait_for("document.querySelector('#detail h1')")
    browser.value("document.getElementById('legend').querySelector('button').click()")
    assert browser.value("document.querySelectorAll('#legend [aria-pressed=false]').length") == 1


def looks_good_everywhere(browser: Browser, address: str) -> None:
    pages = {"search": "/?q=retry+a+failed+request", "chunk": "/chunk/1", "map": "/map", "status": "/status"}
    for name, path in {**pages, "models": "/generations"}.items():
        for (width, height), scheme in itertools.product(((1280, 900), (360, 740)), ("light", "dark")):
            browser.resize(width, height, scheme)
            browser.open(address + path)
            browser.wait_for("!document.body.innerText.includes('Looking ...')")
            browser.wait_for("document.getElementById('map') === null || document.querySelector('#legend button')")
            assert browser.value(DARK) == (scheme == "dark")
            browser.picture(PICTURES / f"{name}-{width}-{scheme}.png")
            assert not browser.value(TOO_WIDE), f"{name} is wider than {width} px"


def draws_curves_that_can_be_read(browser: Browser, address: str) -> None:
    for (width, height), scheme in itertools.product(((1280, 900), (360, 740)), ("light", "dark")):
        browser.resize(width, height, scheme)
        browser.open(f"{address}/generations")
        browser.wait_for("document.querySelectorAll('svg.course').length === 3")
        browser.value("document.querySelector('.courses > :last-child').scrollIntoView({ block: 'center' })")
        browser.picture(PICTURES / f"curves-{width}-{scheme}.png")
        assert not browser.value(TOO_WIDE)
        # Letters as tall as a caption's, inside their picture; lines in another colour than what they lie on.
        assert browser.value(LEGIBLE) is True
    shown = browser.value("document.querySelector('.courses > :last-child svg').getAttribute('aria-labelledby')")
    words = [browser.value(f"document.getElementById('{place}').textContent") for place in shown.split()]
    assert words[0] == "Run 1, run-1: its course over the steps"
    assert words[1].startswith("Loss 0.759 at step 1, ")


def switches_to_dark(browser: Browser, address: str) -> None:
    browser.resize(1280, 900, "light")
    browser.open(f"{address}/status")
    assert not browser.value(DARK)
    browser.value("document.getElementById('theme').click()")
    assert browser.value(DARK)
    browser.open(f"{address}/")
    assert browser.value(DARK)
    assert browser.value("document.cookie") == ""


def ends_without_a_mess(server: Running) -> None:
    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: server.process.poll() is not None, 20, "it did not end")
    assert server.process.returncode == 0
    assert [line for line in server.log_text().splitlines() if not line.startswith("pgduet ui: http://")] == []


def test_without_a_map_or_a_sidecar_the_page_says_what_to_do(
    shop: Database, stub: StubSidecar, browser: Browser, tmp_path: Path
) -> None:
    with shop.connect() as session:
        session.execute("DROP VIEW pgduet.code_map CASCADE")
    stub.stop()
    with running_page(shop, tmp_path) as (address, server):
        browser.open(f"{address}/map")
        browser.wait_for("document.querySelector('#told .error')?.textContent.includes('pgduet db migrate')")
        browser.open(f"{address}/?language=python")
        browser.value("document.getElementById('q').focus()")
        browser.type("retry")
        browser.wait_for("document.querySelector('#results .error')?.textContent.includes('sidecar')")
        server.process.terminate()
        assert server.process.wait(20) == 0
        browser.type(" again")
        browser.wait_for("document.querySelector('#results .error')?.textContent.includes('does not run any more')")
        # The browser itself logs every answer that is an error.
        browser.complaints.clear()


def test_the_command_says_what_cannot_be(shop: Database, tmp_path: Path) -> None:
    with running_page(shop, tmp_path) as (address, _server):
        with urlopen(f"{address}/api/search?q=cache", timeout=30) as answer:
            assert len(json.load(answer)) == 5
        taken = fails(shop, "--port", address.rpartition(":")[2])
    assert "cannot listen on 127.0.0.1:" in taken
    assert "hint: name another with --port" in taken
    assert "hint: set PGHOST" in fails(shop, "--dsn", "host=/nonexistent")


def fails(database: Database, *options: str) -> str:
    done = subprocess.run(
        [PGDUET, "ui", *options],
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
