"""A model hub on loopback with faults to switch on, and small checkpoints of true architecture to put into it."""

import contextlib
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pgduet.encoding.formats.xlmr import tokenizer_json
from pgduet.encoding.manifest import Manifest, Role, Slot
from pgduet.encoding.sources import FolderSource, HubSource, Source
from pgduet.encoding.store.report import quiet

REVISION = "0123456789abcdef0123456789abcdef01234567"
WIDTH = 32


@dataclass
class Fault:
    """What goes wrong with one file: `drop`, `503`, `short` or `corrupt`, `times` times."""

    kind: str
    times: int = 1 << 30


@dataclass
class Hub:
    """Repositories by name, each a map of file names to bytes; `requests` lists `METHOD path` of every request."""

    endpoint: str
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    delays: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)
    # What to answer, with status 200, when asked about a repository; None: the truth.
    answer: bytes | None = None
    requests: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def fetched(self, name: str) -> int:
        """Count the requests for the body of a file."""
        return sum(request.startswith("GET") and request.endswith("/" + name) for request in self.requests)

    def strikes(self, name: str, kind: str) -> bool:
        """Tell whether the fault `kind` of a file strikes now, and count it."""
        fault = self.faults.get(name)
        if fault is None or fault.kind != kind or fault.times <= 0:
            return False
        fault.times -= 1
        return True


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", ".onnx"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        # A client that was killed meanwhile wants no answer.
        with contextlib.suppress(ConnectionError):
            self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = urllib.parse.urlsplit(self.path).path
        self.hub.requests.append(f"{self.command} {path}")
        if match := re.fullmatch(r"/api/models/(.+)/revision/(.+)", path):
            self._tell(match[1], match[2])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(match[1], match[2], match[3], body)
        else:
            self._refuse(404, "EntryNotFound")

    def _refused(self, repo: str, revision: str) -> bool:
        if repo in self.hub.gated:
            self._refuse(403, "GatedRepo")
        elif repo not in self.hub.repos:
            self._refuse(401, "RepoNotFound")
        elif revision != REVISION:
            self._refuse(404, "RevisionNotFound")
        else:
            return False
        return True

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, {"X-Error-Code": code}, b"")

    def _tell(self, repo: str, revision: str) -> None:
        if self.hub.answer is not None:
            self._send(200, {}, self.hub.answer)
            return
        if self._refused(repo, revision):
            return
        siblings = []
        for name, content in self.hub.repos[repo].items():
            size = self.hub.sizes.get(name, len(content))
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            sibling: dict[str, Any] = {"rfilename": name, "size": size, "blobId": blob}
            if is_large(name):
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 130}
            siblings.append(sibling)
        tags = [f"license:{self.hub.licences[repo]}"] if repo in self.hub.licences else []
        told = {"id": repo, "sha": REVISION, "siblings": siblings, "tags": tags}
        self._send(200, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def _file(self, repo: str, revision: str, name: str, body: bool) -> None:
        if self._refused(repo, revision):
            return
        if name not in self.hub.repos[repo]:
            self._refuse(404, "EntryNotFound")
            return
        content = self.hub.repos[repo][name]
        headers = {
            "X-Repo-Commit": REVISION,
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        if is_large(name):
            headers |= {
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
            }
        if not body:
            self._send(200, {**headers, "Content-Length": str(len(content))}, b"")
        elif self.hub.strikes(name, "503"):
            self._send(503, {}, b"")
        else:
            self._body(name, content, headers)

    def _body(self, name: str, content: bytes, headers: dict[str, str]) -> None:
        self.hub.stopped.wait(self.hub.delays.get(name, 0))
        if self.hub.strikes(name, "corrupt"):
            content = bytes([content[0] ^ 1]) + content[1:]
        if self.hub.strikes(name, "short"):
            content = content[:-1]
        status = 200
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(match[1])
            headers = {**headers, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            content, status = content[start:], 206
        cut = len(content) // 2 if self.hub.strikes(name, "drop") else None
        self._send(status, headers, content, cut)

    def _send(self, status: int, headers: dict[str, str], content: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content if cut is None else content[:cut])
        # A body that ends before its length is a broken connection.
        self.close_connection = self.close_connection or cut is not None


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty hub, set as the one to use; nothing else of the environment points at one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"hub": hub})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield hub
    hub.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


def write_checkpoint(folder: Path, seed: int, shard_size: str = "5GB") -> Path:
    """Write a random BERT of true architecture, 32 wide, with a tokenizer; large enough for `shard_size` to matter."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=100,
        max_position_embeddings=64,
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder, max_shard_size=shard_size)
    words = [*"abcdefghijklmnopqrstuvwxyz()[]<>/=.,:;+", "def", "return"]
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces += [("▁", -2.0), *((word, -3.0) for word in words), ("<mask>", 0.0)]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(pieces)), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small random checkpoints, for code and for text."""
    root = tmp_path_factory.mktemp("checkpoints")
    return write_checkpoint(root / "code", 1), write_checkpoint(root / "text", 2)


@pytest.fixture(scope="session")
def tiny_store(checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store that holds the duet `tiny` of the two checkpoints; nobody may change it."""
    from pgduet.encoding.store.install import install

    store = tmp_path_factory.mktemp("store")
    code, text = (FolderSource(str(folder), "transformers") for folder in checkpoints)
    prefix = {Role.DOCUMENT: "passage: ", Role.QUERY: "query: "}
    install(duet_of(code, text, prefix=prefix), None, store, quiet, False)
    return store


@pytest.fixture
def filled_hub(hub: Hub, checkpoints: tuple[Path, Path]) -> Hub:
    """The hub with the repositories tiny/code and tiny/text, which also hold what must never be fetched."""
    for name, folder in zip(("code", "text"), checkpoints, strict=True):
        unwanted = {"modeling_tiny.py": b"raise SystemExit", "pytorch_model.bin": b"pickle", "README.md": b"# Tiny"}
        hub.repos[f"tiny/{name}"] = {**contents(folder), **unwanted}
    return hub


def slot(name: str, source: Source, **changes: Any) -> Slot:
    fields: dict[str, Any] = {
        "slot": name,
        "encoder": f"tiny-{name}",
        "licence": "MIT",
        "restricted": "",
        "width": WIDTH,
        "pooling": "mean",
        "attention": "auto",
        "max_tokens": 60,
        "end": "",
        "weight": 0.5,
        "prefix": dict.fromkeys(Role, ""),
        "adapter": {},
        "golden": (),
        "source": source,
        "files": {},
    }
    return Slot(**{**fields, **changes})


def duet_of(code: Source, text: Source, name: str = "tiny", **changes: Any) -> Manifest:
    """A recipe without hashes; `changes` are for the text slot."""
    return Manifest(name, "A tiny duet", "float32", 1, 2, "", slot("code", code), slot("text", text, **changes))


def hub_source(name: str, revision: str = REVISION, form: str = "transformers") -> HubSource:
    return HubSource(name, revision, form)
