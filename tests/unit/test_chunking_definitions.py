"""Symbols, kinds and lines of the definitions of each language."""

import pytest

from pgduet.chunking import chunk_code

# language -> source, and what must be found in it: kind, symbol, first and last line, in order.
CASES: dict[str, tuple[str, list[tuple[str, str, int, int]]]] = {
    "python": (
        '''\
import os

# Fetches.
@cache
async def fetch(a):
    def inner(): pass
    return inner


class A(B):
    """D."""
    y = 1

    # makes
    def m(self):
        pass

    z = 3

    class C:
        @property
        def n(self): pass

class Leaf:
    a: int
main()
''',
        [
            ("block", "", 1, 1),
            ("function", "fetch", 3, 7),
            ("class", "A", 10, 12),
            ("method", "A.m", 14, 16),
            ("block", "A", 18, 18),
            ("class", "A.C", 20, 20),
            ("method", "A.C.n", 21, 22),
            ("class", "Leaf", 24, 25),
            ("block", "", 26, 26),
        ],
    ),
    "javascript": (
        """\
/** D */
export const f = async (a) => 1;
export default function () { return 2 }
class K {
  x = 1;
  m() { return 1 }
  handle = () => { x() };
}
module.exports.q = function (a) { return a };
Foo.prototype.bar = function () {};
const api = {
  a: 1,
  // gets
  get() { return 1 },
  'post': async () => 2,
};
""",
        [
            ("function", "f", 1, 2),
            ("function", "default", 3, 3),
            ("class", "K", 4, 5),
            ("method", "K.m", 6, 6),
            ("method", "K.handle", 7, 7),
            ("function", "q", 9, 9),
            ("method", "Foo.bar", 10, 10),
            ("block", "", 11, 12),
            ("function", "api.get", 13, 14),
            ("function", "api.post", 15, 15),
        ],
    ),
    "typescript": (
        """\
@Injectable()
export class S<T> {
  constructor(private a: A) {}
  /** D */
  @Get("/x")
  async list(): Promise<void> {}
}
export interface I { a(): void }
export enum E { A }
namespace N {
  export function q() {}
}
export const h = <T>(a: T) => a;
""",
        [
            ("class", "S", 1, 2),
            ("method", "S.constructor", 3, 3),
            ("method", "S.list", 4, 6),
            ("class", "I", 8, 8),
            ("class", "E", 9, 9),
            ("block", "", 10, 10),
            ("function", "N.q", 11, 11),
            ("function", "h", 13, 13),
        ],
    ),
    "tsx": (
        """\
export const App = () => <p>hello</p>;
""",
        [("function", "App", 1, 1)],
    ),
    "go": (
        """\
package main

// Client is.
type Client struct {
\ta int
}

// Do does.
func (c *Client) Do(x int) error {
\treturn nil
}
func (s Stack[T]) Push(t T) {}
func main() {}
""",
        [
            ("block", "", 1, 1),
            ("class", "Client", 3, 6),
            ("method", "Client.Do", 8, 11),
            ("method", "Stack.Push", 12, 12),
            ("function", "main", 13, 13),
        ],
    ),
    "rust": (
        """\
/// A.
/// B.
#[derive(Debug)]
pub struct Foo<T> {
    a: T,
}
impl<T> Display for Foo<T> {
    const A: u8 = 1;
    /// new
    #[inline]
    pub fn new() -> Self { todo!() }
}
mod tests {
    #[test]
    fn works() {}
}
""",
        [
            ("class", "Foo", 1, 6),
            ("class", "Foo", 7, 8),
            ("method", "Foo.new", 9, 11),
            ("block", "", 13, 13),
            ("function", "tests.works", 14, 15),
        ],
    ),
    "java": (
        """\
package a;
/** D */
@Service
public class A<T> {
  int x;
  public A() {}
  /** m */
  @Override
  public int m() { return 1; }
  interface I { void q(); }
}
record P(int x) {}
""",
        [
            ("block", "", 1, 1),
            ("class", "A", 2, 5),
            ("method", "A.A", 6, 6),
            ("method", "A.m", 7, 9),
            ("class", "A.I", 10, 10),
            ("class", "P", 12, 12),
        ],
    ),
    "c": (
        """\
#include <a.h>

/* D */
static char **
foo(int a)
{
  return 0;
}
struct s { int a; };
typedef struct { int b; } tt;
void (*sig(int a))(int) { }
#endif
""",
        [
            ("block", "", 1, 1),
            ("function", "foo", 3, 8),
            ("class", "s", 9, 9),
            ("class", "tt", 10, 10),
            ("function", "sig", 11, 12),
        ],
    ),
    "cpp": (
        """\
namespace ns {
template <typename T>
T& max(T a) { return a; }
class A : public B {
 public:
  A() : x(1) {}
  int get() const { return x; }
 private:
  int x;
};
}  // namespace ns
int ns::A::set(int a) { return a; }
bool operator<(A a, A b) { return true; }
std::unique_ptr<X> Foo<int>::make() { return nullptr; }
""",
        [
            ("block", "", 1, 1),
            ("function", "ns.max", 2, 3),
            ("class", "ns.A", 4, 5),
            ("method", "ns.A.A", 6, 6),
            ("method", "ns.A.get", 7, 7),
            ("block", "ns.A", 8, 11),
            ("method", "ns.A.set", 12, 12),
            ("function", "operator<", 13, 13),
            ("method", "Foo.make", 14, 14),
        ],
    ),
    "csharp": (
        """\
using System;
namespace A.B {
/// <summary>x</summary>
[Serializable]
public class C<T> : D {
  public int P { get; set; }
  public C() {}
  public int M(int a) => a;
}
interface I { void M(); }
}
""",
        [
            ("block", "", 1, 2),
            ("class", "C", 3, 6),
            ("method", "C.C", 7, 7),
            ("method", "C.M", 8, 8),
            ("class", "I", 10, 10),
        ],
    ),
    "ruby": (
        """\
require 'x'
module M
  # doc
  class A < B
    attr_reader :x
    # makes
    def make(a)
      1
    end
    def self.build; end
    private def z; end
  end
end
""",
        [
            ("block", "", 1, 1),
            ("class", "M", 2, 2),
            ("class", "M.A", 3, 5),
            ("method", "M.A.make", 6, 9),
            ("method", "M.A.build", 10, 10),
            ("method", "M.A.z", 11, 13),
        ],
    ),
    "php": (
        """\
<?php
/** doc */
class U extends M {
  private $x;
  #[Pure]
  public function get(int $a): int { return 1; }
}
function helper() { return 1; }
""",
        [("class", "U", 1, 4), ("method", "U.get", 5, 6), ("function", "helper", 8, 8)],
    ),
    "bash": (
        """\
#!/bin/bash
set -e
# doc
foo() {
  echo 1
}
function bar { echo 2; }
foo
""",
        [("block", "", 1, 2), ("function", "foo", 3, 6), ("function", "bar", 7, 7), ("block", "", 8, 8)],
    ),
}


@pytest.mark.parametrize("language", CASES)
def test_definitions_become_chunks_with_their_comments_and_dotted_names(language: str) -> None:
    source, expected = CASES[language]
    chunks = chunk_code(source, language)
    assert [(c.kind, c.symbol, c.start_line, c.end_line) for c in chunks] == expected
    assert {c.language for c in chunks} == {language}


@pytest.mark.parametrize("language", CASES)
def test_content_is_the_text_of_the_lines_named(language: str) -> None:
    source = CASES[language][0]
    lines = source.split("\n")
    for chunk in chunk_code(source, language):
        assert chunk.content == "\n".join(lines[chunk.start_line - 1 : chunk.end_line]).rstrip()


def test_a_comment_behind_a_blank_line_or_a_statement_is_not_attached() -> None:
    chunks = chunk_code("# licence\n\nx = 1  # of x\ndef f(): pass\n", "python")
    assert [(c.symbol, c.start_line) for c in chunks] == [("", 1), ("f", 4)]


def test_definitions_on_one_line_are_told_apart() -> None:
    chunks = chunk_code("function a(){return 1} function b(){return 2} c();", "javascript")
    assert [(c.symbol, c.content) for c in chunks] == [
        ("a", "function a(){return 1}"),
        ("b", "function b(){return 2}"),
        ("", "c();"),
    ]


def test_an_arrow_function_inside_a_callback_stays_in_its_block() -> None:
    source = "describe('x', () => {\n  const t = () => 1;\n  it('works', () => t());\n});\n"
    assert [(c.kind, c.start_line, c.end_line) for c in chunk_code(source, "javascript")] == [("block", 1, 4)]
