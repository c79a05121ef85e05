"""How is one thing of Istio in the lab broken, and put back? Each step is over when the sidecars show it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import cluster_calls
from pytest_v6probe.lab.clouds import istio, istio_objects, istio_sidecar
from pytest_v6probe.lab.clouds.cluster_objects import WEB
from pytest_v6probe.lab.cluster_calls import ASK_AGAIN_S, EFFECT_S, asked, renewed, seen
from pytest_v6probe.lab.loop import pause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab

ENTER = """address=$1; shift
for space in /run/netns/*; do
  if nsenter --net="$space" ip -o address show | grep -qF " $address/"; then
    exec nsenter --net="$space" "$@"
  fi
done
echo "no pod here has the address $address"; exit 1
"""
ISTIOD_PATH = f"{istio_objects.DEPLOYMENTS}/{istio_objects.ISTIOD}"
SERVICES_PATH = f"{istio.MESH}/services"
FILTERS_PATH = (
    f"/apis/{istio_objects.GROUP}/{istio_objects.FILTER_VERSION}"
    f"/namespaces/{istio.NAMESPACE}/{istio_objects.FILTERS}"
)
EVERYBODY = (istio.CLIENT, WEB)
LISTENERS = "/listeners"
ROUTES = "/config_dump?resource=dynamic_route_configs"
ENDPOINTS = (
    "/config_dump?include_eds&resource=dynamic_endpoint_configs"
    f"&name_regex=outbound.*[.]{istio.NAMESPACE}[.].*"
)
"""Of other clusters an Envoy has what was called lately, by whatever address."""
INBOUND_IPV6 = "[::]:15006"
"""Among the addresses of listeners: where packets of IPv6 are redirected to that come in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directed:
    """istiod in *region* runs with other *settings*: the sidecars have no listener for IPv6 that comes
    in, and know the service of the mesh by its first address alone. When it is put back the pods of
    the mesh are made anew: a running Envoy does not learn the second address of a host.
    """

    region: str
    settings: Mapping[str, str]

    def apply(self, lab: Lab) -> Task[None]:
        yield from _directed(lab, self.region, {**istio_objects.SETTINGS, **self.settings})
        yield from _tell(lab, self.region, EVERYBODY, LISTENERS, but=(INBOUND_IPV6,))
        service = yield from asked(lab, self.region, "GET", f"{SERVICES_PATH}/{WEB}")
        yield from _tell(lab, self.region, EVERYBODY, ROUTES, but=_domains(service)[1:])

    def revert(self, lab: Lab) -> Task[None]:
        yield from _directed(lab, self.region, istio_objects.SETTINGS)
        yield from _restarted(lab, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlearned:
    """The pods of the mesh in *region* started when istiod had other *settings*, and were not made anew
    when it got its own: they know each other by their first addresses, of IPv6, alone.
    """

    region: str
    settings: Mapping[str, str]

    def apply(self, lab: Lab) -> Task[None]:
        yield from _directed(lab, self.region, {**istio_objects.SETTINGS, **self.settings})
        yield from renewed(lab, self.region, istio.NAMESPACE, istio_sidecar.SELECTOR)
        yield from _directed(lab, self.region, istio_objects.SETTINGS)
        yield from _tell(lab, self.region, EVERYBODY, LISTENERS, (INBOUND_IPV6,))
        yield from _know(lab, self.region, {6})

    def revert(self, lab: Lab) -> Task[None]:
        yield from _restarted(lab, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refiltered:
    """An EnvoyFilter changes the listener for what comes in to the pods *app* in *region*, as *value* says:
    they have none for IPv6.
    """

    region: str
    app: str
    value: Mapping[str, Any]

    def apply(self, lab: Lab) -> Task[None]:
        yield from asked(lab, self.region, "POST", FILTERS_PATH, self._filter())
        yield from _tell(lab, self.region, (self.app,), LISTENERS, but=(INBOUND_IPV6,))

    def revert(self, lab: Lab) -> Task[None]:
        yield from asked(lab, self.region, "DELETE", f"{FILTERS_PATH}/{self._name}")
        yield from _tell(lab, self.region, (self.app,), LISTENERS, (INBOUND_IPV6,))

    @property
    def _name(self) -> str:
        return f"{self.app}-listens"

    def _filter(self) -> dict[str, Any]:
        match = {"context": "SIDECAR_INBOUND", "listener": {"name": "virtualInbound"}}
        change = {"operation": "MERGE_AND_REPLACE_LIST", "value": dict(self.value)}
        patch = {"applyTo": "LISTENER", "match": match, "patch": change}
        return {
            "apiVersion": f"{istio_objects.GROUP}/{istio_objects.FILTER_VERSION}",
            "kind": "EnvoyFilter",
            "metadata": {"name": self._name},
            "spec": {"workloadSelector": {"labels": {"app": self.app}}, "configPatches": [patch]},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncaptured:
    """The pods *app* in *region* lack *rule* of ip6tables in *chain* of the table nat. Connections that they
    have stay as they are.
    """

    region: str
    app: str
    chain: str
    rule: tuple[str, ...]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._do(lab, "--delete")

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._do(lab, "--append")

    def _do(self, lab: Lab, what: str) -> Task[None]:
        for pod in (yield from _pods(lab, self.region, self.app)):
            command = ("ip6tables-nft", "-t", "nat", what, self.chain, *self.rule)
            yield from _in_pod(lab, self.region, pod, *command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """The service of the mesh in *region* was made with *families*, the first of which it cannot change
    later.
    """

    region: str
    families: tuple[str, ...]

    def apply(self, lab: Lab) -> Task[None]:
        policy = "SingleStack" if len(self.families) == 1 else "RequireDualStack"
        yield from self._make(lab, ipFamilyPolicy=policy, ipFamilies=list(self.families))

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._make(lab)

    def _make(self, lab: Lab, **changes: Any) -> Task[None]:
        yield from asked(lab, self.region, "DELETE", f"{SERVICES_PATH}/{WEB}")
        body = istio.service()
        made = yield from asked(
            lab, self.region, "POST", SERVICES_PATH, {**body, "spec": {**body["spec"], **changes}}
        )
        yield from _tell(lab, self.region, EVERYBODY, ROUTES, _domains(made))
        versions = {ip_address(address).version for address in made["spec"]["clusterIPs"]}
        yield from _know(lab, self.region, versions)


def _domains(service: Mapping[str, Any]) -> tuple[str, ...]:
    """How routes name the addresses of *service*."""
    addresses = service["spec"]["clusterIPs"]
    return tuple(f'"[{one}]"' if ":" in one else f'"{one}"' for one in addresses)


def _directed(lab: Lab, region: str, settings: Mapping[str, str]) -> Task[None]:
    """Let istiod run with *settings*, and no other one with others."""
    found = yield from asked(lab, region, "GET", ISTIOD_PATH)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    container["env"] = istio_objects.environment(settings, istio_objects.TOLD)
    spec = {"template": {"spec": {"containers": [container]}}}
    made = yield from asked(lab, region, "PATCH", ISTIOD_PATH, {"spec": spec})
    generation = made["metadata"]["generation"]

    def is_out(now: Mapping[str, Any]) -> bool:
        said = now["status"]
        known = said.get("observedGeneration", 0) >= generation
        return bool(known and said.get("replicas") == said.get("updatedReplicas") == 1)

    yield from seen(lab, region, ISTIOD_PATH, is_out)


def _restarted(lab: Lab, region: str) -> Task[None]:
    """Make the pods of the mesh anew, and wait until their sidecars know each other."""
    yield from renewed(lab, region, istio.NAMESPACE, istio_sidecar.SELECTOR)
    yield from _tell(lab, region, EVERYBODY, LISTENERS, (INBOUND_IPV6,))
    yield from _know(lab, region, {4, 6})


def _know(lab: Lab, region: str, versions: Collection[int]) -> Task[None]:
    """Wait until the sidecars know the addresses of the servers of just these *versions* of IP."""
    pods = yield from _pods(lab, region, WEB)
    own = [ip_address(one["ip"]) for pod in pods for one in pod["status"]["podIPs"]]
    wanted, others = (
        tuple(f'"{address}"' for address in own if (address.version in versions) is known)
        for known in (True, False)
    )
    yield from _tell(lab, region, EVERYBODY, ENDPOINTS, wanted, but=others)


def _tell(
    lab: Lab,
    region: str,
    apps: Iterable[str],
    page: str,
    wanted: Sequence[str] = (),
    *,
    but: Sequence[str] = (),
) -> Task[None]:
    """Wait until the Envoys of the pods *apps* say at *page* all that is *wanted*, and nothing of *but*.
    Raises LabError.
    """
    until = time.monotonic() + EFFECT_S
    for app in apps:
        for pod in (yield from _pods(lab, region, app)):
            while why := _wrong((yield from _said(lab, region, pod, page)), wanted, but):
                if time.monotonic() > until:
                    name = pod["metadata"]["name"]
                    raise LabError(f"Envoy of {name} says at {page} after {EFFECT_S:g} s {why}")
                yield from pause(ASK_AGAIN_S)


def _wrong(said: str, wanted: Sequence[str], but: Sequence[str]) -> str:
    """What is not in *said* as it is to be; empty if all is."""
    missing = [f"nothing of {word}" for word in wanted if word not in said]
    return ", ".join([*missing, *(f"still {word}" for word in but if word in said)])


def _said(lab: Lab, region: str, pod: Mapping[str, Any], page: str) -> Task[str]:
    yield from _in_pod(lab, region, pod, *cluster_calls.page(f"http://{istio.ADMIN}{page}"))
    return cluster_calls.written(_node(region, pod))


def _in_pod(lab: Lab, region: str, pod: Mapping[str, Any], *argv: str) -> Task[None]:
    """Run *argv* of the node on the network of *pod*."""
    address = pod["status"]["podIP"]
    yield from lab.run(_node(region, pod), "sh", "-c", ENTER, "enter", address, *argv)


def _node(region: str, pod: Mapping[str, Any]) -> str:
    return f"{region}/{pod['spec']['nodeName']}"


def _pods(lab: Lab, region: str, app: str) -> Task[list[dict[str, Any]]]:
    found = yield from asked(lab, region, "GET", f"{istio.MESH}/pods?labelSelector=app%3D{app}")
    return list(found["items"])
