"""How is one thing of a cluster broken, and put back? Steps that no other lab has use for."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import anchor
from pytest_v6probe.lab.clouds import cluster_objects as objects
from pytest_v6probe.lab.clouds.cluster_network import CONTROL_NAME
from pytest_v6probe.lab.cluster_calls import (
    ASK_AGAIN_S,
    EFFECT_S,
    NAMESPACES,
    asked,
    contents,
    renewed,
    seen,
)
from pytest_v6probe.lab.daemon import CERTIFICATE_FILE
from pytest_v6probe.lab.daemons import cluster_contents, containerd, supervised
from pytest_v6probe.lab.daemons.cluster_client import is_ready
from pytest_v6probe.lab.loop import pause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab
    from pytest_v6probe.lab.topology import Network
    from pytest_v6probe.result import Address

PROBED_S = 10.0
"""So long it takes at most until a kubelet that has started has asked its pods, and told of them."""
SLICES = "/apis/discovery.k8s.io/v1/namespaces"
DNS_PODS = f"k8s-app={objects.DNS}"
FORGET = """for space in /run/netns/*; do
  nsenter --net="$space" ip -6 route flush cache
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """The object at *path* of the API in *region* is changed as the merge patch *change* says; *undo*
    puts it back. Then the pods of *namespace* that *selector* fits are made anew, if one is given.
    """

    region: str
    path: str
    change: Mapping[str, Any]
    undo: Mapping[str, Any]
    namespace: str = ""
    selector: str = ""

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._patch(lab, self.change)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._patch(lab, self.undo)

    def _patch(self, lab: Lab, change: Mapping[str, Any]) -> Task[None]:
        yield from asked(lab, self.region, "PATCH", self.path, change)
        if self.selector:
            yield from renewed(lab, self.region, self.namespace, self.selector)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unready:
    """The deployment at *path* in *region*, changed as *change* says, has no pod that is ready; *undo*
    puts it back, and then every pod is.
    """

    region: str
    path: str
    change: Mapping[str, Any]
    undo: Mapping[str, Any]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._rolled_out(lab, self.change, ready=False)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._rolled_out(lab, self.undo, ready=True)

    def _rolled_out(self, lab: Lab, change: Mapping[str, Any], *, ready: bool) -> Task[None]:
        made = yield from asked(lab, self.region, "PATCH", self.path, change)
        generation, wanted = made["metadata"]["generation"], made["spec"]["replicas"]

        def is_as_wanted(now: Mapping[str, Any]) -> bool:
            said = now["status"]
            known = said.get("observedGeneration", 0) >= generation
            all_new = said.get("updatedReplicas", 0) == said.get("replicas", 0) == wanted
            return bool(known and all_new and said.get("readyReplicas", 0) == wanted * ready)

        yield from seen(lab, self.region, self.path, is_as_wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewired:
    """The node *node* gives its pods addresses out of *ranges*, where it gave them out of *was*; the
    pods of *namespace* that *selector* fits have been made anew there.
    """

    region: str
    node: str
    ranges: tuple[Network, ...]
    was: tuple[Network, ...]
    namespace: str
    selector: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._wire(lab, self.ranges)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._wire(lab, self.was)

    def _wire(self, lab: Lab, ranges: tuple[Network, ...]) -> Task[None]:
        file = anchor.directory(f"{self.region}/{self.node}") / "etc" / containerd.CNI
        file.write_text(containerd.conflist(ranges), encoding="utf-8")
        yield from renewed(lab, self.region, self.namespace, self.selector, node=self.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readdressed:
    """The node called *node* tells the API *addresses*, where it told *was*, and those of its pods in
    the same order (kubelet sorts them by its own first address).
    """

    region: str
    node: str
    addresses: tuple[Address, ...]
    was: tuple[Address, ...]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._tell(lab, self.addresses)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._tell(lab, self.was)

    def _tell(self, lab: Lab, addresses: tuple[Address, ...]) -> Task[None]:
        daemon: Any = lab.shape.daemon(f"{self.region}/{self.node}/kubelet")
        own = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self.node}"
        pods = yield from asked(lab, self.region, "GET", own)
        before = {pod["metadata"]["uid"]: _ready_since(pod) for pod in pods["items"]}
        yield from lab.stop(daemon.name)
        yield from lab.start(replace(daemon, addresses=addresses))
        told = [{"type": "InternalIP", "address": str(address)} for address in addresses]

        def are_told(node: Mapping[str, Any]) -> bool:
            internal = [one for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
            return internal == told and is_ready(node)

        def follow(pods: Mapping[str, Any]) -> bool:
            return time.monotonic() > until or all(
                is_ready(pod)
                and _begins_with(pod, addresses[0].version)
                and _is_probed_anew(pod, before.get(pod["metadata"]["uid"], ""))
                for pod in pods["items"]
            )

        yield from seen(lab, self.region, f"/api/v1/nodes/{self.node}", are_told)
        until = time.monotonic() + PROBED_S
        yield from seen(lab, self.region, own, follow)


def _begins_with(pod: Mapping[str, Any], version: int) -> bool:
    """Whether the first address of *pod* is of *version* of IP, if any is."""
    versions = [ip_address(one["ip"]).version for one in pod["status"].get("podIPs", [])]
    return bool(versions) and (versions[0] == version or version not in versions)


def _is_probed_anew(pod: Mapping[str, Any], before: str) -> bool:
    """Whether *pod*, which was ready since *before*, has become so again: a kubelet that has just
    started takes none with a probe for ready until it has asked it.
    """
    probed = any("readinessProbe" in container for container in pod["spec"]["containers"])
    return not probed or _ready_since(pod) != before


def _ready_since(pod: Mapping[str, Any]) -> str:
    known = {one["type"]: one for one in pod["status"].get("conditions", [])}
    return str(known.get("Ready", {}).get("lastTransitionTime", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Masqueraded:
    """*node* translates what comes from *prefix* to its own address."""

    node: str
    prefix: Network

    def apply(self, lab: Lab) -> Task[None]:
        rule = f"oifname eth0 ip saddr {self.prefix} masquerade"
        chain = f"chain outward {{\ntype nat hook postrouting priority 100;\n{rule}\n}}\n"
        yield from lab.run(self.node, "nft", "-f", "-", stdin=f"table ip egress {{\n{chain}}}\n")

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "nft", "delete", "table", "ip", "egress")


@dataclass(frozen=True, slots=True, kw_only=True)
class PodsForgot:
    """The pods on *nodes* forget the path MTUs they learned: what they announce to others (RFC 9293
    §3.7.1, MSS) follows from these.
    """

    nodes: tuple[str, ...]

    def apply(self, lab: Lab) -> Task[None]:
        for node in self.nodes:
            yield from lab.run(node, "sh", "-c", FORGET)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self.apply(lab)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLost:
    """The service *name* has no EndpointSlice of *family* (``IPv6``, ``IPv4``), and nobody makes it
    anew: kube-controller-manager is down.
    """

    region: str
    namespace: str
    name: str
    family: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from lab.stop(_manager(self.region))
        found = yield from asked(lab, self.region, "GET", self._path)
        for known in found["items"]:
            if known["addressType"] == self.family:
                one = f"{SLICES}/{self.namespace}/endpointslices/{known['metadata']['name']}"
                yield from asked(lab, self.region, "DELETE", one)

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.start(lab.shape.daemon(_manager(self.region)))
        yield from seen(lab, self.region, self._path, self._is_back)

    def _is_back(self, found: Mapping[str, Any]) -> bool:
        return self.family in {known["addressType"] for known in found["items"]}

    @property
    def _path(self) -> str:
        selector = f"kubernetes.io%2Fservice-name%3D{self.name}"
        return f"{SLICES}/{self.namespace}/endpointslices?labelSelector={selector}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """The API server of *region* runs with other *options*, and serves again. Its controllers start
    anew, who else would be in no hurry to look again; and so does the cluster's DNS when it is put
    back, for it may have lost sight of the API meanwhile.
    """

    region: str
    options: Mapping[str, Any]
    remade: str = ""
    """The service of kube-system that is then made anew each time, and the cluster's DNS with it."""

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, self.options)
        if self.remade:
            yield from renewed(lab, self.region, objects.SYSTEM, DNS_PODS)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, {})
        yield from renewed(lab, self.region, objects.SYSTEM, DNS_PODS)

    def _restart(self, lab: Lab, options: Mapping[str, Any]) -> Task[None]:
        node = f"{self.region}/{CONTROL_NAME}"
        server: Any = lab.shape.daemon(f"{node}/kube-apiserver")
        yield from lab.stop(server.name)
        yield from lab.start(replace(server, **options))
        told: Any = contents(lab, self.region)
        yield from lab.run(node, *supervised.client("wait", told.server, anchor.AUTHORITY))
        for program in ("kube-controller-manager", "kube-scheduler"):
            yield from lab.stop(f"{node}/{program}")
            yield from lab.start(lab.shape.daemon(f"{node}/{program}"))
        if self.remade:
            path = f"{NAMESPACES}/{objects.SYSTEM}/services"
            made = next(
                dict(made)
                for where, made in told.objects
                if where == path and made["metadata"]["name"] == self.remade
            )
            spec = {key: value for key, value in made["spec"].items() if key != "clusterIPs"}
            yield from asked(lab, self.region, "DELETE", f"{path}/{self.remade}")
            yield from asked(lab, self.region, "POST", path, {**made, "spec": spec})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The certificate of the API server of *region* has expired, which it was shown without a
    restart. When it is put back, nodes and pods are as they are to be.
    """

    region: str

    def apply(self, lab: Lab) -> Task[None]:
        self._certify(lab, {"days": -1})
        until = time.monotonic() + EFFECT_S
        while time.monotonic() < until:
            try:
                yield from asked(lab, self.region, "GET", "/version")
            except LabError:  # it trusts the server no more
                return
            yield from pause(ASK_AGAIN_S)
        raise LabError("the API server goes on with the certificate that it had")

    def revert(self, lab: Lab) -> Task[None]:
        self._certify(lab, {})
        told: Any = contents(lab, self.region)
        node = f"{self.region}/{CONTROL_NAME}"
        yield from lab.run(node, *supervised.client("wait", told.server, anchor.AUTHORITY))
        yield from lab.answers(told)

    def _certify(self, lab: Lab, changes: Mapping[str, Any]) -> None:
        server: Any = lab.shape.daemon(f"{self.region}/{CONTROL_NAME}/kube-apiserver")
        wanted = replace(server.certificates[CERTIFICATE_FILE], **changes)
        lab.certify(wanted, cluster_contents.home(server.name) / CERTIFICATE_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The API server of *region* stands still. Connections to it are made, and nothing comes back.
    Meanwhile kube-controller-manager is down, who would take the nodes for gone by what it last heard
    of them. When it is put back, nodes and pods are as they are to be.
    """

    region: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from lab.stop(_manager(self.region))
        self._signal(lab, signal.SIGSTOP)

    def revert(self, lab: Lab) -> Task[None]:
        self._signal(lab, signal.SIGCONT)
        yield from lab.start(lab.shape.daemon(_manager(self.region)))
        yield from lab.answers(contents(lab, self.region))

    def _signal(self, lab: Lab, number: signal.Signals) -> None:
        """Send it to what the supervising shell runs."""
        shell = lab.daemons[f"{self.region}/{CONTROL_NAME}/kube-apiserver"]
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), number)


def _manager(region: str) -> str:
    return f"{region}/{CONTROL_NAME}/kube-controller-manager"
