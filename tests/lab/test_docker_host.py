"""Is a host changed only where it may be and can be put back, and is all of it put back?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_v6probe import daemon_json, restart_engine, route_survival
from pytest_v6probe.actions.hold import hold
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.lab.clouds.docker import DEBIAN
from tests.lab import dockers
from tests.lab.dockers import DAEMON_JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.inventory.model import Inventory
    from tests.lab.dockers import DockerLab

WITHIN_S, DEADLINE_S = 6.0, 40.0
ODD = (
    f'\n{{"ipv6" :\ttrue,\r\n   "fixed-cidr-v6": "{DEBIAN.prefixes[0]}", '
    '"labels": ["größe=1"],\n"experimental":true, "ip6tables": true}'
)
BAD_SUDOERS = "root ALL=(ALL:ALL) ALL\\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[DockerLab]:
    with dockers.docker_lab("docker-one") as lab:
        yield lab


@pytest.fixture
def own_daemon_json(lab: DockerLab) -> Iterator[DockerLab]:
    """The lab; whatever a test writes into the file, the old one is there again afterwards."""
    lab.sh(f"cp -p {DAEMON_JSON} /run/daemon.json")
    yield lab
    lab.sh(f"cp -p /run/daemon.json {DAEMON_JSON}")


def with_host(lab: DockerLab, **changes: Any) -> Inventory:
    """The lab's inventory, with *changes* to the one host that has an engine."""
    known = lab.inventory
    hosts = tuple(
        replace(host, **changes) if host.id == DEBIAN.node else host for host in known.hosts
    )
    return replace(known, hosts=hosts)


def test_daemon_json_is_afterwards_octet_by_octet_what_it_was(own_daemon_json: DockerLab):
    lab = own_daemon_json
    lab.write(ODD)
    lab.sh(f"chown 7:65534 {DAEMON_JSON}; chmod 640 {DAEMON_JSON}")
    before = lab.state()
    with lab.session() as session:
        route = route_survival(
            session.vantage(DEBIAN.node),
            daemon_json({"debug": True}),
            within_s=WITHIN_S,
            deadline_s=DEADLINE_S,
        )
    after = lab.state()
    assert (route.verdict, route.refused) == ("renewed", "")
    assert route.put_back[0] == f"file {DAEMON_JSON}"
    assert before["daemon.json"].encode("latin-1") == ODD.encode("utf-8")
    assert before["owner and mode"] == [7, 65534, 0o640]
    assert {**after, "engine": ""} == {**before, "engine": ""}
    assert after["engine"] != before["engine"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param('{"ipv6": true,\n "debug": }\n', "line 2 column 11", id="no-value"),
        pytest.param('{"ipv6": true} // IPv6\n', "line 1 column 16", id="a-comment"),
        pytest.param("[]\n", "line 1 column 1", id="no-object"),
    ],
)
def test_a_daemon_json_that_is_not_json_is_left_alone(
    own_daemon_json: DockerLab, text: str, where: str
):
    lab = own_daemon_json
    lab.write(text)
    before = lab.state()
    with lab.session() as session, pytest.raises(Unobserved) as caught:
        route_survival(session.vantage(DEBIAN.node), daemon_json({"debug": True}), within_s=1)
    assert caught.value.reason == "not-json"
    assert f"{DEBIAN.node}:{DAEMON_JSON} is not JSON ({where}" in str(caught.value)
    assert lab.state() == before
    assert before["daemon.json"] == text


def test_a_host_is_not_changed_by_a_run_that_may_not(lab: DockerLab):
    before, route = lab.state(), lab.learned()
    with lab.session(disruptive=False) as session, pytest.raises(Unobserved) as caught:
        route_survival(session.vantage(DEBIAN.node), restart_engine(), within_s=1)
    assert caught.value.reason == "not-disruptive"
    assert (lab.state(), lab.learned()) == (before, route)


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        pytest.param(
            {"sudo": False, "management": None},
            "no-way-back",
            "set the host's `sudo = true`",
            id="no-root",
        ),
        pytest.param(
            {"python": "python9", "management": None}, "no-python3", "no python9 there", id="python"
        ),
    ],
)
def test_a_host_that_could_not_be_put_back_is_not_changed(
    lab: DockerLab, changes: dict[str, Any], reason: str, said: str
):
    before, route = lab.state(), lab.learned()
    with lab.session(with_host(lab, **changes)) as session, pytest.raises(Unobserved) as caught:
        route_survival(session.vantage(DEBIAN.node), daemon_json({"debug": True}), within_s=1)
    assert (caught.value.reason, said in str(caught.value)) == (reason, True), caught.value
    assert (lab.state(), lab.learned(), lab.programs()) == (before, route, [])


def test_a_host_whose_sudo_says_no_is_not_changed(lab: DockerLab):
    before, route = lab.state(), lab.learned()
    lab.sh(f"cp -p /etc/sudoers /run/sudoers; printf '{BAD_SUDOERS}' > /etc/sudoers")
    try:
        with (
            lab.session(with_host(lab, management=None)) as session,
            pytest.raises(Unobserved) as caught,
        ):
            route_survival(session.vantage(DEBIAN.node), daemon_json({"debug": True}), within_s=1)
    finally:
        lab.sh("cat /run/sudoers > /etc/sudoers")
    assert caught.value.reason == "sudo-refused"
    assert (lab.state(), lab.learned(), lab.programs()) == (before, route, [])


def test_a_second_run_at_the_same_host_is_refused_and_changes_nothing(lab: DockerLab):
    with lab.session() as first, lab.session() as second:
        with hold(first.vantage(DEBIAN.node), restart_engine(), deadline_s=DEADLINE_S) as held:
            before, route = lab.state(), lab.learned()
            with pytest.raises(Unobserved) as caught:
                route_survival(
                    second.vantage(DEBIAN.node), daemon_json({"debug": True}), within_s=1
                )
            after = lab.state(), lab.learned()
        assert (caught.value.reason, len(before["armed"])) == ("armed-already", 1)
        assert after == (before, route)
        assert held.did == ("done",)
        assert lab.state() == {**before, "armed": []}
