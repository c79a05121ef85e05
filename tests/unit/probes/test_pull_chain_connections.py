"""On how many connections is an image got, and what becomes of requests behind one that hangs?"""

from __future__ import annotations

import time

import pytest

from tests.unit.probes.small_registry import IMAGE, NAME, Answer, digest, here, serving, walk


@pytest.fixture(scope="module")
def at():
    with here() as vantage:
        yield vantage


@pytest.fixture
def registry():
    with serving() as server:
        server.pages.update(IMAGE.pages(NAME))
        server.keeps = True
        yield server


def test_a_server_that_keeps_connections_sees_three(at, registry):
    chain = walk(at, registry)
    assert (chain.verdict, len(chain.hops), registry.connections) == ("complete", 16, 3)


def test_one_that_lets_each_go_without_a_word_is_asked_everything_all_the_same(at, registry):
    registry.keeps = False
    chain = walk(at, registry)
    assert (chain.verdict, len(chain.hops), registry.connections) == ("complete", 16, 16)
    assert len(registry.asked) == 16


def test_the_host_that_layers_are_at_sees_few_too(at, registry):
    with serving() as other:
        other.keeps = True
        for layer in IMAGE.layers:
            path = f"/v2/{NAME}/blobs/{digest(layer)}"
            registry.pages[path] = Answer(307, (("Location", f"{other.url}/{digest(layer)}"),))
            other.pages[f"/{digest(layer)}"] = Answer(body=layer)
        chain = walk(at, registry)
        assert (chain.verdict, len(chain.hops)) == ("complete", 28)
        assert (registry.connections, other.connections) == (3, 3)


def test_no_walk_goes_on_with_the_connection_of_another(at, registry):
    walk(at, registry)
    walk(at, registry)
    assert registry.connections == 6


def test_a_layer_that_never_ends_is_the_first_broken_and_those_behind_it_were_not_asked(
    at, registry
):
    def endless(connection):
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    late = IMAGE.layers[6]
    answer = Answer(headers=(("Content-Length", "30000"),), stream=endless)
    registry.pages[f"/v2/{NAME}/blobs/{digest(late)}"] = answer
    chain = walk(at, registry, deadline_s=1.5)
    assert (chain.verdict, chain.hops.index(chain.first_broken)) == ("stalled", 4 + 6)
    unasked = [hop for hop in chain.hops if hop.verdict == "timed-out"]
    assert {(hop.address, hop.status, hop.elapsed_s) for hop in unasked} == {(None, None, 0.0)}
    assert {hop.verdict for hop in chain.hops} == {"ok", "stalled", "timed-out"}
