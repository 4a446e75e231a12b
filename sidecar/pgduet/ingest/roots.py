"""What the paths given to an ingest stand for: a repository, and the part of it to bring up to date."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgduet.errors import PgduetError


@dataclass(frozen=True, slots=True)
class Root:
    """Hold one part of a repository.

    `base` is the folder that paths in the database are relative to, `below` the file or folder inside it to bring up to
    date ("" for all).
    """

    repo: str
    base: Path
    below: str

    @property
    def target(self) -> Path:
        """Give the file or folder on disk."""
        return self.base / self.below

    @property
    def source(self) -> str:
        """Give the value of `code_chunks.source` that marks chunks as this ingest's own."""
        return f"ingest:{self.repo}"


def find_roots(paths: Sequence[Path], repo: str | None) -> list[Root]:
    """Tell repository and part of each path; a path inside another one of them is left out.

    Inside a git checkout paths count from its top level, which also names the repository; elsewhere from the folder
    given, or from the folder of the file given. `repo` replaces the name. Raises PgduetError for a path that does not
    exist and for one name that would stand for two folders.
    """
    bases: dict[str, Path] = {}
    roots: list[Root] = []
    for root in sorted({_root(path, repo) for path in paths}, key=lambda r: (r.repo, r.target)):
        base = bases.setdefault(root.repo, root.base)
        if base != root.base:
            raise PgduetError(
                f"{base} and {root.base} would both be the repository {root.repo!r}",
                hint="ingest them one by one, each with its own --repo NAME",
            )
        if not any(other.repo == root.repo and root.target.is_relative_to(other.target) for other in roots):
            roots.append(root)
    return roots


def _root(path: Path, repo: str | None) -> Root:
    try:
        target = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise PgduetError(f"cannot read {path}: {error}", hint="give a file or folder that exists") from error
    folder = target if target.is_dir() else target.parent
    base = next((f for f in (folder, *folder.parents) if os.path.exists(f / ".git")), folder)
    below = target.relative_to(base).as_posix()
    name = (repo or base.name).strip()
    if not name:
        raise PgduetError(f"{base} has no name to call the repository by", hint="name it with --repo NAME")
    return Root(name, base, "" if below == "." else below)
