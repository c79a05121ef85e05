"""Is MetalLB broken by its own objects, and is each step over only when it shows?"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import anchor, shapes, steps_metallb
from pytest_v6probe.lab.clouds import metallb_objects
from pytest_v6probe.lab.steps_metallb import Pooled, Relayed, Unannounced

if TYPE_CHECKING:
    from pytest_v6probe.lab.daemon import Daemon

BOTH = [{"ip": "172.18.255.192"}, {"ip": "fc00:f853:ccd:e793:ff::"}]
FOUR = (ip_network("172.18.255.192/27"),)
TWO: dict[str, Any] = {"items": [{}, {}]}
NONE: dict[str, Any] = {"items": []}
LOCAL_PATH = f"{metallb_objects.SERVICES}/web-lb-local"


def balanced(*ingress: dict[str, str]) -> dict[str, Any]:
    return {"status": {"loadBalancer": {"ingress": list(ingress)} if ingress else {}}}


@dataclass
class FakeApi:
    """What *answers* holds for a path, one after another, the last for ever; patches are noted."""

    answers: dict[str, list[Any]]
    patched: list[tuple[str, Any]] = field(default_factory=list)

    def asked(self, lab: object, region: str, method: str, path: str, body: Any = None):
        del lab
        yield from ()
        assert region == "metallb"
        if method == "PATCH":
            self.patched.append((path, body))
        if method == "DELETE":
            self.answers[path] = [NONE]
        return self.next(path)

    def seen(self, lab: object, region: str, path: str, wanted: Any):
        del lab
        yield from ()
        assert region == "metallb"
        while not wanted(found := self.next(path)):
            assert self.answers[path], path
        return found

    def next(self, path: str) -> Any:
        known = self.answers.get(path, [{}])
        return known.pop(0) if len(known) > 1 else known[0]


class FakeLab:
    """The client's pages, one after another; an empty one is no answer. It notes which daemons it
    waits for.
    """

    shape = shapes.shape("metallb", name="test")

    def __init__(self, *pages: str) -> None:
        self.pages = list(pages)
        self.asked: list[str] = []
        self.awaited: list[str] = []

    def answers(self, daemon: Daemon):
        yield from ()
        self.awaited.append(daemon.name)

    def run(self, node: str, *argv: str):
        yield from ()
        assert node == "client"
        self.asked.append(argv[-1])
        if not (page := self.pages.pop(0)):
            raise LabError("no")
        (anchor.directory(node) / "output").write_text(page)


def lab(*pages: str) -> Any:
    return FakeLab(*pages)


@pytest.fixture
def api(monkeypatch, tmp_path):
    fake = FakeApi({})
    monkeypatch.setattr(steps_metallb, "asked", fake.asked)
    monkeypatch.setattr(steps_metallb, "seen", fake.seen)
    monkeypatch.setattr(anchor, "HOME", str(tmp_path))
    anchor.directory("client").mkdir(parents=True)
    return fake


def test_a_pool_of_one_family_shows_in_one_service_and_leaves_the_other_without(api):
    api.answers = {
        f"{metallb_objects.SERVICES}/web-lb": [balanced(*BOTH), balanced(BOTH[0])],
        LOCAL_PATH: [balanced(*BOTH), balanced()],
    }
    list(Pooled(region="metallb", ranges=FOUR).apply(lab()))
    assert api.patched == [
        (steps_metallb.POOL_PATH, {"spec": {"addresses": ["172.18.255.192/27"]}}),
    ]
    assert [len(left) for left in api.answers.values()] == [1, 1]


def test_a_pool_that_is_whole_again_is_announced_again(api):
    api.answers = {
        f"{metallb_objects.SERVICES}/web-lb": [balanced(BOTH[0]), balanced(*BOTH)],
        LOCAL_PATH: [balanced(*BOTH)],
    }
    whole = lab()
    list(Pooled(region="metallb", ranges=FOUR).revert(whole))
    assert api.patched == [
        (
            steps_metallb.POOL_PATH,
            {"spec": {"addresses": [str(net) for net in metallb_objects.POOL]}},
        ),
    ]
    assert whole.awaited == ["metallb/control/contents"]


def test_speakers_are_gone_when_none_announces_and_none_is_left(api):
    pods = f"{metallb_objects.SYSTEM}/pods?labelSelector=component%3Dspeaker"
    api.answers = {steps_metallb.STATUSES: [TWO], pods: [TWO, NONE]}
    step = Unannounced(region="metallb")
    list(step.apply(lab()))
    whole = lab()
    list(step.revert(whole))
    assert whole.awaited == ["metallb/control/contents"]
    selectors = [body["spec"]["template"]["spec"]["nodeSelector"] for _, body in api.patched]
    assert selectors == [{"v6probe/nowhere": "true"}, {"v6probe/nowhere": None}]
    assert [path for path, _ in api.patched] == [steps_metallb.SPEAKER_PATH] * 2


def test_a_policy_is_in_effect_when_servers_see_another_client(api):
    api.answers = {LOCAL_PATH: [balanced(*BOTH)]}
    client = lab("203.0.113.10\n", "", "172.18.0.4\n", "fc00:f853:ccd:e793::4\n")
    list(Relayed(region="metallb").apply(client))
    assert (client.pages, client.asked[-1]) == (
        [],
        "http://[fc00:f853:ccd:e793:ff::]/cgi-bin/address",
    )
    client.pages = ["203.0.113.10", "2001:db8:c1::10"]
    list(Relayed(region="metallb").revert(client))
    assert [body["spec"] for _, body in api.patched] == [
        {"externalTrafficPolicy": "Cluster"},
        {"externalTrafficPolicy": "Local"},
    ]
    assert client.awaited == ["metallb/control/contents"]


def test_a_policy_that_shows_no_effect_is_an_error(api, monkeypatch):
    monkeypatch.setattr(steps_metallb, "EFFECT_S", 0.0)
    api.answers = {LOCAL_PATH: [balanced(*BOTH)]}
    with pytest.raises(LabError, match=r"Cluster is not in effect at 172\.18\.255\.192"):
        list(Relayed(region="metallb").apply(lab("203.0.113.10")))
