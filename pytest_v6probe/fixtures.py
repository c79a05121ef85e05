"""At which vantages, and against which sites, does a test run? Fixtures that choose from the
inventory.

A fixture only chooses: what it hands out is built by `session`. Collection reads the inventory
file, or what the lab declares; nothing is connected before a test asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_v6probe.clouds.model import Cloud
    from pytest_v6probe.inventory.model import Site
    from pytest_v6probe.session import V6Session
    from pytest_v6probe.vantage import Vantage

SESSION = pytest.StashKey["V6Session"]()


@pytest.fixture(scope="session")
def v6_session(request: pytest.FixtureRequest) -> V6Session:
    """The environment of this run: its inventory, its lab if it has one, and every open vantage."""
    return request.config.stash[SESSION]


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
        pytest.param(*run, id=_id(choice.fixtures, run), marks=_marks(run, choice.vantage))
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


def _marks(run: tuple[str, ...], vantage: int) -> list[pytest.MarkDecorator]:
    if vantage < 0:
        return []
    return [pytest.mark.v6_vantage(run[vantage]), pytest.mark.xdist_group(run[vantage])]
