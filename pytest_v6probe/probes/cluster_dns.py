"""Does the DNS of a cluster answer a pod over one family, and does it say what the API says?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.kube import families
from pytest_v6probe.linux import resolv_conf
from pytest_v6probe.probes import (
    answers,
    cluster_answers,
    cluster_names,
    node_reach,
    replies,
    service_causes,
)
from pytest_v6probe.result import Family, Finding, Layer, Path
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_v6probe.kube.endpoint_slices import ServiceEndpoint
    from pytest_v6probe.kube.pods import Pod
    from pytest_v6probe.probes.cluster_answers import ClusterName, DnsEndpoint
    from pytest_v6probe.probes.cluster_names import Question
    from pytest_v6probe.probes.kube_service import KubeService
    from pytest_v6probe.result import Address

MOST_ENDPOINTS = 16
"""Of a larger DNS only so many are asked directly."""
_LAYERS = {
    **answers.LAYERS,
    "servfail": Layer.RESOLVER,
    "family-missing": Layer.SERVICE,
    "cluster-ip-silent": Layer.SERVICE,
    "cluster-name-synthesised": Layer.SYNTHESIS,
    "other-nameserver": Layer.CONFIGURATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDns(Finding):
    """The DNS service of a cluster, asked by a pod at its ClusterIP of one family.

    Verdicts: ``agrees``; ``family-missing`` (the DNS service has no ClusterIP of it);
    ``cluster-ip-silent`` (a question got no answer there, and every endpoint of it answers);
    ``timed-out``, ``refused``, ``servfail``, … where an endpoint of it does not answer, as in
    `answers.Answer`; ``cluster-name-synthesised`` (an AAAA record made by DNS64 for a name of the
    cluster itself); ``differs`` (other addresses than the API has); ``unknown-name-answered`` (a
    name that is not there is not NXDOMAIN); ``other-nameserver`` (the pod's resolv.conf names none
    of the DNS service's addresses).
    """

    layer: ClassVar[Layer] = Layer.ANSWER
    speaks_of = _LAYERS
    rests_on: ClassVar[tuple[Layer, ...]] = (Layer.ADDRESS, Layer.ROUTE)

    family: Family
    service: str = ""
    """The DNS service, ``namespace/name``."""
    names: tuple[ClusterName, ...] = ()
    nameservers: tuple[Address, ...] = ()
    """Those of the pod's resolv.conf."""
    server: Address | None = None
    """The ClusterIP that was asked."""
    node: str = ""
    """The pod's node; empty where its address does not tell."""
    endpoints: tuple[DnsEndpoint, ...] = ()
    """Its ready endpoints, each asked directly."""

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What of the DNS, or of the pod, is set up otherwise."""
        word = families.SHOWN[self.family]
        namespace, _, name = self.service.partition("/")
        if self.verdict == "family-missing":
            return (
                f"the cluster's DNS service has no {word} ClusterIP",
                f"kubectl -n {namespace} patch service {name} -p "
                '\'{"spec":{"ipFamilyPolicy":"PreferDualStack"}}\'  # on a dual-stack cluster',
            )
        if self.verdict == "cluster-name-synthesised":
            return (
                "CoreDNS's dns64 makes AAAA records for names of the cluster: it has translate_all, "
                "or stands in the same server block as the cluster's zone",
                "kubectl -n kube-system edit configmap coredns  # dns64 without translate_all, in a "
                "server block of its own",
            )
        if self.verdict == "cluster-ip-silent":
            return service_causes.cluster_ip(word, self.node or "the pod's node")
        silent = [one for one in self.endpoints if not one.answered]
        if silent and len(silent) < len(self.endpoints):
            address, node = silent[0].address, silent[0].node
            return (
                f"the cluster's DNS does not answer over {word} at {address} on {node}, elsewhere it "
                "does",
                f"kubectl -n kube-system get pods -o wide  # the one on {node}; and on the pod's "
                f"node: ip -{address.version} route get {address}",
            )
        if self.verdict == "other-nameserver":
            return (
                "the pod asks another DNS: its dnsPolicy is not ClusterFirst, or kubelet has another "
                "clusterDNS",
                "kubectl get pod <pod> -o jsonpath='{.spec.dnsPolicy}'  # and kubelet's clusterDNS",
            )
        return None


@Probe
def cluster_dns(
    dns: KubeService,
    services: Sequence[KubeService],
    *,
    family: str,
    pods: Sequence[Pod] = (),
    domain: str = "cluster.local",
    timeout_s: float = 3.0,
) -> Ask[ClusterDns]:
    """Ask *dns*, what `kube_service` returned of the DNS service, at its ClusterIP of *family*
    (``ipv6`` or ``ipv4``) for the A and AAAA records of *services*, of *pods*, and of a name that is
    not there, over UDP.

    At most 64 names are asked; each ready endpoint of the DNS service gets the first question
    directly as well. A headless service is to have the addresses of its ready endpoints, any other
    its ClusterIPs; a pod's name (``2001-db8--1.default.pod.cluster.local``) leads to its address.
    Raises ValueError for no family.
    """
    wanted = Family(family)
    server = dns.cluster_ip(wanted)
    questions = cluster_names.questions(services, pods, domain) if server is not None else ()
    endpoints = dns.endpoints(wanted)[:MOST_ENDPOINTS] if questions else ()
    asked = (
        *((server, one) for one in questions),
        *((endpoint.address, questions[0]) for endpoint in endpoints),
    )
    ops = (
        wire.udp(where, answers.PORT, one.query, match=answers.ID_OCTETS, timeout_s=timeout_s)
        for where, one in asked
    )
    return Ask(
        operations=(wire.read(resolv_conf.PATH), *ops),
        wants_prefixes=True,
        judge=partial(judge, dns=dns, family=wanted, questions=questions, endpoints=endpoints),
    )


def judge(
    seen: Seen,
    *,
    dns: KubeService,
    family: Family,
    questions: tuple[Question, ...],
    endpoints: tuple[ServiceEndpoint, ...],
) -> ClusterDns:
    """Compare each answer with what the API has. Pure."""
    came, direct = seen.replies[1 : 1 + len(questions)], seen.replies[1 + len(questions) :]
    nameservers = _nameservers(seen.replies[0])
    names = cluster_answers.read_names(questions, came)
    query = questions[0].query if questions else b""
    behind = cluster_answers.read_endpoints(endpoints, direct, query)
    prefixes = (*replies.TRANSLATED, *seen.nat64_prefixes)
    verdict = cluster_answers.verdict(names, behind, prefixes) if names else "family-missing"
    if verdict == "agrees" and not set(nameservers) & set(dns.cluster_ips):
        verdict = "other-nameserver"
    first = came[0] if came else Reply("")
    local = first.local
    servers = " ".join(map(str, nameservers)) or "no nameserver"
    return ClusterDns(
        vantage=seen.vantage,
        asked=f"{dns.asked} over {family}",
        verdict=verdict,
        family=family,
        service=dns.service.id if dns.service is not None else "",
        names=names,
        nameservers=nameservers,
        server=dns.cluster_ip(family),
        node=node_reach.node_of(local.address, dns.nodes) if local is not None else "",
        endpoints=behind,
        local=local,
        remote=first.remote,
        path=Path.NATIVE if family is Family.IPV6 else Path.IPV4,
        elapsed_s=max(reply.elapsed_s for reply in seen.replies),
        evidence=tuple(
            map(replies.shown, (*cluster_answers.lines(names, behind), f"resolv.conf: {servers}"))
        ),
    )


def _nameservers(file: Reply) -> tuple[Address, ...]:
    said = replies.files(file).get(resolv_conf.PATH, b"").decode("utf-8", "replace")
    return resolv_conf.parse(said).nameservers
