"""What is broken where a service of Kubernetes does not answer, and which command cures it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_v6probe.kube import families
from pytest_v6probe.probes import node_causes
from pytest_v6probe.result import Layer

if TYPE_CHECKING:
    from pytest_v6probe.probes.service_answers import ServiceAnswers

_PROXY = "kubectl -n kube-system get pods -o wide | grep kube-proxy"
_NODE_PORT_ADDRESSES = "kube-proxy --nodeport-addresses=<IPv4 range>,<IPv6 range>"


def cause(found: ServiceAnswers) -> tuple[str, str] | None:
    """The cause of the verdict of *found* and the command that cures it; None where only the lower
    rungs, or nobody, can tell.
    """
    word = families.SHOWN[found.family]
    here = found.node or "the vantage's node"
    if found.verdict == "cluster-ip-silent":
        return cluster_ip(word, here)
    if found.verdict in {"not-forwarded", "node-unreached"}:
        return _between(found, here)
    nodes = " and ".join(found.at_fault)
    if found.verdict == "node-port-silent":
        return _node_ports(found, word, nodes)
    return _of_service(found, word, nodes)


def _of_service(found: ServiceAnswers, word: str, nodes: str) -> tuple[str, str] | None:
    """What the service, or what stands behind it, lacks; None where there is no service."""
    namespace, _, name = found.service.partition("/")
    kubectl = f"kubectl -n {namespace}"
    slices = f"{kubectl} get endpointslices -l kubernetes.io/service-name={name}"
    route = f"ip -{found.family.value[-1]} route get <endpoint>"
    causes = {
        "family-missing": (
            f"the service has no {word}",
            f"{kubectl} get service {name} -o jsonpath="
            "'{.spec.ipFamilyPolicy} {.spec.ipFamilies} {.spec.clusterIPs}'",
        ),
        "endpoints-missing": (f"no endpoint of {word} stands behind the service", slices),
        "endpoints-unanswered": (
            f"what stands behind the service on {nodes} does not answer over {word}: it listens on "
            "the other family only, or a NetworkPolicy or a firewall drops it",
            f"{kubectl} get pods -o wide  # and in those on {nodes}: ss -tln",
        ),
        "external-silent": (
            f"its endpoints answer over {word}, its external address does not",
            f"{kubectl} describe service {name}",
        ),
        "partly-silent": (
            f"{nodes or 'the load balancer'} answers some connections over {word} and not others: not "
            "every endpoint is reached from there",
            f"{slices}  # and on {nodes or 'its nodes'}: {route}",
        ),
    }
    return causes.get(found.verdict) if name else None


def cluster_ip(word: str, here: str) -> tuple[str, str]:
    """Where the endpoints answer over the family *word*, and the ClusterIP does not, on *here*."""
    return (
        f"its endpoints answer over {word}, its ClusterIP does not: kube-proxy of {here} does not "
        "forward it",
        f"{_PROXY}  # that of {here}, and its log",
    )


def _node_ports(found: ServiceAnswers, word: str, nodes: str) -> tuple[str, str]:
    if found.broken_layer is Layer.FORWARDING:
        version = found.family.value[-1]
        return (
            f"nothing comes back over {word} from the NodePort of {nodes}: a firewall drops it, or "
            f"{nodes} does not forward",
            f"sysctl net.ipv{version}.conf.all.forwarding  # on {nodes}, and its security group or "
            "firewall",
        )
    asked = {one.target.node for one in found.answers if one.target.kind == "node-port"}
    if asked == set(found.at_fault):
        return (
            f"no node answers at the NodePort over {word}: kube-proxy serves it at addresses of "
            "another family only, or a firewall drops it",
            f"kubectl -n kube-system get configmap kube-proxy -o yaml  # {_NODE_PORT_ADDRESSES}",
        )
    return (
        f"the NodePort is not served over {word} by {nodes}, by the others it is: kube-proxy there",
        f"{_PROXY}  # that of {nodes}, and its log",
    )


def _between(found: ServiceAnswers, here: str) -> tuple[str, str]:
    """Where packets get lost between nodes, or on the vantage's own."""
    address = next(one.target.at.address for one in found.silent if one.target.kind == "endpoint")
    if found.verdict == "not-forwarded":
        return node_causes.not_forwarded(here, address)
    return node_causes.unreached(
        here,
        found.at_fault,
        address,
        routeless=found.broken_layer is Layer.ROUTE,
        answering=bool(found.nodes_reached & {*found.at_fault}),
    )
