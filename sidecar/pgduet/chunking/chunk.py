"""What a chunk is, and how large it may grow."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["function", "method", "class", "block"]

# About 750 tokens of code: long enough for nearly every function, short enough for both encoders of the duet.
MAX_CHARACTERS = 3000
WINDOW_LINES = 40
WINDOW_OVERLAP = 5

WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Hold one piece of a file.

    `symbol` is the dotted name within the file (empty for statements outside of any definition), lines count from 1
    and include both ends, `language` is empty where neither a name, the path nor a shebang tells it. `content` has LF
    line ends.
    """

    symbol: str
    kind: Kind
    language: str
    start_line: int
    end_line: int
    content: str
