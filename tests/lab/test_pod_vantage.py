"""Is a pod of a real cluster a vantage, and is it said why where it is not one any more?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from pytest_v6probe.agent import client, wire
from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.model import Cluster, Namespace, Pod
from pytest_v6probe.kube import rbac
from pytest_v6probe.lab import environment_file
from pytest_v6probe.transport.channel import Transport
from pytest_v6probe.transport.netns import Keeper, NamespaceDial, NamespaceTransport
from pytest_v6probe.transport.pod import stream
from pytest_v6probe.transport.pod.api import ClusterApi, open_api
from pytest_v6probe.transport.pod.exec import PodTransport
from pytest_v6probe.transport.pod.node import NodePodTransport
from pytest_v6probe.transport.pod.stream import PodStream
from pytest_v6probe.wait import eventually
from tests.lab.clusters import cluster_lab

REGION = "kind"
START_S = 30.0
DEFAULT = "/api/v1/namespaces/default"
ROLES = f"/apis/{rbac.GROUP}/v1/namespaces/default"
FILE = "/proc/net/if_inet6"
WAITING = wire.watch(groups=0, timeout_s=30)
LOOK = (
    "python3",
    "-c",
    "import os\n"
    "for d in os.listdir('/proc'):\n"
    "  if d.isdigit() and d != str(os.getpid()):\n"
    "    print(open('/proc/%s/cmdline' % d).read().replace(chr(0), ' ')[:20])",
)
RUN = """
import sys, time
from pathlib import Path
from tests.lab.test_pod_vantage import joined
agent = joined(sys.argv[1], Path(sys.argv[2])).agent("web-1")
print(agent.hello["pid"], flush=True)
time.sleep(60)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A cluster of a lab, its API, and the pods of the lab's inventory by name."""

    keeper: Keeper
    spec: Cluster
    api: ClusterApi
    pods: dict[str, Pod]

    def way(self, name: str, **changed: Any) -> PodTransport:
        return PodTransport(self.api, replace(self.pods[name], **changed))

    def agent(self, name: str, **changed: str) -> Agent:
        return open_agent(self.way(name, **changed), timeout_s=START_S)

    def said(self, way: Transport, *argv: str) -> str:
        """What *argv* writes there."""
        with closing(way.start(argv, timeout_s=START_S)) as channel:
            heard = b""
            while octets := channel.receive(timeout_s=START_S):
                heard += octets
        return heard.decode()

    def signal_api_server(self, name: str) -> None:
        control = NamespaceTransport(self.keeper, f"{REGION}/control")
        self.said(control, "pkill", f"-{name}", "kube-apiserver")

    def as_account(self, name: str, rules: list[dict[str, Any]], folder: Path) -> Real:
        """The same cluster, for an account of its own with *rules* in the namespace default."""
        role = {"kind": "Role", "name": name, "apiGroup": rbac.GROUP}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        own = {"metadata": {"name": name}}
        version = {"apiVersion": f"{rbac.GROUP}/v1"}
        accounts = f"{DEFAULT}/serviceaccounts"
        made = [
            self.api.create(accounts, {"kind": "ServiceAccount", **own}),
            self.api.create(f"{ROLES}/roles", {**version, "kind": "Role", **own, "rules": rules}),
            self.api.create(
                f"{ROLES}/rolebindings",
                {**version, "kind": "RoleBinding", **own, "roleRef": role, "subjects": [subject]},
            ),
            self.api.create(f"{accounts}/{name}/token", {"spec": {}}),
        ]
        assert [answer.status for answer in made] == [201] * 4
        config = json.loads(Path(self.spec.kubeconfig).read_text())
        config["users"][0]["user"] = {"token": made[-1].body["status"]["token"]}
        file = folder / name
        file.write_text(json.dumps(config))
        spec = replace(self.spec, kubeconfig=str(file))
        return replace(self, spec=spec, api=open_api(spec, dial=dial(self.keeper, spec)))


def dial(keeper: Keeper, spec: Cluster) -> NamespaceDial:
    assert isinstance(spec.via, Namespace)
    return NamespaceDial(keeper, spec.via.name)


def joined(lab: str, environment: Path) -> Real:
    """The cluster of a lab that is up."""
    inventory, keeper = toml.load(environment), Keeper.connect(lab)
    (spec,) = inventory.clusters
    return Real(
        keeper=keeper,
        spec=spec,
        api=open_api(spec, dial=dial(keeper, spec)),
        pods={host.id.rpartition(".")[2]: host.pod for host in inventory.hosts if host.pod},
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A lab with a cluster: its name, and its inventory with a kubeconfig beside it, whose user may
    do everything here.
    """
    file = tmp_path_factory.mktemp("kind") / "kind.toml"
    with cluster_lab("kind") as lab:
        lab.keeper.request({"do": "wait", "timeout_s": 60}, timeout_s=70)
        environment_file.write(lab.keeper, file, timeout_s=60)
        allowed = ("--clusterrole=cluster-admin", f"--user={rbac.NAME}")
        lab.kubectl("create", "clusterrolebinding", "everything", *allowed)
        yield lab.keeper.name, file


@pytest.fixture
def real(environment: tuple[str, Path]) -> Iterator[Real]:
    made = joined(*environment)
    yield made
    made.api.close()
    made.keeper.close()


def soon(act: Callable[[], object]) -> Timer:
    timer = Timer(0.5, act)
    timer.start()
    return timer


def failure(agent: Agent, kind: type[Unobserved]) -> str:
    """What a batch raises that waits for what happens meanwhile."""
    with closing(agent), pytest.raises(kind) as caught:
        agent.run([WAITING])
    return str(caught.value)


def refused(way: Transport) -> tuple[str, str]:
    with pytest.raises(Unobserved) as caught:
        open_agent(way, timeout_s=START_S)
    return caught.value.reason, str(caught.value)


@pytest.mark.parametrize("offered", [stream.V5, stream.V4])
def test_an_agent_runs_in_a_pod_and_leaves_nothing_there(
    real: Real, monkeypatch: pytest.MonkeyPatch, offered: str
):
    monkeypatch.setattr(stream, "V5", offered)
    with closing(real.agent("web-1")) as agent:
        assert isinstance(agent._channel, PodStream)
        protocol = agent._channel._protocol
        replies = agent.run([wire.read(FILE)] * 200)
    left = eventually(lambda: real.said(real.way("web-1"), *LOOK), until=no_agent, within_s=5)
    assert protocol == offered
    assert [reply.outcome for reply in replies] == ["answered"] * 200
    assert no_agent(left), left


def no_agent(processes: str) -> bool:
    return "python3" not in processes


def test_a_pod_without_python_is_given_a_neighbour_that_is_used_again(real: Real):
    names = []
    for _ in range(2):
        with closing(real.agent("plain")) as agent:
            names.append(agent.transport.name)
            outcome = agent.run([wire.read(FILE)])[0].outcome
            assert outcome == "answered"
    pod = real.api.get(f"{DEFAULT}/pods/plain").body
    assert len(pod["spec"]["ephemeralContainers"]) == 1
    assert f"-c {pod['spec']['ephemeralContainers'][0]['name']} (an ephemeral" in names[0]
    assert names[0] == names[1]


def test_the_rights_that_are_missing_are_named(real: Real, tmp_path: Path):
    sees = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
    runs = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]}
    seen = []
    for name, rules in (("blind", []), ("sees", [sees]), ("runs", [sees, runs])):
        account = real.as_account(name, rules, tmp_path)
        seen.append(refused(account.way("plain", debug_image="example.com/python")))
        account.api.close()
    assert [reason for reason, _ in seen] == ["forbidden"] * 3
    assert "list on pods in the namespace default is missing" in seen[0][1]
    assert "it takes create and get on pods/exec in the namespace default" in seen[1][1]
    assert "it takes patch on pods/ephemeralcontainers" in seen[2][1]


def test_a_pod_that_is_deleted_under_its_agent_is_said(real: Real):
    agent = real.agent("web-2")
    name = agent.transport.name.split()[2]
    timer = soon(lambda: real.api.delete(f"{DEFAULT}/pods/{name}"))
    words = failure(agent, AgentUnusable)
    timer.join()
    assert "(the pod is being deleted)" in words or "(the pod was deleted)" in words


def test_a_run_that_is_killed_leaves_no_agent(real: Real, environment: tuple[str, Path]):
    command = [sys.executable, "-c", RUN, environment[0], str(environment[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        there = run.stdout.readline()
        before = real.said(real.way("web-1"), *LOOK)
        os.kill(run.pid, signal.SIGKILL)
    after = eventually(lambda: real.said(real.way("web-1"), *LOOK), until=no_agent, within_s=10)
    assert there.strip().isdigit()
    assert (no_agent(before), no_agent(after)) == (False, True)


def test_an_api_server_that_is_paused_in_the_middle_is_given_up_in_time(
    real: Real, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client, "SLACK_S", 1.0)
    agent = real.agent("web-1")
    timer = soon(lambda: real.signal_api_server("STOP"))
    try:
        with closing(agent), pytest.raises(DeadlinePassed, match="1 of 1 operations"):
            agent.run([wire.watch(groups=0, timeout_s=2.0)])
        with pytest.raises(DeadlinePassed, match="did not answer in time"):
            real.api.list(f"{DEFAULT}/pods", timeout_s=1.0)
    finally:
        timer.join()
        real.signal_api_server("CONT")
    with closing(real.agent("web-1")) as again:
        assert again.run([wire.read(FILE)])[0].outcome == "answered"


def test_a_node_is_asked_from_by_a_pod_of_our_own_that_goes_away(real: Real):
    image = real.pods["plain"].debug_image
    way = NodePodTransport(real.api, "node-1", image=image)
    with closing(open_agent(way, timeout_s=START_S)) as agent:
        reply = agent.run([wire.read(FILE)])[0]
        name = way.name
    space = name.split()[-3]
    left = eventually(
        lambda: real.api.get(f"/api/v1/namespaces/{space}").status,
        until=lambda status: status == 404,
        within_s=30,
    )
    assert b"eth0" in wire.files(reply)[FILE]
    assert left == 404


def test_a_node_that_is_not_there_is_said(real: Real):
    with pytest.raises(VantageUnreachable) as caught:
        NodePodTransport(real.api, "node-9", image="any").start(["true"], timeout_s=2)
    assert caught.value.reason == "debug-image"
