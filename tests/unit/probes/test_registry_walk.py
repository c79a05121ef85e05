"""Does a walk go to the addresses that names have there, through NAT64 too, and say where it ended?"""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.pull_chain import pull_chain
from pytest_v6probe.result import Endpoint, Layer, Path
from pytest_v6probe.vantage import Vantage
from tests.unit.probes.seen import WKP
from tests.unit.probes.small_registry import SmallImage

IMAGE = SmallImage((b"one layer", b"another"))
PAGES = IMAGE.pages("library/alpine")
REGISTRY, CDN = "registry-1.docker.io", "cdn.example"
V6, V4, SYNTHETIC = "2600:1f18::1", "44.210.107.93", "64:ff9b::2cd2:6b5d"
CONNECTED = {"connect_s": 0.001, "tls_s": 0.001}


class Scripted:
    """An agent of a place where *names* have those addresses, and the image is behind each; what is
    in *silent* never answers.
    """

    def __init__(self, names, *, silent=(), moved_to=""):
        self.names, self.silent, self.moved_to = names, silent, moved_to
        self.batches = []

    def run(self, operations):
        self.batches.append(operations)
        return [self.reply(operation) for operation in operations]

    def reply(self, operation) -> Reply:
        if operation["op"] == "udp":
            return Reply("timed-out")
        if operation["op"] == "resolve":
            known = [ip_address(one) for one in self.names.get(operation["host"], ())]
            found = [str(one) for one in known if one.version == operation["family"]]
            return Reply("answered", fields={"addresses": found}) if found else Reply("name-error")
        remote = Endpoint(IPv6Address(operation["host"]), operation["port"])
        return Reply("answered", fields={"answers": tuple(self.answers(operation, remote))})

    def answers(self, operation, remote) -> Iterator[Reply]:
        if operation["host"] in self.silent:
            yield Reply("timed-out", remote=remote, elapsed_s=operation["connect_timeout_s"])
            return
        for ask in operation["asks"]:
            yield self.page(ask, operation["tls"]["server_name"], remote)

    def page(self, ask, name, remote) -> Reply:
        path = b64decode(ask["send"]).split()[1].decode()
        body = getattr(PAGES.get(path), "body", b"")
        if self.moved_to and "/blobs/" in path and name == REGISTRY:
            lines = f"Location: https://{self.moved_to}{path}\r\nContent-Length: 0\r\n\r\n"
            moved = f"HTTP/1.1 307 X\r\n{lines}".encode()
            return Reply("answered", moved, remote=remote, fields=CONNECTED)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        hashed = {"body_sha256": sha256(body).hexdigest(), "body_bytes": len(body)}
        fields = {**CONNECTED, **(hashed if ask["digest"] else {})}
        return Reply("answered", head + body, remote=remote, fields=fields)


def walk(agent: Any):
    at = Vantage(
        name="here",
        region="",
        host=Host(name="here"),
        connect=lambda: agent,
        prefixes=lambda _: frozenset({WKP}),
    )
    return pull_chain(at, "alpine")


def broken(chain):
    hop = chain.first_broken
    return (chain.verdict, hop and hop.role, chain.broken_layer, chain.name_asked)


def test_docker_hub_is_asked_at_its_own_registry_and_by_few_batches():
    agent = Scripted({REGISTRY: (V6, V4)})
    chain = walk(agent)
    assert (chain.verdict, chain.path) == ("complete", Path.NATIVE)
    assert chain.families == {REGISTRY: {"ipv6", "ipv4"}}
    assert chain.addresses == {IPv6Address(V6), IPv4Address(V4)}
    assert chain.known_cause is None
    assert [len(batch) for batch in agent.batches] == [4, 1, 1, 1, 3]


def test_what_was_synthesised_is_reached_through_nat64_and_told():
    chain = walk(Scripted({REGISTRY: (V6, V4), CDN: (SYNTHETIC, V4)}, moved_to=CDN))
    assert (chain.verdict, chain.path) == ("complete", Path.NAT64)
    assert chain.translated == (CDN,)
    paths = {(hop.host, hop.path) for hop in chain.hops}
    assert paths == {(REGISTRY, Path.NATIVE), (CDN, Path.NAT64)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({REGISTRY: (V4,)}, ("no-aaaa", "registry", Layer.ANSWER, REGISTRY)),
        ({REGISTRY: (V6,), CDN: (V4,)}, ("no-aaaa", "config", Layer.ANSWER, CDN)),
        ({REGISTRY: (V6,)}, ("resolver-timed-out", "config", Layer.RESOLVER, CDN)),
        ({}, ("resolver-timed-out", "registry", Layer.RESOLVER, REGISTRY)),
        ({REGISTRY: (V6,), CDN: ("fd00:ec2::254",)}, ("refused-redirect", "config", Layer.REGISTRY, CDN)),
        ({REGISTRY: (V6,), CDN: ("::1",)}, ("refused-redirect", "config", Layer.REGISTRY, CDN)),
    ],
    ids=range(6),
)  # fmt: skip
def test_the_first_host_without_ipv6_is_named(names, expected):
    assert broken(walk(Scripted(names, moved_to=CDN))) == expected


@pytest.mark.parametrize(("addresses", "verdict"), [((V6, V4), "black-hole"), ((V6,), "timed-out")])
def test_an_address_that_nothing_answers_at_is_a_black_hole_where_ipv4_is_there(addresses, verdict):
    agent = Scripted({REGISTRY: ("2600::9",), CDN: addresses}, silent={V6}, moved_to=CDN)
    chain = walk(agent)
    assert broken(chain) == (verdict, "config", Layer.TCP, CDN)
    assert {len(batch[0]["asks"]) for batch in agent.batches[-1:]} == {1}
    assert {hop.verdict for hop in chain.hops if hop.host == CDN} == {verdict}
    assert chain.remote == Endpoint(IPv6Address(V6))


def test_a_known_cause_names_the_host_and_a_better_one():
    agent: Any = Scripted({"public.ecr.aws": (V4,)})
    at = Vantage(
        name="here",
        region="",
        host=Host(name="here"),
        connect=lambda: agent,
        prefixes=lambda _: frozenset(),
    )
    chain = pull_chain(at, "public.ecr.aws/docker/library/alpine")
    assert chain.known_cause is not None
    cause, cure = chain.known_cause
    assert cause.startswith("public.ecr.aws (registry) has A records only")
    assert "ecr-public.aws.com" in cure


def test_no_blob_is_returned_only_its_digest():
    agent = Scripted({REGISTRY: (V6,)})
    walk(agent)
    asks = [ask for operation in agent.batches[-1] for ask in operation["asks"]]
    assert {ask["digest"] for ask in asks} == {"sha256"}
    assert {ask["keep_bytes"] for ask in asks} == {65536}


def image_of(count):
    """An image whose first layer is larger than all the others together."""
    return SmallImage((bytes(9000), *(bytes([at]) * 99 for at in range(1, count))))


@pytest.mark.parametrize(("count", "shape"), [(12, [1, 6, 6]), (127, [16] * 8)])
def test_blobs_of_one_server_share_a_few_connections_by_their_size(count, shape, monkeypatch):
    monkeypatch.setitem(globals(), "PAGES", image_of(count).pages("library/alpine"))
    agent = Scripted({REGISTRY: (V6,)})
    chain = walk(agent)
    assert (chain.verdict, len(chain.layers)) == ("complete", count)
    assert sorted(len(operation["asks"]) for operation in agent.batches[-1]) == shape


def test_the_connection_of_the_first_request_is_kept_until_the_last_and_for_this_walk_only():
    lines = []
    for _ in range(2):
        agent = Scripted({REGISTRY: (V6,), CDN: (V6,)}, moved_to=CDN)
        walk(agent)
        asked = [operation for batch in agent.batches[1:] for operation in batch]
        asked = [operation for operation in asked if operation["op"] == "requests"]
        assert [operation["keep"] for operation in asked[:3]] == [True] * 3
        assert not any(operation["keep"] for operation in asked[3:])
        lines.append({operation["line"] for operation in asked})
        last = [b64decode(operation["asks"][-1]["send"]) for operation in asked]
        assert [b"Connection: close" in send for send in last[2:]] == [False] + [True] * (
            len(last) - 3
        )
    assert [len(of_one) for of_one in lines] == [1, 1]
    assert not lines[0] & lines[1]
