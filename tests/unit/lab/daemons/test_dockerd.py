"""Does an engine of the lab start, restart and fill as it is declared, and networkd take its link?"""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.lab.clouds import docker
from pytest_v6probe.lab.daemons import engine_contents, engine_images
from pytest_v6probe.lab.daemons.dockerd import Dockerd

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = docker.shape("test")


def engine(which: docker.Engine) -> Dockerd:
    found = SHAPE.daemon(which.daemon)
    assert isinstance(found, Dockerd)
    return found


def test_an_engine_runs_below_the_cgroup_of_its_lab_and_is_started_again(tmp_path: Path):
    script = engine(docker.DEBIAN).files(tmp_path)["supervise"]
    assert "  dockerd --cgroup-parent=/v6probe-test\n" in script
    newest = engine(docker.NEWEST).files(tmp_path)["supervise"]
    assert "/bin/dockerd --cgroup-parent=/v6probe-test --feature=time-namespaces=false" in newest


def test_a_restart_runs_the_hook_of_its_own_engine(tmp_path: Path):
    script = engine(docker.DEBIAN).files(tmp_path)["restart"]
    hook = tmp_path / "after-start"
    assert script.endswith(f"if [ -e {hook} ]; then sh {hook}; fi\n")


def test_containers_are_reached_at_their_own_address_since_engine_28():
    networks = {
        which.name: json.loads(engine(which).contents())["networks"][0]["Options"]
        for which in (docker.DEBIAN, docker.NEWEST)
    }
    assert networks == {
        "docker-20": {},
        "docker-29": {"com.docker.network.bridge.gateway_mode_ipv6": "nat-unprotected"},
    }


def test_web_has_its_address_port_and_resolvers_as_declared():
    changed = replace(engine(docker.DEBIAN), published_on="0.0.0.0", dns=("192.0.2.53",))
    web = json.loads(changed.contents())["containers"]["web"]
    assert web["HostConfig"] == {
        "NetworkMode": "web",
        "PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
        "Dns": ["192.0.2.53"],
        "Binds": ["/etc/resolv.conf:/etc/resolv.conf:ro"],
    }
    assert web["NetworkingConfig"]["EndpointsConfig"] == {
        "web": {"IPAMConfig": {"IPv6Address": "2600:1f18:d:f70c:1:8000:0:10"}}
    }


def test_an_engine_that_asks_resolvers_over_ipv6_is_left_to_do_so():
    web = json.loads(engine(docker.NEWEST).contents())["containers"]["web"]
    assert web["HostConfig"]["Binds"] == []


def test_networkd_owns_its_link_and_its_routes_can_be_told_from_the_kernels(tmp_path: Path):
    network = SHAPE.daemon("us-east-1/docker-29-networkd/networkd").files(tmp_path)["link.network"]
    assert "Name=eth0\n" in network
    assert "IPv6AcceptRA=yes\n" in network
    assert "RouteMetric=512\n" in network


def test_only_one_of_the_images_has_python(tmp_path: Path):
    engine_images.make(str(tmp_path))
    names = {}
    for image in ("plain", "python"):
        with tarfile.open(tmp_path / f"{image}.tar") as tar:
            names[image] = set(tar.getnames())
    assert {"bin/sh", "www/cgi-bin/address"} <= names["plain"]
    assert names["python"] - names["plain"] >= {"usr/bin/python3"}


def test_what_the_engine_refuses_ends_the_program_with_its_words(monkeypatch):
    monkeypatch.setattr(engine_contents, "ask", lambda *_: (500, b"no such driver"))
    with pytest.raises(SystemExit, match="POST /networks/create: 500 b'no such driver'"):
        engine_contents.must("POST", "/networks/create")


@pytest.mark.parametrize(("method", "status"), [("POST", 409), ("DELETE", 404), ("POST", 201)])
def test_what_is_so_already_is_no_refusal(monkeypatch, method: str, status: int):
    asked: list[str] = []

    def ask(method: str, path: str, *_: object) -> tuple[int, bytes]:
        asked.append(f"{method} {path}")
        return status, b""

    monkeypatch.setattr(engine_contents, "ask", ask)
    engine_contents.must(method, "/containers/web")
    assert asked == [f"{method} /containers/web"]
