"""The checked-in stubs are what the .proto files say."""

import subprocess
import sys
from pathlib import Path

import pytest

PROTO = Path(__file__).resolve().parents[2] / "proto"
STUBS = ("embedding_pb2.py", "embedding_pb2.pyi", "embedding_pb2_grpc.py")


def test_stubs_are_fresh(tmp_path: Path) -> None:
    source = "pgduet/v1/embedding.proto"
    out = [f"--{kind}={tmp_path}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I", str(PROTO), *out, source], check=True)
    for name in STUBS:
        made, kept = tmp_path / "pgduet/v1" / name, PROTO / "pgduet/v1" / name
        assert made.read_text() == kept.read_text(), "run `make proto`"


def test_buf_finds_nothing_to_say() -> None:
    found = subprocess.run([Path(sys.executable).with_name("buf"), "lint", PROTO], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("name", STUBS)
def test_stubs_are_in_the_tree(name: str) -> None:
    assert (PROTO / "pgduet/v1" / name).is_file()
