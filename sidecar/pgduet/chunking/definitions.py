"""Definitions in a syntax tree: which node, under which dotted name, inside which other definition."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from tree_sitter import Node, Tree

from pgduet.chunking.grammars import find_matches

Shape = Literal["function", "class", "scope"]

_GENERIC = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
_LONGEST_NAME = 200


@dataclass(slots=True, eq=False)
class Definition:
    """Hold one definition found in a tree, by byte offsets.

    A "scope" (namespace, module, object of functions) only lends its name to what is inside; a class is `whole`, thus
    one chunk, when no function is inside. `end` includes no line end.
    """

    start: int
    end: int
    symbol: str
    shape: Shape
    receiver: bool = False
    parent: "Definition | None" = None
    whole: bool = field(default=True)

    @property
    def method(self) -> bool:
        """Tell whether this function belongs to a class, be it by its place or by its name."""
        return self.shape == "function" and (self.receiver or self.owner is not None)

    @property
    def owner(self) -> "Definition | None":
        """Give the nearest class around, scopes left out."""
        around = self.parent
        while around is not None and around.shape == "scope":
            around = around.parent
        return around


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold the definitions of a file in order of their start, and its comments and decorators as end -> start."""

    definitions: list[Definition]
    leads: dict[int, int]


def outline(language: str, tree: Tree, source: bytes) -> Outline:
    """List what the definition query of `language` finds in `tree`, without what lies inside functions.

    Its captures: @function, @class and @scope with their @name, @declarator or @receiver; @lead for what belongs to a
    definition below it; @wrapper for a node that belongs to the one definition @inner it holds (`export`, say).
    """
    matches = find_matches(language, tree.root_node)
    wrappers = _wrappers(matches)
    found: dict[tuple[int, int], Definition] = {}
    leads: dict[int, int] = {}
    for captures in matches:
        for node in captures.get("lead", ()):
            # Some grammars count the line end to a comment.
            end = node.end_byte - (source[node.end_byte - 1 : node.end_byte] == b"\n")
            leads[end] = node.start_byte
        definition = _read(captures, wrappers, source)
        if definition:
            found.setdefault((definition.start, -definition.end), definition)
    return Outline(_nest([found[key] for key in sorted(found)]), leads)


def _wrappers(matches: list[dict[str, list[Node]]]) -> dict[int, Node]:
    """Map the id of a node to the node that wraps it and nothing else of its type."""
    pairs = [(m["inner"][0], m["wrapper"][0]) for m in matches if "wrapper" in m]
    held = Counter((wrapper.id, inner.type) for inner, wrapper in pairs)
    return {inner.id: wrapper for inner, wrapper in pairs if held[wrapper.id, inner.type] == 1}


def _read(captures: dict[str, list[Node]], wrappers: dict[int, Node], source: bytes) -> Definition | None:
    shapes: tuple[Shape, ...] = ("function", "class", "scope")
    for shape in shapes:
        if shape in captures:
            node = captures[shape][0]
            while node.id in wrappers:
                node = wrappers[node.id]
            name, receiver = _name(captures, shape, source)
            return Definition(node.start_byte, node.end_byte, name, shape, receiver)
    return None


def _name(captures: dict[str, list[Node]], shape: Shape, source: bytes) -> tuple[str, bool]:
    """Give the dotted name, and whether it says by itself that it belongs to a type."""
    node = captures["name"][0] if "name" in captures else _declared(captures["declarator"][0])
    name = " ".join(_text(node, source).split())
    if "operator" not in name:
        name = _plain(name)
    if shape == "class":
        name = re.sub(r"^[&*]+|^dyn ", "", name)
    name = re.sub(r"^(?:module\.)?exports\.(?=.)", "", name).strip("'\"`")
    belongs = "receiver" in captures or "::" in name or ".prototype." in name
    if "receiver" in captures:
        receiver = _plain(_text(captures["receiver"][0], source))
        name = f"{receiver.lstrip('*( ').rstrip(') ')}.{name}"
    return name.replace("::", ".").replace(".prototype.", ".")[:_LONGEST_NAME], belongs


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _plain(name: str) -> str:
    """Leave out type parameters."""
    while (shorter := _GENERIC.sub("", name)) != name and shorter:
        name = shorter
    return name


def _declared(node: Node) -> Node:
    """Follow a C declarator through pointers, references and parentheses down to the name."""
    while True:
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next((child for child in node.named_children if child.type.endswith("_declarator")), None)
        if inner is None:
            return node
        node = inner


def _nest(definitions: list[Definition]) -> list[Definition]:
    """Link each definition to the one around it; drop what is inside functions and classes kept whole."""
    kept: list[Definition] = []
    stack: list[Definition] = []
    for definition in definitions:
        while stack and stack[-1].end <= definition.start:
            stack.pop()
        around = stack[-1] if stack else None
        if around is not None and (around.shape == "function" or definition.end > around.end):
            continue
        definition.parent = around
        if around is not None:
            definition.symbol = f"{around.symbol}.{definition.symbol}"
        if definition.shape == "function":
            for outer in stack:
                outer.whole = False
        kept.append(definition)
        stack.append(definition)
    return [d for d in kept if d.shape != "scope" and not (d.owner is not None and d.owner.whole)]
