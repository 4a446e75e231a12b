"""Which files of a tree are looked at, and why others are not."""

import os
from pathlib import Path

import pytest

from pgduet.errors import PgduetError
from pgduet.ingest.roots import Root, find_roots
from pgduet.ingest.walk import walk


def walked(base: Path, below: str = "") -> tuple[list[str], dict[str, str]]:
    found = list(walk(Root("r", base, below)))
    return [f.path for f in found if not f.reason], {f.path: f.reason for f in found if f.reason}


def put(base: Path, name: str, content: str = "x = 1\n") -> None:
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_files_come_in_order_of_their_names_and_folders(tmp_path: Path) -> None:
    for name in ("b.py", "a/z.py", "a/b/c.py", "a.py"):
        put(tmp_path, name)
    assert walked(tmp_path)[0] == ["a/b/c.py", "a/z.py", "a.py", "b.py"]


def test_gitignore_files_hold_for_their_folder_and_the_nearest_wins(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "*.log\nout/\n/only_top.py\n!keep.log\n")
    put(tmp_path, "sub/.gitignore", "!also.log\nkeep.log\n/local.py\n")
    for name in ("a.log", "keep.log", "only_top.py", "out/x.py", "sub/also.log", "sub/keep.log", "sub/local.py"):
        put(tmp_path, name)
    for name in ("sub/only_top.py", "sub/deep/local.py", "sub/out/y.py"):
        put(tmp_path, name)
    kept, skipped = walked(tmp_path)
    assert kept == [
        ".gitignore",
        "keep.log",
        "sub/.gitignore",
        "sub/also.log",
        "sub/deep/local.py",
        "sub/only_top.py",
    ]
    assert set(skipped) == {"a.log", "only_top.py", "out", "sub/keep.log", "sub/local.py", "sub/out"}
    assert set(skipped.values()) == {"ignored by .gitignore"}


def test_rules_above_a_subtree_hold_in_it(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "sub/gen_*.py\n")
    put(tmp_path, "sub/gen_a.py")
    put(tmp_path, "sub/b.py")
    assert walked(tmp_path, "sub")[0] == ["sub/b.py"]


def test_what_is_ignored_is_taken_where_it_is_given_by_name(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "build/\n*.tmp.py\n")
    put(tmp_path, "build/a.py")
    put(tmp_path, "x.tmp.py")
    assert walked(tmp_path, "build")[0] == ["build/a.py"]
    assert walked(tmp_path, "x.tmp.py")[0] == ["x.tmp.py"]
    assert walked(tmp_path)[0] == [".gitignore"]


def test_dependencies_and_caches_are_skipped_by_name_or_mark(tmp_path: Path) -> None:
    for name in (
        ".git/config",
        "node_modules/a/i.js",
        "vendor/v.go",
        "env/pyvenv.cfg",
        "env/a.py",
        "src/__pycache__/a.py",
    ):
        put(tmp_path, name)
    put(tmp_path, "src/a.py")
    kept, skipped = walked(tmp_path)
    assert kept == ["src/a.py"]
    assert set(skipped) == {".git", "node_modules", "vendor", "env", "src/__pycache__"}
    assert walked(tmp_path, "vendor")[0] == ["vendor/v.go"]


def test_symbolic_links_and_pipes_are_skipped(tmp_path: Path) -> None:
    put(tmp_path, "tree/a.py")
    put(tmp_path, "outside/secret.py")
    (tmp_path / "tree/link").symlink_to(tmp_path / "outside")
    (tmp_path / "tree/loop").symlink_to(tmp_path / "tree")
    (tmp_path / "tree/b.py").symlink_to("a.py")
    os.mkfifo(tmp_path / "tree/pipe")
    kept, skipped = walked(tmp_path / "tree")
    assert kept == ["a.py"]
    assert skipped == {
        "b.py": "symbolic link",
        "link": "symbolic link",
        "loop": "symbolic link",
        "pipe": "not a regular file",
    }


def test_names_that_the_database_cannot_hold_are_skipped(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("x")
    put(tmp_path, "/".join(["d" * 200] * 6) + "/x.py")
    kept, skipped = walked(tmp_path)
    assert kept == []
    assert set(skipped.values()) == {"name too long or not UTF-8"}


def test_a_checkout_is_named_by_its_top_and_paths_count_from_there(tmp_path: Path) -> None:
    put(tmp_path, "project/.git/HEAD")
    put(tmp_path, "project/src/a.py")
    top = tmp_path / "project"
    assert find_roots([top / "src"], None) == [Root("project", top, "src")]
    assert find_roots([top / "src/a.py"], "other") == [Root("other", top, "src/a.py")]
    assert find_roots([top], None) == [Root("project", top, "")]


def test_outside_of_a_checkout_the_folder_given_is_the_repository(tmp_path: Path) -> None:
    put(tmp_path, "x/a.py")
    assert find_roots([tmp_path / "x"], None) == [Root("x", tmp_path / "x", "")]
    assert find_roots([tmp_path / "x/a.py"], None) == [Root("x", tmp_path / "x", "a.py")]


def test_a_path_inside_another_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "p/.git/HEAD")
    put(tmp_path, "p/src/a.py")
    put(tmp_path, "p/src2/a.py")
    roots = find_roots([tmp_path / "p/src/a.py", tmp_path / "p/src2", tmp_path / "p/src", tmp_path / "p/src"], None)
    assert [root.below for root in roots] == ["src", "src2"]


def test_one_name_for_two_folders_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a/x.py")
    put(tmp_path, "b/x.py")
    with pytest.raises(PgduetError, match="would both be the repository 'r'"):
        find_roots([tmp_path / "a", tmp_path / "b"], "r")


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PgduetError, match="cannot read"):
        find_roots([tmp_path / "nothing"], None)
