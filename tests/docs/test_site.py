"""The site: it builds without a warning, and a browser that opens it asks nobody else for anything."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fix_cluster import REPOSITORY

# What a browser fetches by itself; a link that a person follows is none of these.
FETCHED = {
    "link": ("href",),
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
}
IN_STYLES = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


class Fetched(HTMLParser):
    """Collects addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if value and name in FETCHED.get(tag, ())]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [str(Path(sys.executable).with_name("mkdocs")), "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_document_is_a_page_of_the_site(site: Path) -> None:
    documents = {path.relative_to(REPOSITORY / "docs") for path in (REPOSITORY / "docs").rglob("*.md")}
    assert len(documents) > 15
    assert [path for path in documents if not (site / path.with_suffix(".html")).is_file()] == []
    for top in ("index", "contributing", "changelog"):
        assert (site / f"{top}.html").is_file()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages, styles = list(site.rglob("*.html")), list(site.rglob("*.css"))
    assert pages
    assert styles
    for page in pages:
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.addresses
        assert [one for one in parser.addresses if one.startswith(("http:", "https:", "//"))] == [], page
        # The theme's script would fetch what draws such diagrams.
        assert 'class="mermaid"' not in page.read_text(encoding="utf-8")
    for style in styles:
        assert IN_STYLES.findall(style.read_text(encoding="utf-8")) == [], style


def test_what_pages_link_to_beside_the_documents_is_in_the_site(site: Path) -> None:
    assert (site / "repository" / "proto" / "pgduet" / "v1" / "embedding.proto").is_file()
    assert not list(site.rglob("*.py"))
