"""How does a pod with a sidecar look to a probe? Its Envoy's answers, and an agent that gives them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, cast

from pytest_v6probe.agent.wire import Operation, Reply
from pytest_v6probe.inventory import kube
from pytest_v6probe.inventory.model import Host, Role
from pytest_v6probe.probes import kube_service
from pytest_v6probe.result import Endpoint, Finding
from pytest_v6probe.vantage import Vantage
from tests.unit.kube import objects

Object = dict[str, Any]
ADMIN = Endpoint(ip_address("::1"), 15000)
OWN = {"ipv6": "fd00:10:244:1::5", "ipv4": "10.244.1.5"}
FAR = {"ipv6": "fd00:10:244:2::5", "ipv4": "10.244.2.5"}
SERVICE = {"ipv6": "fd00:10:96::7", "ipv4": "10.96.0.7"}
NAME = "outbound|80||web.default.svc.cluster.local"
CLIENT = Endpoint(ip_address("fd00:10:244:2::9"), 40000)


def socket(address: str, port: int = 80, **more: Any) -> Object:
    return {"socket_address": {"address": address, "port_value": port, **more}}


def listener(name: str, *addresses: str, port: int) -> Object:
    first, *others = [socket(address, port) for address in addresses]
    more = {"additional_local_addresses": others} if others else {}
    return {"name": name, "local_address": first, **more}


LISTENERS = (
    listener("virtualOutbound", "0.0.0.0", "::", port=15001),
    listener("virtualInbound", "0.0.0.0", "::", port=15006),
    listener("::_15021", "::", "0.0.0.0", port=15021),
    listener("0.0.0.0_80", "0.0.0.0", "::", port=80),
    listener("fd00:10:96::1_443", "fd00:10:96::1", port=443),
)


def host(address: str, count: int = 0, port: int = 80, **health: Any) -> Object:
    stats = [{"name": "rq_total", "value": str(count)}, {"type": "GAUGE", "name": "cx_active"}]
    return {
        "address": socket(address, port),
        "stats": stats,
        "health_status": {"eds_health_status": "HEALTHY", **health},
    }


def clusters(outbound: int = 0, beyond: int = 0, inbound: int = 0, **more: Any) -> Object:
    """``/clusters`` of a pod that is an endpoint of the service; *more* are of its far endpoint."""
    known = {
        NAME: [host(OWN["ipv6"], outbound), host(FAR["ipv6"], 2, **more)],
        "PassthroughCluster": [host(at, beyond) for at in SERVICE.values()],
        "inbound|80||": [host(at, inbound) for at in OWN.values()],
        "sds-grpc": [{"address": {"pipe": {"path": "./socket"}}}],
    }
    return {
        "cluster_statuses": [
            {"name": name, "host_statuses": hosts} for name, hosts in known.items()
        ]
    }


def endpoints(*groups: Sequence[str]) -> Object:
    """``/config_dump?include_eds``, each endpoint with all its addresses."""
    known = [
        {
            "endpoint": {
                "address": socket(first),
                "additional_addresses": [{"address": socket(at)} for at in others],
            }
        }
        for first, *others in groups
    ]
    assigned = {"cluster_name": NAME, "endpoints": [{"lb_endpoints": known}]}
    return {"configs": [{"endpoint_config": assigned}]}


BOTH = endpoints((OWN["ipv6"], OWN["ipv4"]), (FAR["ipv6"], FAR["ipv4"]))
ANSWERS: Object = {
    "/clusters": clusters(),
    "/listeners": {"listener_statuses": LISTENERS},
    "/config_dump?include_eds&resource=dynamic_endpoint_configs": BOTH,
    "/config_dump": {},
}


def page(body: bytes, status: str = "200 OK", **how: Any) -> Reply:
    octets = f"HTTP/1.1 {status}\r\nServer: envoy\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return Reply(how.pop("outcome", "answered"), octets + body, **how)


def told(said: object) -> Reply:
    """An answer of the admin interface: a reply, or what is its JSON."""
    return said if isinstance(said, Reply) else page(json.dumps(said).encode())


class Pod:
    """An agent in a pod: *answers* by the beginning of the target that Envoy is asked for, of several the
    next at each time it is asked; *other* is the reply to anything else.
    """

    def __init__(self, answers: Object, other: Callable[[Operation], Reply]) -> None:
        self.answers = {
            key: list(at) if isinstance(at, list) else [at] for key, at in answers.items()
        }
        self.other = other
        self.asked: list[Operation] = []

    def run(self, operations: Sequence[Operation]) -> list[Reply]:
        return [self._reply(operation) for operation in operations]

    def _reply(self, operation: Operation) -> Reply:
        self.asked.append(operation)
        if operation.get("port") != ADMIN.port:
            return self.other(operation)
        target = b64decode(operation["send"]).split()[1].decode()
        known = self.answers[max((key for key in self.answers if target.startswith(key)), key=len)]
        return told(known.pop(0) if len(known) > 1 else known[0])


def pod(
    answers: Object | None = None,
    *,
    other: Callable[[Operation], Reply] = lambda _: Reply("refused"),
    admin: Endpoint | None = ADMIN,
    told_to: list[Finding] | None = None,
) -> Vantage:
    """A pod of the mesh, whose Envoy answers as *answers* says besides `ANSWERS`."""
    spec = kube.Pod(cluster="lab", namespace="shop", selector="app=web", envoy_admin=admin)
    agent = Pod({**ANSWERS, **(answers or {})}, other)
    return Vantage(
        name="lab.mesh-web",
        region="",
        host=Host(name="lab.mesh-web", role=Role.POD, pod=spec),
        connect=lambda: cast("Any", agent),
        prefixes=lambda _: frozenset(),
        witness=(told_to if told_to is not None else []).append,
    )


def found(*, families: Sequence[str] = ("ipv6", "ipv4"), http: bool = True, **lists: Any) -> Any:
    """What `kube_service` finds of the service on a cluster of *families*."""
    return kube_service.judge(
        objects.lists(**lists),
        spec=kube.Cluster(name="lab", families=tuple(families)),
        namespace="default",
        name="web",
        declared=kube.Service(name="web", cluster="lab", families=tuple(families), http=http),
    )
