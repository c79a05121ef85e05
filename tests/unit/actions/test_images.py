"""Is what an engine says of a pull or push judged, and is its image store put back?"""

from ipaddress import ip_address
from typing import Any

import pytest

from pytest_v6probe.actions.images import EngineTransfer, engine_pull, engine_push
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.inventory.model import Docker, Host, Image
from pytest_v6probe.linux.docker_config import Credentials
from pytest_v6probe.result import Endpoint, Finding, Layer, Path
from pytest_v6probe.transport.docker.sdk import Refusal
from pytest_v6probe.transport.docker.transfer import Pulled, Pushed
from pytest_v6probe.vantage import Vantage

REFERENCE, SECRET = "r.example:5000/alpine", "hunter2-of-the-registry"
DIGEST = "sha256:" + "ab" * 32
LITERAL = "[2001:db8::1]:5000/alpine"


class Engine:
    """An engine that does what it was told to, and remembers it."""

    def __init__(self, error="", *, has=(), refuses_tag=False):
        self.error, self.has, self.refuses_tag = error, set(has), refuses_tag
        self.done: list[tuple] = []

    def has_image(self, reference):
        return reference in self.has

    def pull(self, reference, *, auth, timeout_s):
        self.done.append(("pull", reference, auth))
        return Pulled(error=self.error) if self.error else Pulled(layers=2, digest=DIGEST)

    def push(self, reference, *, auth, timeout_s):
        self.done.append(("push", reference, auth))
        return Pushed(error=self.error) if self.error else Pushed(layers=1, digest=DIGEST)

    def tag(self, image, reference):
        self.done.append(("tag", image, reference))
        return Refusal(404, "No such image") if self.refuses_tag else None

    def remove_image(self, reference):
        self.done.append(("remove", reference))


def host(
    engine: Any, witnessed: list | None = None, *, disruptive=True, image="busybox"
) -> Vantage:
    kept = [] if witnessed is None else witnessed
    return Vantage(
        name="docker-1",
        region="",
        host=Host(name="docker-1"),
        connect=lambda: pytest.fail("the agent is not needed"),
        prefixes=lambda _: frozenset(),
        witness=kept.append,
        docker=Docker(host="docker-1", image=image),
        open_engine=lambda: engine,
        disruptive=disruptive,
    )


def transfer(done, verdict, **what) -> EngineTransfer:
    return EngineTransfer(
        vantage="docker-1",
        asked=f"{done} {what.get('image', REFERENCE)} by the engine",
        verdict=verdict,
        **{"image": REFERENCE, **what},
    )


def test_what_was_pulled_is_removed_again():
    engine = Engine()
    witnessed: list[Finding] = []
    pulled = engine_pull(host(engine, witnessed), Image(reference=REFERENCE))
    assert pulled == transfer("pull", "pulled", layers=2, digest=DIGEST)
    assert engine.done == [("pull", REFERENCE, None), ("remove", REFERENCE)]
    assert witnessed == [pulled]


def test_what_was_there_before_stays():
    engine = Engine(has={REFERENCE})
    assert engine_pull(host(engine), REFERENCE).there_before
    assert engine.done == [("pull", REFERENCE, None)]


@pytest.mark.parametrize(
    ("error", "reference", "verdict", "layer"),
    [
        ("invalid reference format", LITERAL, "literal-refused", Layer.REGISTRY),
        ("invalid reference format", "A/b", "invalid-reference", Layer.REGISTRY),
        ("x509: certificate has expired", REFERENCE, "tls-expired", Layer.TLS),
        ("dial tcp: lookup r.example: no such host", REFERENCE, "nxdomain", Layer.ANSWER),
        ("dial tcp [2001:db8::1]:5000: connect: connection refused", LITERAL, "refused", Layer.TCP),
    ],
)
def test_what_failed_is_judged(error, reference, verdict, layer):
    found = engine_pull(host(Engine(error)), reference)
    assert (found.verdict, found.broken_layer, found.error) == (verdict, layer, error)
    assert (found.known_cause is not None) == (verdict == "literal-refused")


def test_the_address_that_the_engine_went_to_is_told():
    found = engine_pull(host(Engine("dial tcp 192.0.2.1:443: i/o timeout")), REFERENCE)
    assert found.remote == Endpoint(ip_address("192.0.2.1"))
    assert (found.path, found.name_asked) == (Path.IPV4, "r.example")


def test_an_image_is_named_for_a_push_and_its_name_taken_away_again():
    engine = Engine()
    pushed = engine_push(host(engine), Image(reference=REFERENCE, push=True))
    assert pushed == transfer("push", "pushed", layers=1, digest=DIGEST)
    told = [("tag", "busybox", REFERENCE), ("push", REFERENCE, None), ("remove", REFERENCE)]
    assert engine.done == told


@pytest.mark.parametrize(
    ("credentials", "auth"),
    [
        (Credentials(username="a", password=SECRET), {"username": "a", "password": SECRET}),
        (Credentials(identity_token=SECRET), {"identitytoken": SECRET}),
    ],
)
def test_credentials_go_to_the_engine_and_into_no_finding(credentials, auth):
    engine = Engine("unauthorized: authentication required", has={REFERENCE})
    found = engine_push(host(engine), REFERENCE, credentials=credentials)
    assert engine.done == [("push", REFERENCE, auth)]
    assert found.verdict == "unauthorised"
    assert SECRET not in repr(found)


def test_without_the_word_nothing_is_done():
    engine = Engine()
    for act in (engine_pull, engine_push):
        with pytest.raises(Unobserved) as unobserved:
            act(host(engine, disruptive=False), REFERENCE)
        assert unobserved.value.reason == "not-disruptive"
    assert engine.done == []


@pytest.mark.parametrize(
    ("engine", "image", "given", "reason"),
    [
        (Engine(), Image(reference=REFERENCE), "busybox", "push-not-allowed"),
        (Engine(), REFERENCE, "", "no-image-given"),
        (Engine(refuses_tag=True), REFERENCE, "busybox", "no-image-given"),
    ],
    ids=range(3),
)
def test_what_cannot_be_pushed_is_unobserved(engine, image, given, reason):
    with pytest.raises(Unobserved) as unobserved:
        engine_push(host(engine, image=given), image)
    assert unobserved.value.reason == reason
    assert not any(done[0] == "push" for done in engine.done)
