"""Names of languages, and how a file tells its own."""

import re
from functools import cache
from typing import NamedTuple

from pgduet.errors import PgduetError


class UnknownLanguageError(PgduetError):
    """A language was named that is not in the list."""


class _Names(NamedTuple):
    aliases: str = ""
    suffixes: str = ""
    files: str = ""
    interpreters: str = ""


# Those with a grammar come first (see grammars.py and statements.py); the rest is cut by lines.
_LANGUAGES = {
    "bash": _Names("sh shell zsh", ".sh .bash .zsh .bats", ".bashrc .bash_profile .profile .zshrc", "sh bash dash zsh"),
    "c": _Names("", ".c .h"),
    "cpp": _Names("c++ cxx cc", ".cc .cpp .cxx .c++ .hpp .hh .hxx .h++ .ipp .cu .cuh"),
    "csharp": _Names("c# cs", ".cs .csx"),
    "go": _Names("golang", ".go"),
    "java": _Names("", ".java"),
    "javascript": _Names("js jsx node ecmascript", ".js .jsx .mjs .cjs", "", "node"),
    "php": _Names("", ".php .phtml .php5", "", "php"),
    "python": _Names("py python3", ".py .pyi .pyw", "SConstruct SConscript", "python python2 python3"),
    "ruby": _Names("rb", ".rb .rake .gemspec .ru", "Rakefile Gemfile Vagrantfile", "ruby"),
    "rust": _Names("rs", ".rs"),
    "sql": _Names("postgresql postgres pgsql plpgsql", ".sql .psql .ddl .pgsql"),
    "tsx": _Names("", ".tsx"),
    "typescript": _Names("ts", ".ts .mts .cts", "", "deno ts-node"),
    "css": _Names("scss sass less", ".css .scss .sass .less"),
    "dart": _Names("", ".dart"),
    "dockerfile": _Names("docker", ".dockerfile", "Dockerfile Containerfile"),
    "elixir": _Names("ex", ".ex .exs", "", "elixir"),
    "erlang": _Names("", ".erl .hrl", "", "escript"),
    "haskell": _Names("hs", ".hs"),
    "html": _Names("", ".html .htm .xhtml .vue .svelte"),
    "json": _Names("", ".json .jsonc .json5"),
    "julia": _Names("", ".jl", "", "julia"),
    "kotlin": _Names("kt", ".kt .kts"),
    "lua": _Names("", ".lua", "", "lua"),
    "make": _Names("makefile", ".mk", "Makefile GNUmakefile makefile"),
    "markdown": _Names("md", ".md .markdown .mdx"),
    "objectivec": _Names("objc", ".m .mm"),
    "perl": _Names("pl", ".pl .pm", "", "perl"),
    "protobuf": _Names("proto", ".proto"),
    "r": _Names("", ".r", "", "Rscript"),
    "restructuredtext": _Names("rst", ".rst"),
    "scala": _Names("", ".scala .sc"),
    "swift": _Names("", ".swift"),
    "text": _Names("txt plain", ".txt .text", "README LICENSE NOTICE AUTHORS"),
    "toml": _Names("", ".toml"),
    "xml": _Names("", ".xml .xsd .xsl"),
    "yaml": _Names("yml", ".yaml .yml"),
    "zig": _Names("", ".zig"),
}

_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?(?:\S*/)?([\w+-]+?)[\d.]*(?:\s|$)")
_CPP_HEADER = re.compile(r"^\s*(?:class|namespace|template|using|public|private)\b|\w::\w", re.MULTILINE)


@cache
def _index(field: str) -> dict[str, str]:
    return {word: language for language, names in _LANGUAGES.items() for word in getattr(names, field).split()}


def known_languages() -> list[str]:
    """List the names that `find_language` takes (aliases not included), in alphabetical order."""
    return sorted(_LANGUAGES)


def find_language(name: str) -> str:
    """Give the one name of a language that goes by many, whatever the case: "C++" is "cpp".

    Raises UnknownLanguageError, listing what is known, for any other name.
    """
    lowered = name.strip().lower()
    found = lowered if lowered in _LANGUAGES else _index("aliases").get(lowered)
    if found is None:
        raise UnknownLanguageError(
            f"unknown language {name!r}",
            hint=f"leave it out to tell it from the path, or use one of: {', '.join(known_languages())}",
        )
    return found


def detect_language(path: str | None, content: str) -> str:
    """Tell the language from the file name, its extension or the shebang line; empty where none of them says.

    A `.h` file is C unless it uses what only C++ has.
    """
    name = (path or "").replace("\\", "/").rsplit("/", 1)[-1]
    found = _index("files").get(name) or _by_suffix(name)
    if not found:
        match = _SHEBANG.match(content)
        found = _index("interpreters").get(match[1], "") if match else ""
    if name.lower().endswith(".h") and _CPP_HEADER.search(content):
        return "cpp"
    return found


def _by_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return _index("suffixes").get(f".{suffix.lower()}", "") if dot and stem else ""
