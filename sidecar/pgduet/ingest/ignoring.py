"""The .gitignore files of a tree, each for its own folder and what is below."""

from pathlib import Path

from pathspec import GitIgnoreSpec


class Ignoring:
    """Tell what git would ignore.

    `base` is the top folder: .gitignore files above it have no say. The nearest file that says anything wins.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def ignores(self, path: Path, *, folder: bool) -> bool:
        """Tell whether the rules from `base` down to the folder of `path` exclude it.

        Folders above must have been asked about before: what is below an ignored folder cannot be brought back.
        """
        for above in path.parents:
            spec = self._spec(above)
            if spec is not None:
                name = path.relative_to(above).as_posix() + ("/" if folder else "")
                verdict = spec.check_file(name).include
                if verdict is not None:
                    return verdict
            if above == self._base:
                break
        return False

    def _spec(self, folder: Path) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            try:
                lines = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
                self._specs[folder] = GitIgnoreSpec.from_lines(lines) if lines else None
            except OSError:
                self._specs[folder] = None
        return self._specs[folder]
