"""Code as HTML or for a terminal, in colours."""

from functools import lru_cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

# Names that pygments has for languages where ours differ.
_LEXERS = {"csharp": "c#", "objectivec": "objective-c", "restructuredtext": "rst"}
_LIGHT, _DARK = "friendly", "github-dark"
# Both styles are made for other backgrounds; these tokens of theirs are too pale to be read.
_LEGIBLE = {"c": "#57606a", "ch": "#57606a", "cm": "#57606a", "c1": "#57606a", "cs": "#57606a", "o": "#57606a"}
_LINE = 1000


def lexer_name(language: str | None) -> str:
    """Give pygments' name for a language of ours."""
    return _LEXERS.get(language or "text", language or "text")


@lru_cache(256)
def as_html(code: str, language: str | None, lines: int) -> str:
    """Write the first `lines` lines of code as escaped HTML with spans; pygments' classes name the tokens.

    Characters over 1,000 in a line are left out. A language that pygments does not know is not coloured.
    """
    shown = "\n".join(line if len(line) <= _LINE else f"{line[:_LINE]} ..." for line in code.split("\n")[:lines])
    return str(highlight(shown, _lexer(language), HtmlFormatter(nowrap=True))).rstrip("\n")


@lru_cache(1)
def stylesheet() -> str:
    """Write the CSS of the tokens, for light and dark."""
    light, dark = get_style_by_name(_LIGHT), get_style_by_name(_DARK)
    rules = []
    for token, name in STANDARD_TYPES.items():
        day, night = light.style_for_token(token), dark.style_for_token(token)
        if not name or name in ("err", "w") or not (day["color"] or night["color"]):
            continue
        first = _LEGIBLE.get(name) or (f"#{day['color']}" if day["color"] else "inherit")
        second = f"#{night['color']}" if night["color"] else "currentcolor"
        first = "currentcolor" if first == "inherit" else first
        slant = "font-style:italic;" if day["italic"] and name.startswith("c") else ""
        rules.append(f".code .{name}{{{slant}color:light-dark({first},{second})}}")
    return "\n".join(rules) + "\n"


def _lexer(language: str | None) -> Lexer:
    try:
        return get_lexer_by_name(lexer_name(language), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)
