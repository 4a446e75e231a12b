"""A real sidecar that serves two duets, `small` and its twin of other weights, and loads and unloads while it runs."""

import importlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from fix_plpy import FakePlpy
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from pgduet.backend import sidecar_health
from pgduet.cli.checks import check_machine, check_sidecar
from pgduet.cli.models import models as models_command
from pgduet.client import EmbeddingClient, RequestRefusedError, SidecarUnavailableError
from pgduet.encoding import Duet, Role, fingerprint_of
from pgduet.encoding.fusion import fuse
from pgduet.encoding.manifest import Manifest, read_manifest
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.store.layout import MANIFEST, REFERENCES, duet_folder, sha256_of
from pgduet.encoding.store.reweighting import reweighted
from pgduet.errors import PgduetError

# Adds its command to `pgduet models`.
importlib.import_module("pgduet.cli.models_serving")

TEXTS = ["def add(a, b):\n    return a + b", "SELECT count(*) FROM orders", "retry an http call with backoff"]
# Weights of `small` and room for its activations; the rest of the 500 MB that a duet takes is vocabulary.
LEAST_BYTES = 150_000_000


@pytest.fixture(scope="module")
def store(duet: Duet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with `small`, its `twin`, and `broken`: the twin with reference vectors that are another's."""
    models = tmp_path_factory.mktemp("models")
    (models / duet.name).symlink_to(duet_folder(duet.name))
    twin = reweighted("small", "twin", (0.3, 0.7), models)
    broken = models / "broken"
    for path in (path for path in twin.rglob("*") if path.is_file()):
        (broken / path.relative_to(twin)).parent.mkdir(parents=True, exist_ok=True)
        (broken / path.relative_to(twin)).hardlink_to(path)
    vectors = np.load(twin / REFERENCES)
    (broken / REFERENCES).unlink()
    np.save(broken / REFERENCES, vectors[::-1])
    manifest = read_manifest(twin / MANIFEST)
    write(broken, replace(manifest, name="broken", references=sha256_of(broken / REFERENCES)))
    return models


def write(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).write_text(to_toml(manifest), encoding="utf-8")


@pytest.fixture(scope="module")
def both(store: Path) -> Iterator[Sidecar]:
    settings = {"model": "small, twin", "models_dir": str(store), "max_models": "2"}
    settings |= {"keep_queries": "5", "batch_tokens": "256"}
    with open_directory() as directory, running_sidecar(directory, **settings) as own:
        wait_serving(own)
        yield own


@pytest.fixture
def client(both: Sidecar) -> Iterator[EmbeddingClient]:
    with EmbeddingClient(both.address) as connected:
        yield connected


def rows(client: EmbeddingClient, model: str, role: Role = Role.DOCUMENT) -> npt.NDArray[np.float32]:
    reply = client.embed(model, TEXTS, role)
    return np.frombuffer(reply.embeddings, "<f2").reshape(len(TEXTS), -1).astype(np.float32)


def bulk(count: int) -> list[str]:
    return [f"{time.time_ns()} " + "int value return self ( " * 20 for _ in range(count)]


def served(client: EmbeddingClient) -> dict[str, str]:
    return {model.name: model.fingerprint for model in client.list_models().models}


def command(client: EmbeddingClient, *arguments: str) -> str:
    """Run `pgduet models load` in this process; give what it prints."""
    done = CliRunner().invoke(models_command, ["load", *arguments, "--sidecar", client.address])
    if done.exception:
        raise done.exception
    return done.stdout


def memory(sidecar: Sidecar) -> int:
    """Return the resident memory of the sidecar in bytes."""
    return int(Path(f"/proc/{sidecar.pid}/statm").read_text().split()[1]) * 4096


@contextmanager
def asking(client: EmbeddingClient, model: str) -> Iterator[list[float]]:
    """Ask queries that are not cached, one after the other, while the block runs; give how long each took."""
    seconds: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            started = time.monotonic()
            client.embed(model, [f"query {time.time_ns()}"], "query", timeout=20)
            seconds.append(time.monotonic() - started)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        try:
            yield seconds
        finally:
            over.set()
        asked.result()


def test_each_duet_gives_its_own_vectors(client: EmbeddingClient, duet: Duet, store: Path) -> None:
    twin = read_manifest(store / "twin" / MANIFEST)
    prints = {"small": duet.fingerprint, "twin": fingerprint_of(twin)}
    assert served(client) == prints
    for role in Role:
        code, text, _ = duet.halves(duet.tokenise(TEXTS, role))
        expected = {
            "small": fuse(code, text, *duet.weights),
            "twin": fuse(code, text, twin.code.weight, twin.text.weight),
        }
        for name, other in (("small", "twin"), ("twin", "small")):
            assert np.allclose(rows(client, name, role), expected[name], atol=1e-4)
            assert not np.allclose(rows(client, name, role), expected[other], atol=1e-2)
    for name, other in (("small", "twin"), ("twin", "small")):
        assert client.embed(name, TEXTS, expected_fingerprint=prints[name]).fingerprint == prints[name]
        with pytest.raises(RequestRefusedError, match="FAILED_PRECONDITION: vectors of fingerprint"):
            client.embed(name, TEXTS, expected_fingerprint=prints[other])


def test_a_query_does_not_wait_for_the_documents_of_the_other_duet(client: EmbeddingClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        documents = pool.submit(client.embed, "twin", bulk(10))
        time.sleep(0.1)
        client.embed("small", [f"find {time.time_ns()}"], "query")
        assert not documents.done()
        assert len(documents.result().results) == 10


def test_what_is_no_name_not_there_or_one_too_many_is_refused_with_what_to_do(
    client: EmbeddingClient, store: Path
) -> None:
    for name in ("", " ", "../small", str(store / "small")):
        with pytest.raises(RequestRefusedError, match="INVALID_ARGUMENT: no duet can be called"):
            client.load_model(name)
    with pytest.raises(RequestRefusedError, match="NOT_FOUND: the duet 'absent' is not in the model store"):
        client.load_model("absent")
    with pytest.raises(RequestRefusedError, match=r"RESOURCE_EXHAUSTED: .*PGDUET_MAX_MODELS is 2") as caught:
        client.load_model("broken")
    assert caught.value.retry_after is None
    with pytest.raises(PgduetError, match="'nothing' is not in the model store") as told:
        command(client, "nothing")
    assert "PGDUET_MODELS_DIR" in told.value.hint
    shown = CliRunner().invoke(models_command, ["load", "--help"]).stdout
    assert "pgduet models load small-ft --unload" in " ".join(shown.split())


def test_a_duet_that_was_replaced_in_the_store_is_refused(client: EmbeddingClient, store: Path) -> None:
    fingerprint = client.load_model("twin").model.fingerprint
    path = store / "twin" / MANIFEST
    kept, manifest = path.read_text(), read_manifest(path)
    code, text = replace(manifest.code, weight=0.6), replace(manifest.text, weight=0.4)
    write(store / "twin", replace(manifest, code=code, text=text))
    try:
        with pytest.raises(RequestRefusedError, match=f"served with fingerprint {fingerprint}, the model store now"):
            client.load_model("twin")
        path.write_text("name = 7")
        with pytest.raises(RequestRefusedError, match="FAILED_PRECONDITION"):
            client.load_model("twin")
        assert len(rows(client, "twin")) == 3
    finally:
        path.write_text(kept)
    assert not client.load_model("twin").loaded


def test_the_checks_find_every_duet_that_is_served(
    client: EmbeddingClient, store: Path, monkeypatch: pytest.MonkeyPatch, plpy: FakePlpy
) -> None:
    models = served(client)
    monkeypatch.setenv("PGDUET_SIDECAR", client.address)
    monkeypatch.setenv("PGDUET_MODELS_DIR", str(store))
    fingerprints: dict[str, str] = {}
    (finding,) = check_sidecar(fingerprints)
    assert (finding.state, fingerprints) == ("ok", models)
    assert f"small {models['small']}, twin {models['twin']}" in finding.detail
    files = [one.detail for one in check_machine(["small", "twin"]) if one.part == "model files"]
    assert [detail.split()[0] for detail in files] == ["small", "twin"]
    for name, fingerprint, expected in (
        ("small", models["small"], "ok"),
        ("twin", models["twin"], "ok"),
        ("twin", models["small"], "fail"),
        ("third", "", "fail"),
    ):
        plpy.context |= {"sidecar_address": client.address, "model": name, "fingerprint": fingerprint}
        _, (component, status, detail) = sidecar_health(plpy)
        assert (component, status) == ("model", expected), detail
    assert detail.endswith("serves: small, twin")


def test_a_duet_goes_and_comes_back_while_the_other_answers(client: EmbeddingClient, both: Sidecar) -> None:
    before = rows(client, "twin")
    client.embed("twin", ["a query"], "query")
    assert client.recent_queries("twin").sketches
    with_twin = memory(both)
    with ThreadPoolExecutor(1) as pool:
        documents = pool.submit(client.embed, "twin", bulk(10))
        time.sleep(0.1)
        assert command(client, "twin", "--unload") == f"twin is unloaded; {client.address} serves small\n"
        assert documents.done()
        assert not any(result.HasField("error") for result in documents.result().results)
    without = memory(both)
    print(f"resident: {with_twin / 1e6:.0f} MB with the twin, {without / 1e6:.0f} MB without")
    assert with_twin - without > LEAST_BYTES

    for refused in (lambda: client.embed("twin", ["x"]), lambda: client.unload_model("twin")):
        with pytest.raises(RequestRefusedError, match="NOT_FOUND: no model 'twin' is served here; served: small"):
            refused()
    with pytest.raises(RequestRefusedError, match="FAILED_PRECONDITION: small is the only model") as caught:
        client.unload_model("small")
    assert caught.value.hint

    with asking(client, "small") as seconds:
        with pytest.raises(RequestRefusedError, match=r"FAILED_PRECONDITION: the code vectors of \w+ are off"):
            client.load_model("broken")
        # The load goes on though its first caller leaves.
        with pytest.raises(SidecarUnavailableError, match="DEADLINE_EXCEEDED") as late:
            client.load_model("twin", timeout=0.1)
        assert "it goes on" in late.value.hint
        fingerprint = client.load_model("twin").model.fingerprint
    print(f"{len(seconds)} queries while two were loaded, the slowest took {max(seconds):.2f} s")
    assert len(seconds) > 5
    assert list(served(client)) == ["small", "twin"]
    told = f"twin was loaded already, fingerprint {fingerprint}, served at {client.address}\n"
    assert command(client, "twin") == told
    assert (rows(client, "twin") == before).all()
    assert not client.recent_queries("twin").sketches
    assert client.healthy()
