import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STUBS = ("embedding_pb2.py", "embedding_pb2.pyi", "embedding_pb2_grpc.py")


def test_the_stubs_are_what_the_pinned_generator_makes_of_the_protocol(tmp_path: Path) -> None:
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", "proto", *outputs, "pgduet/v1/embedding.proto"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    for name in STUBS:
        checked_in = REPOSITORY / "proto" / "pgduet" / "v1" / name
        assert (tmp_path / "pgduet" / "v1" / name).read_text() == checked_in.read_text(), f"{name}: run `make proto`"
