"""Brings into the site what stands outside docs/: the documents at the top, and every file that a page links to."""

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# Documents outside docs/, and the pages they become.
TOP = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples.md",
}
# Where other files of the repository stand in the site.
ELSEWHERE = "repository"
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s:]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents at the top, then the files that any page links to."""
    root = _root(config)
    for name, page in TOP.items():
        files.append(File.generated(config, page, abs_src_path=str(root / name)))
    for file in list(files.documentation_pages()):
        for found in _LINK.finditer(file.content_string):
            target = _target(file.src_uri, found["path"], root)
            if target and target not in files.src_uris:
                origin = root / PurePosixPath(target).relative_to(ELSEWHERE)
                files.append(File.generated(config, target, abs_src_path=str(origin)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links that leave docs/, and all links of the documents at the top, to where their files are in the site."""
    here = page.file.src_uri

    def moved(found: re.Match[str]) -> str:
        target = _target(here, found["path"], _root(config)) or _within(here, found["path"])
        return os.path.relpath(target, PurePosixPath(here).parent) if target else found["path"]

    return _LINK.sub(moved, markdown)


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent


def _source(page: str) -> PurePosixPath:
    """Return where a page stands in the repository."""
    tops = {target: name for name, target in TOP.items()}
    return PurePosixPath(tops[page]) if page in tops else PurePosixPath("docs", page)


def _linked(page: str, path: str) -> str:
    return os.path.normpath(_source(page).parent / path)


def _within(page: str, path: str) -> str | None:
    """Return the page or picture of the site that a link leads to; None where it is none of these."""
    linked = _linked(page, path)
    return TOP.get(linked) or (linked.removeprefix("docs/") if linked.startswith("docs/") else None)


def _target(page: str, path: str, root: Path) -> str | None:
    """Return the place in the site of a file that is no part of docs/; None for all others and what is no file."""
    linked = _linked(page, path)
    outside = linked not in TOP and not linked.startswith(("docs/", ".."))
    return f"{ELSEWHERE}/{linked}" if outside and (root / linked).is_file() else None
