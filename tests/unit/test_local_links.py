"""Every link between the documents leads somewhere: to a file, and to a heading where it names one."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
FENCED = re.compile(r"^(```+)[^`\n]*\n.*?^\1 *$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
# A picture or a page elsewhere: nothing that can be looked at here.
ELSEWHERE = re.compile(r"[a-z]+:", re.IGNORECASE)


def prose(text: str) -> str:
    """Leave out blocks of code, in which nothing is a link or a heading, and code within a line."""
    text = re.sub(r"^(?: {4}|\t).*$", "", FENCED.sub("", text), flags=re.MULTILINE)
    return re.sub(r"(?<!\[)`[^`\n]+`(?!\])", "", text)


@cache
def anchors(document: Path) -> Counter[str]:
    """Count the anchors of a page's headings: small letters, hyphens for spaces, of other marks only - and _."""
    headings = HEADING.findall(FENCED.sub("", document.read_text(encoding="utf-8")))
    texts = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().replace("`", "") for heading in headings]
    return Counter(re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in texts)


def broken(document: Path, text: str) -> list[str]:
    """Name the links of a text that lead nowhere, as if it stood in this document."""
    found = []
    for link in LINK.finditer(prose(text)):
        path, anchor = link["path"], link["anchor"]
        if ELSEWHERE.match(path):
            continue
        target = document.parent / path if path else document
        if not target.exists() or not target.resolve().is_relative_to(REPOSITORY):
            found.append(path)
        elif anchor is not None and (target.suffix != ".md" or anchors(target)[anchor] != 1):
            found.append(f"{path}#{anchor}")
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file_and_to_one_heading(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert broken(document, text) == []
    assert REFERENCE.findall(prose(text)) == [], "links stand where they are named"


def test_links_that_lead_nowhere_are_found() -> None:
    here = REPOSITORY / "docs" / "sql.md"
    wrong = "[a](nothing.md) [`b`](queue.md#nothing) [c](#nothing) ![d](pictures/nothing.png) [e](../nothing)"
    assert broken(here, wrong) == [
        "nothing.md",
        "queue.md#nothing",
        "#nothing",
        "pictures/nothing.png",
        "../nothing",
    ]
    assert broken(here, "[a](#roles) [b](queue.md#reconcile) [c](../README.md#try-it) [d](https://example.com/)") == []
    assert broken(here, "```\n[a](nothing.md)\n```\n\n    [b](nothing.md)\n\n`[c](nothing.md)`") == []
    # One of two headings of that name cannot be meant.
    assert broken(REPOSITORY / "docs" / "performance.md", "[a](#sentences)") == ["#sentences"]
