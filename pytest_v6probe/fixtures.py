"""At which vantages, and against which sites, does a test run? Fixtures that choose from the
inventory.

A fixture only chooses: what it hands out is built by `session`. Collection reads the inventory
file, or what the lab declares; nothing is connected before a test asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.result import Family

if TYPE_CHECKING:
    from pytest_v6probe.clouds.model import Cloud
    from pytest_v6probe.cluster import Cluster
    from pytest_v6probe.environments import Environments
    from pytest_v6probe.inventory.model import Image, LoadBalancer, Service, Site
    from pytest_v6probe.session import V6Session
    from pytest_v6probe.vantage import Vantage

ENVIRONMENTS: pytest.StashKey[Environments] = pytest.StashKey()
"""The environments of this process."""

SHAPE = "aws"
"""The lab of a module that names none."""


def shape_of(node: pytest.Item | pytest.Collector) -> str:
    """The lab that the module of *node* runs on where no inventory is given: what its mark
    ``v6_lab`` names.
    """
    module = node.getparent(pytest.Module) or node
    mark = module.get_closest_marker("v6_lab")
    return str(mark.args[0]) if mark is not None and mark.args else SHAPE


@pytest.fixture(scope="module")
def v6_session(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,  # noqa: ARG001  # for what a failing test leaves
) -> V6Session:
    """The environment of this module: its inventory, its lab if it has one, and every open
    vantage.
    """
    return request.config.stash[ENVIRONMENTS].session(shape_of(request.node))


@pytest.fixture
def v6_name(v6_session: V6Session, request: pytest.FixtureRequest) -> str:  # noqa: ARG001  # chosen from it
    """The id of the host this test runs at; alone, one run per ``[[host]]`` of the inventory."""
    return str(request.param)


@pytest.fixture
def ec2_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A host in an IPv6-only subnet; one run per ``[[host]]`` with the role instance or
    egress-only.
    """
    return v6_session.vantage(request.param)


@pytest.fixture
def public_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A host that must be reachable from outside; one run per ``[[host]]`` with the role instance."""
    return v6_session.vantage(request.param)


@pytest.fixture
def egress_only_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A host behind an egress-only gateway; one run per ``[[host]]`` with the role egress-only."""
    return v6_session.vantage(request.param)


@pytest.fixture
def nested_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A container or namespace one hop behind a host; one run per ``[[host]]`` with the role
    nested.
    """
    return v6_session.vantage(request.param)


@pytest.fixture
def outside_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A place on the internet with both families; one run per ``[[host]]`` with the role outside."""
    return v6_session.vantage(request.param)


@pytest.fixture
def docker_host(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A host with a Docker Engine; one run per ``[[host]]`` that a ``[[docker]]`` names."""
    return v6_session.vantage(request.param)


@pytest.fixture
def container(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A running container; one run per ``[[container]]``."""
    return v6_session.vantage(request.param)


@pytest.fixture
def served_container(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A container that serves HTTP on its own address; one run per ``[[container]]`` with address
    and port.
    """
    return v6_session.vantage(request.param)


@pytest.fixture
def published_container(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A container that a port of its engine's host leads to; one run per ``[[container]]`` with
    published_port.
    """
    return v6_session.vantage(request.param)


@pytest.fixture
def cluster(v6_session: V6Session, request: pytest.FixtureRequest) -> Cluster:
    """A Kubernetes cluster, asked by its API; one run per ``[[cluster]]``."""
    return v6_session.cluster(request.param)


@pytest.fixture
def dual_stack_cluster(v6_session: V6Session, request: pytest.FixtureRequest) -> Cluster:
    """A cluster with both families; one run per such ``[[cluster]]``."""
    return v6_session.cluster(request.param)


@pytest.fixture
def single_stack_cluster(v6_session: V6Session, request: pytest.FixtureRequest) -> Cluster:
    """A cluster with one family; one run per such ``[[cluster]]``."""
    return v6_session.cluster(request.param)


@pytest.fixture
def policy_cluster(v6_session: V6Session, request: pytest.FixtureRequest) -> Cluster:
    """A cluster with both families that pods can be made in; one run per such ``[[cluster]]`` with the
    key probe_image.
    """
    return v6_session.cluster(request.param)


@pytest.fixture
def pod(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A pod; one run per ``[[pod]]``."""
    return v6_session.vantage(request.param)


@pytest.fixture
def mesh_pod(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A pod with an Envoy sidecar; one run per ``[[pod]]`` with the key envoy_admin."""
    return v6_session.vantage(request.param)


@pytest.fixture
def plain_pod(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A pod outside of any mesh; one run per ``[[pod]]`` without the key envoy_admin."""
    return v6_session.vantage(request.param)


@pytest.fixture
def node(v6_session: V6Session, request: pytest.FixtureRequest) -> Vantage:
    """A node of a cluster; one run per ``[[host]]`` with the role node."""
    return v6_session.vantage(request.param)


@pytest.fixture
def service(v6_session: V6Session, request: pytest.FixtureRequest) -> Service:
    """A service with an address of its own; one run per ``[[service]]`` that is not headless."""
    return v6_session.service(request.param)


@pytest.fixture
def node_port_service(v6_session: V6Session, request: pytest.FixtureRequest) -> Service:
    """A service with a port on every node; one run per ``[[service]]`` of type NodePort or
    LoadBalancer.
    """
    return v6_session.service(request.param)


@pytest.fixture
def headless_service(v6_session: V6Session, request: pytest.FixtureRequest) -> Service:
    """A service without an address; one run per ``[[service]]`` of type Headless."""
    return v6_session.service(request.param)


@pytest.fixture
def mesh_service(v6_session: V6Session, request: pytest.FixtureRequest) -> Service:
    """A service with an address of its own, and a sidecar in each pod; one run per ``[[service]]`` with
    ``mesh = true``.
    """
    return v6_session.service(request.param)


@pytest.fixture
def load_balancer(v6_session: V6Session, request: pytest.FixtureRequest) -> LoadBalancer:
    """The external addresses of a service; one run per ``[[load_balancer]]``."""
    return v6_session.load_balancer(request.param)


@pytest.fixture
def local_load_balancer(v6_session: V6Session, request: pytest.FixtureRequest) -> LoadBalancer:
    """One whose servers see who asks; one run per ``[[load_balancer]]`` with that key."""
    return v6_session.load_balancer(request.param)


@pytest.fixture
def family(request: pytest.FixtureRequest) -> Family:
    """``ipv6`` or ``ipv4``: one run per family of the test's service or load balancer, else of its cluster."""
    return Family(request.param)


@pytest.fixture
def dual_stack_site(v6_session: V6Session, request: pytest.FixtureRequest) -> Site:
    """A site with A and AAAA; one run per ``[[site]]`` with both families."""
    return v6_session.site(request.param)


@pytest.fixture
def ipv4_only_site(v6_session: V6Session, request: pytest.FixtureRequest) -> Site:
    """A site with A only; one run per ``[[site]]`` with ``families = ["ipv4"]``."""
    return v6_session.site(request.param)


@pytest.fixture
def https_site(v6_session: V6Session, request: pytest.FixtureRequest) -> Site:
    """A site with AAAA that speaks TLS; one run per ``[[site]]`` with an https url and the family
    ipv6.
    """
    return v6_session.site(request.param)


@pytest.fixture
def s3_site(v6_session: V6Session, request: pytest.FixtureRequest) -> Site:
    """A dual-stack endpoint of S3; one run per ``[[site]]`` with such a name and both families."""
    return v6_session.site(request.param)


@pytest.fixture
def image(v6_session: V6Session, request: pytest.FixtureRequest) -> Image:
    """Something to pull; one run per ``[[image]]``."""
    return v6_session.image(request.param)


@pytest.fixture
def direct_image(v6_session: V6Session, request: pytest.FixtureRequest) -> Image:
    """An image that a plain pull gets from its own registry; one run per ``[[image]]`` without a
    mirror.
    """
    return v6_session.image(request.param)


@pytest.fixture
def pushable_image(v6_session: V6Session, request: pytest.FixtureRequest) -> Image:
    """An image whose registry takes a push; one run per ``[[image]]`` with ``push = true``."""
    return v6_session.image(request.param)


@pytest.fixture
def mirrored_image(v6_session: V6Session, request: pytest.FixtureRequest) -> Image:
    """An image that a plain pull gets from a mirror; one run per ``[[image]]`` with the key
    mirror.
    """
    return v6_session.image(request.param)


@pytest.fixture
def ecr_public_image(v6_session: V6Session, request: pytest.FixtureRequest) -> Image:
    """An image of the public gallery of Amazon ECR; one run per such ``[[image]]``."""
    return v6_session.image(request.param)


@pytest.fixture
def cloud(v6_session: V6Session) -> Cloud:
    """What is known of the environment's cloud: its local services, prefixes and known gaps."""
    return v6_session.cloud


@pytest.fixture
def resource_name(v6_session: V6Session, v6_name: str) -> str:
    """The resource-based name of the test's host; hosts without the key do not run the test."""
    return v6_session.inventory.host(v6_name).resource_name


@pytest.fixture
def imds_tokens(v6_session: V6Session, v6_name: str) -> str:
    """What the metadata service of the test's host asks for: ``optional`` or ``required``."""
    return v6_session.inventory.host(v6_name).imds_tokens


@pytest.fixture
def ra_interval_s(v6_session: V6Session) -> float:
    """How long a host may have to wait for a router advertisement, in seconds."""
    return v6_session.inventory.environment.ra_interval_s


def parametrise(metafunc: pytest.Metafunc, session: V6Session) -> None:
    """Give a test one run for each matching entry of the inventory, or one that is skipped and says
    what is missing.
    """
    from pytest_v6probe.inventory.choice import choose  # noqa: PLC0415  # only tests that need it pay

    for mark in metafunc.definition.iter_markers("known_gap"):
        if said := session.no_gap(*mark.args):
            pytest.fail(f"{metafunc.definition.nodeid}: {said}", pytrace=False)
    given = {
        name.strip()
        for mark in metafunc.definition.iter_markers("parametrize")
        for name in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])
    }
    asked = [name for name in metafunc.fixturenames if name not in given]
    patterns = [
        pattern for mark in metafunc.definition.iter_markers("v6_vantage") for pattern in mark.args
    ]
    choice = choose(session.inventory, asked, regions=session.settings.regions, patterns=patterns)
    if not choice.fixtures:
        return
    runs = [
        pytest.param(*run, id=_id(choice.fixtures, run), marks=_marks(session, choice.vantage, run))
        for run in choice.runs
    ]
    if choice.reason:
        runs = [
            pytest.param(
                *choice.fixtures, id="absent", marks=pytest.mark.skip(reason=choice.reason)
            )
        ]
    metafunc.parametrize(choice.fixtures, runs, indirect=True)


def _id(fixtures: tuple[str, ...], run: tuple[str, ...]) -> str:
    shown = [
        value
        for name, value in zip(fixtures, run, strict=True)
        if name != "v6_name" or fixtures[0] == "v6_name"
    ]
    return "-".join(shown)


def _marks(session: V6Session, vantage: int, run: tuple[str, ...]) -> list[pytest.MarkDecorator]:
    if vantage < 0:
        return []
    group = session.group_in(f"[{'-'.join(run)}]")
    return [pytest.mark.v6_vantage(run[vantage]), pytest.mark.xdist_group(group)]
