"""Which labs have a Kubernetes cluster? `clusters.PLANS`, each a region with a cluster of upstream's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.inventory.model import (
    Cluster,
    Environment,
    Host,
    Inventory,
    Namespace,
    Pod,
    Role,
    Service,
)
from pytest_v6probe.lab import cgroups, envoy, install
from pytest_v6probe.lab.clouds import (
    aws,
    balancers,
    cluster_network,
    clusters,
    internet,
    istio,
    metallb,
    offered,
    policies,
)
from pytest_v6probe.lab.clouds import cluster_objects as objects
from pytest_v6probe.lab.clouds.cluster_network import CONTROL_NAME
from pytest_v6probe.lab.clouds.cluster_plan import API
from pytest_v6probe.lab.clouds.istio_sidecar import Places
from pytest_v6probe.lab.daemons import containerd, kube_apiserver, kube_controllers
from pytest_v6probe.lab.daemons.cluster_contents import ClusterContents, home
from pytest_v6probe.lab.daemons.containerd import Containerd
from pytest_v6probe.lab.daemons.etcd import Etcd
from pytest_v6probe.lab.daemons.kube_apiserver import KubeApiserver
from pytest_v6probe.lab.daemons.kube_controllers import KubeController
from pytest_v6probe.lab.daemons.kube_proxy import KubeProxy
from pytest_v6probe.lab.daemons.kubelet import Kubelet
from pytest_v6probe.lab.topology import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.clouds.cluster_plan import Member, Plan
    from pytest_v6probe.lab.daemon import Daemon

NAME = "lab"


def shape(name: str, kind: str, options: Mapping[str, str]) -> Shape:
    """The lab of shape *kind* as values; *name* is the lab's own. Raises LabError for options that
    are none.
    """
    plan = clusters.planned(kind, options)
    return Shape(
        name=kind,
        topology=cluster_network.topology(plan),
        daemons=(
            *internet.daemons(balancers.zones(plan)),
            *cluster_network.daemons(plan),
            *_control_plane(plan),
            *(daemon for member in plan.members for daemon in _of_node(name, plan, member)),
            _contents(plan),
        ),
        inventory=_inventory(name, plan),
    )


def _control_plane(plan: Plan) -> tuple[Daemon, ...]:
    node = plan.node(CONTROL_NAME)
    api = KubeApiserver(
        name=f"{node}/kube-apiserver",
        node=node,
        command=program_of("kubernetes", "kube-apiserver"),
        addresses=plan.control,
        served=tuple(known.service(API) for known in plan.ranges),
        services=plan.services,
    )
    return (Etcd(name=f"{node}/etcd", node=node), api, *_controllers(plan, api.name))


def _contents(plan: Plan) -> Daemon:
    """What fills the cluster: the last to be asked, where a program of a node may be to blame."""
    return ClusterContents(
        name=contents(plan),
        node=plan.node(CONTROL_NAME),
        server=plan.server,
        objects=(
            *objects.objects(plan, Path(program_of("coredns", "coredns"))),
            *balancers.objects(plan),
            *metallb.objects(plan, Path(program_of("metallb", "speaker")).parent),
            *policies.objects(plan),
            *istio.objects(plan, _istio()),
        ),
        nodes=tuple(member.name for member in plan.members),
        pods=(*objects.ready(plan), *metallb.ready(plan), *istio.ready(plan)),
        stated=metallb.announced(plan),
        reminded=metallb.balanced(plan),
    )


def _controllers(plan: Plan, api: str) -> tuple[KubeController, ...]:
    node, tokens = plan.node(CONTROL_NAME), home(api) / kube_apiserver.SERVICE_ACCOUNTS
    programs = {
        "kube-controller-manager": kube_controllers.manager_flags(tokens),
        "kube-scheduler": (),
    }
    return tuple(
        KubeController(
            name=f"{node}/{program}",
            node=node,
            command=program_of("kubernetes", program),
            user=f"system:{program}",
            server=plan.server,
            flags=flags,
        )
        for program, flags in programs.items()
    )


def contents(plan: Plan) -> str:
    """The name of the daemon that fills the cluster."""
    return f"{plan.node(CONTROL_NAME)}/contents"


def _of_node(lab: str, plan: Plan, member: Member) -> tuple[Daemon, ...]:
    node = plan.node(member.name)
    return (
        Containerd(name=f"{node}/containerd", node=node),
        Kubelet(
            name=f"{node}/kubelet",
            node=node,
            command=program_of("kubernetes", "kubelet"),
            host=member.name,
            addresses=member.internal,
            server=plan.server,
            dns=plan.dns[:1],
            cgroup=f"{cgroups.name(lab)}/{member.name}",
        ),
        KubeProxy(
            name=f"{node}/kube-proxy",
            node=node,
            command=program_of("kubernetes", "kube-proxy"),
            server=plan.server,
            pods=plan.pods,
            dns=plan.dns,
            mode=plan.proxy,
        ),
        *policies.of_node(plan, member, program_of("kube-router", "kube-router")),
    )


def program_of(build: str, program: str) -> str:
    """Where the *program* of a *build* is: on PATH if all of it is there, else where it would be
    built.
    """
    return str(install.found(build).get(program, install.directory(build) / program))


def _istio() -> Places:
    return Places(istio=install.directory("istio").parent, envoy=envoy.place())


def _inventory(lab: str, plan: Plan) -> Inventory:
    region = plan.region
    cluster = Cluster(
        name=NAME,
        region=region,
        families=plan.families,
        via=Namespace(name=plan.node(CONTROL_NAME)),
        service_ranges=plan.services,
        pod_ranges=plan.pods,
        node_ranges=tuple(known.link for known in plan.ranges),
        probe_image=containerd.PYTHON_IMAGE,
    )
    return Inventory(
        environment=Environment(
            name=f"lab-{lab}", cloud=plan.cloud, lab=lab, ra_interval_s=offered.RA_INTERVAL_S
        ),
        hosts=(
            *_nodes(plan, cluster.id),
            offered.CLIENT,
            *_pods(plan, cluster.id),
            *istio.pods(plan, cluster.id, NAME),
        ),
        sites=aws.SITES,
        clusters=(cluster,),
        services=(*_services(plan, cluster.id), *istio.services(plan, cluster.id)),
        load_balancers=(
            *metallb.load_balancers(plan, cluster.id),
            *balancers.load_balancers(plan, cluster.id),
        ),
    )


def _nodes(plan: Plan, cluster: str) -> tuple[Host, ...]:
    return tuple(
        Host(
            name=member.name,
            region=plan.region,
            role=Role.NODE,
            namespace=Namespace(name=plan.node(member.name)),
            address=member.ipv6,
            cluster=cluster,
        )
        for member in plan.members
    )


def _pods(plan: Plan, cluster: str) -> tuple[Host, ...]:
    pods = {
        f"{NAME}.{objects.WEB}-{at}": Pod(
            cluster=cluster, selector=f"app={objects.WEB}", node=member.name
        )
        for at, member in enumerate(plan.members, 1)
    }
    pods[f"{NAME}.{objects.PLAIN}"] = Pod(
        cluster=cluster,
        selector=f"app={objects.PLAIN}",
        debug_image=containerd.PYTHON_IMAGE,
    )
    return tuple(
        Host(name=name, region=plan.region, role=Role.POD, pod=pod) for name, pod in pods.items()
    )


def _services(plan: Plan, cluster: str) -> tuple[Service, ...]:
    web = [
        Service(name=name, cluster=cluster, families=plan.families, type=kind)
        for name, kind in (
            (objects.WEB, "ClusterIP"),
            (objects.NODE_PORT, "NodePort"),
            (objects.HEADLESS, "Headless"),
        )
    ]
    dns = Service(
        name=objects.DNS,
        cluster=cluster,
        namespace=objects.SYSTEM,
        families=plan.families,
        http=False,
    )
    return (*web, dns)
