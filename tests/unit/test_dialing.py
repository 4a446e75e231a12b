"""One setting names one sidecar or several, in gRPC's words, and the channel to them is gRPC's own business."""

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from fix_sidecar import open_directory
from pgduet.client import EmbeddingClient, SidecarError
from pgduet.v1 import dialing
from pgduet.v1.dialing import SIDECAR_KEY
from stub_sidecar import StubSidecar


@pytest.mark.parametrize(
    ("setting", "target"),
    [
        ("127.0.0.1:50517", "127.0.0.1:50517"),
        ("sidecar.internal:50517", "sidecar.internal:50517"),
        ("dns:///sidecars:50517", "dns:///sidecars:50517"),
        ("unix:/run/pgduet/a.sock", "unix:/run/pgduet/a.sock"),
        (" unix:///run/a.sock, ", "unix:///run/a.sock"),
        ("10.0.0.1:50517,10.0.0.2:50517", "ipv4:10.0.0.1:50517,10.0.0.2:50517"),
        ("10.0.0.1:50517  10.0.0.1:50518\n10.0.0.1:50517", "ipv4:10.0.0.1:50517,10.0.0.1:50518"),
        ("ipv4:10.0.0.1:1,10.0.0.2:2", "ipv4:10.0.0.1:1,10.0.0.2:2"),
        ("[fd00::1]:50517, 10.0.0.2:50518", "ipv6:[fd00::1]:50517,[::ffff:10.0.0.2]:50518"),
        ("unix:/a.sock,unix:///b.sock", "unix:/a.sock,/b.sock"),
        ("unix:/a.sock,/b.sock", "unix:/a.sock,/b.sock"),
    ],
)
def test_a_setting_becomes_one_of_grpcs_own_targets(setting: str, target: str) -> None:
    assert dialing.target(setting) == target


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("", "no address"),
        (" , ", "no address"),
        ("unix:/a.sock,127.0.0.1:50517", "unix sockets and TCP addresses in one list"),
        ("localhost:1,localhost:2", "'localhost:1' cannot stand in a list"),
        ("127.0.0.1:1,dns:///b:2", "'dns:///b:2' cannot stand in a list"),
        ("127.0.0.1,127.0.0.2", "'127.0.0.1' cannot stand in a list"),
        ("127.0.0.1:0,127.0.0.2:70000", "'127.0.0.1:0' cannot stand in a list"),
        ("::1:50517,[::1]:50518", "'::1:50517' cannot stand in a list"),
        ("unix:/my folder/a.sock", "'folder/a.sock' cannot stand in a list"),
    ],
)
def test_what_grpc_has_no_list_for_is_refused_with_what_to_write(setting: str, words: str) -> None:
    with pytest.raises(dialing.AddressError, match=words) as caught:
        dialing.target(setting)
    assert caught.value.hint
    with pytest.raises(SidecarError, match=words):
        EmbeddingClient(setting or " ")


def test_each_address_of_a_list_can_be_called_alone() -> None:
    assert dialing.addresses("unix:///a.sock, /b.sock") == ["unix:/a.sock", "unix:/b.sock"]
    assert dialing.addresses("10.0.0.1:1,[::1]:2") == ["ipv4:10.0.0.1:1", "ipv6:[::1]:2"]
    assert dialing.addresses("dns:///sidecars:50517") == ["dns:///sidecars:50517"]


def test_the_service_config_is_what_the_documents_promise() -> None:
    def config(options: dialing.Options) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(str(dict(options)["grpc.service_config"]))
        return found

    everything = config(dialing.options())
    assert everything["loadBalancingConfig"] == [{"round_robin": {}}]
    assert everything["healthCheckConfig"] == {"serviceName": dialing.SERVICE_NAME}
    (policy,) = everything["methodConfig"]
    assert policy["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
    assert policy["retryPolicy"]["maxAttempts"] == 4
    careful = config(dialing.options(embed_again=False))
    assert careful["methodConfig"] == [
        policy,
        {
            "name": [{"service": dialing.SERVICE_NAME, "method": method} for method in ("Embed", "EmbedStream")],
            "retryPolicy": {**policy["retryPolicy"], "retryableStatusCodes": ["RESOURCE_EXHAUSTED"]},
        },
    ]


@pytest.mark.parametrize("form", ["unix:{0}/a.sock,unix:{0}/b.sock", "127.0.0.1:{1} [::1]:{2}", "ipv4:127.0.0.1:{1}"])
def test_calls_go_to_all_addresses_in_turn(form: str) -> None:
    with open_directory() as folder, ExitStack() as stack:
        places = ["127.0.0.1:0", "[::1]:0"] if "{1}" in form else [f"unix:{folder}/{name}.sock" for name in "ab"]
        stubs = [stack.enter_context(StubSidecar(place)) for place in places[: 1 if form.startswith("ipv4") else 2]]
        ports = [stub.address.rpartition(":")[2] for stub in stubs]
        with EmbeddingClient(form.format(folder, *ports)) as client:
            wait_for_all(client, stubs)
            before = [len(stub.requests) for stub in stubs]
            for _ in range(10):
                client.embed("small", ["x"])
        assert [len(stub.requests) - count for stub, count in zip(stubs, before, strict=True)] == (
            [5, 5] if len(stubs) == 2 else [10]
        )


@pytest.mark.parametrize(
    ("setting", "several"),
    [
        ("unix:/a.sock", False),
        ("127.0.0.1:1", False),
        ("[::1]:1", False),
        ("10.0.0.5:1", False),
        ("ipv4:10.0.0.5:1", False),
        ("localhost:1", False),
        ("unix:/a.sock unix:/b.sock", True),
        ("10.0.0.5:1,10.0.0.6:1", True),
        ("sidecars.test:1", True),
        ("dns:///sidecars.test:1", True),
    ],
)
def test_a_list_and_a_host_name_may_lead_to_several(setting: str, several: bool) -> None:
    assert dialing.may_be_several(setting) is several


def test_a_name_that_is_told_is_short_and_can_be_printed() -> None:
    assert dialing.answered_by([("other", "x"), (SIDECAR_KEY, "host at unix:/a.sock")]) == "host at unix:/a.sock"
    assert len(dialing.answered_by([(SIDECAR_KEY, "x" * 10_000)])) == 300
    for unusable in (None, [], [(SIDECAR_KEY, "a\nb")], [(SIDECAR_KEY, b"x")]):
        assert dialing.answered_by(unusable) == ""


def wait_for_all(client: EmbeddingClient, stubs: list[StubSidecar]) -> None:
    while not all(stub.requests for stub in stubs):
        client.embed("small", ["warm"])


def test_one_that_is_not_serving_gets_no_calls_until_it_is() -> None:
    with open_directory() as folder, ExitStack() as stack:
        one, other = (stack.enter_context(StubSidecar(f"unix:{folder}/{name}.sock")) for name in "ab")
        with EmbeddingClient(f"{one.address},{other.address}") as client:
            wait_for_all(client, [one, other])
            one.set_serving(False)
            while client.embed("small", ["x"]) and one.requests:
                one.requests.clear()
                for _ in range(4):
                    client.embed("small", ["x"])
            other.requests.clear()
            for _ in range(6):
                client.embed("small", ["x"])
            assert (len(one.requests), len(other.requests)) == (0, 6)
            one.set_serving(True)
            wait_for_all(client, [one])


def test_a_busy_sidecar_has_its_call_answered_by_the_next(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stubs = [stack.enter_context(StubSidecar(f"unix:{tmp_path}/{name}.sock")) for name in "ab"]
        with EmbeddingClient(",".join(stub.address for stub in stubs)) as client:
            wait_for_all(client, stubs)
            stubs[0].status = grpc.StatusCode.RESOURCE_EXHAUSTED
            for _ in range(4):
                assert len(client.embed("small", ["x"]).results) == 1
            stubs[0].status = grpc.StatusCode.UNAVAILABLE
            for _ in range(4):
                client.chunk("x")


def test_a_lost_embed_is_not_made_again_where_the_caller_finds_out_itself(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        stubs = [stack.enter_context(StubSidecar(f"unix:{tmp_path}/{name}.sock")) for name in "ab"]
        with EmbeddingClient(",".join(stub.address for stub in stubs)) as client:
            wait_for_all(client, stubs)
            for stub in stubs:
                stub.status = grpc.StatusCode.UNAVAILABLE
                stub.requests.clear()
            with pytest.raises(SidecarError):
                client.embed("small", ["deadly"])
            seen.update(text for stub in stubs for request in stub.requests for text in request.contents)
    assert seen == {"deadly": 1}
