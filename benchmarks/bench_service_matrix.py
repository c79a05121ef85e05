"""How long does it take to ask every service over each family from every pod? 20 pods, 10 services, 2
families, each with its endpoints; beside one `kubectl exec` for each pod, which asks one service.

Wanted: at most 3 s. Run as root: python -m benchmarks.bench_service_matrix
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_v6probe import kube_service, service_answers
from pytest_v6probe.inventory import toml
from pytest_v6probe.inventory.model import Host, Pod, Role, Service
from pytest_v6probe.lab import environment_file
from pytest_v6probe.lab.daemons.containerd import PYTHON_IMAGE
from pytest_v6probe.session import Settings, V6Session
from pytest_v6probe.wait import eventually
from tests.lab.clusters import ClusterLab, cluster_lab

if TYPE_CHECKING:
    from pytest_v6probe.inventory.model import Inventory
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.vantage import Vantage

PODS, SERVICES = 20, 10
FAMILIES = ("ipv6", "ipv4")
SERVER = """
import socket

door = socket.create_server(("::", 80), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True)
while True:
    asker, _ = door.accept()
    asker.recv(4096)
    asker.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    asker.close()
"""
"""The lab's own web server has a short queue, and would be what is measured."""


def main() -> None:
    with cluster_lab("kind") as lab, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        populate(lab, Path(folder, "many.json"))
        file = Path(folder, "lab.toml")
        environment_file.write(lab.keeper, file, timeout_s=60)
        inventory = grown(toml.load(file))
        settings = Settings(lab_name="", guardian_pid=0, environment=file, timeout_s=60)
        with closing(V6Session(settings=settings, inventory=inventory)) as session:
            cluster = session.cluster(inventory.clusters[0].id)
            found = [kube_service(cluster, service) for service in inventory.services]
            pods = [session.vantage(host.id) for host in inventory.hosts if host.pod is not None]
            first, again = ask_all(pods, found), ask_all(pods, found)
        peer = kubectl_exec(lab)
    print(f"{PODS} pods, {SERVICES} services, {len(FAMILIES)} families, on {os.cpu_count()} cores")
    print(f"v6probe, agents started first   {first:6.2f} s")
    print(f"v6probe, agents there           {again:6.2f} s   (wanted: 3)")
    print(f"kubectl exec, once for each pod {peer:6.2f} s, for one service over one family")


def populate(lab: ClusterLab, file: Path) -> None:
    """Make the pods and the services, and wait until they are there."""
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*many()]}))
    file.chmod(0o644)
    lab.kubectl("apply", "-f", str(file))
    pods = eventually(lambda: lab.get("pods"), until=all_ready, within_s=120, every_s=1)
    assert all_ready(pods)


def all_ready(pods: list[dict[str, Any]]) -> bool:
    """Whether each of *pods* says so."""
    return all(
        {"type": "Ready", "status": "True"}.items() <= condition.items()
        for pod in pods
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready"
    )


def many() -> list[dict[str, Any]]:
    """The objects."""
    idle, serving = ["sleep", "1000000"], ["python3", "-c", SERVER]
    pods = [
        *(pod(f"many-{at}", {"app": "many", "at": str(at)}, idle) for at in range(PODS)),
        *(pod(f"server-{at}", {"app": "server"}, serving) for at in range(2)),
    ]
    ports = [{"name": "http", "port": 80}]
    spec = {"ipFamilyPolicy": "RequireDualStack", "selector": {"app": "server"}, "ports": ports}
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"many-{at}"},
            "spec": spec,
        }
        for at in range(SERVICES)
    ]
    return [*pods, *services]


def pod(name: str, labels: dict[str, str], command: list[str]) -> dict[str, Any]:
    """One pod."""
    ready = {"tcpSocket": {"port": 80}, "periodSeconds": 1}
    probe = {"readinessProbe": ready} if labels["app"] == "server" else {}
    container = {"name": "one", "image": PYTHON_IMAGE, "command": command, **probe}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def grown(inventory: Inventory) -> Inventory:
    """*inventory* with these pods and services only."""
    cluster = inventory.clusters[0]
    hosts = [
        Host(
            name=f"{cluster.name}.many-{at}",
            region=cluster.region,
            role=Role.POD,
            pod=Pod(cluster=cluster.id, selector=f"at={at}"),
        )
        for at in range(PODS)
    ]
    services = [
        Service(name=f"many-{at}", cluster=cluster.id, families=FAMILIES) for at in range(SERVICES)
    ]
    return replace(inventory, hosts=tuple(hosts), services=tuple(services))


def ask_all(pods: list[Vantage], found: list[KubeService]) -> float:
    """Seconds until every service has answered every pod over each family."""

    def ask(pod: Vantage) -> None:
        asks = [service_answers.ask(one, family=family) for one in found for family in FAMILIES]
        silent = [found for found in pod.sweep(asks) if found.verdict != "answers"]
        assert not silent, silent[0]

    begun = time.perf_counter()
    with ThreadPoolExecutor(len(pods)) as pool:
        list(pool.map(ask, pods))
    return time.perf_counter() - begun


def kubectl_exec(lab: ClusterLab) -> float:
    """Seconds for one command in each pod, all at once."""
    command = ("wget", "-qO-", "http://many-0.default.svc.cluster.local/")

    def ask(at: int) -> None:
        assert lab.kubectl("exec", f"many-{at}", "--", *command)

    begun = time.perf_counter()
    with ThreadPoolExecutor(PODS) as pool:
        list(pool.map(ask, range(PODS)))
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
