"""How is a Docker host brought to where a row of the table of routes begins, and what happens to it
then?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_v6probe import (
    daemon_json,
    docker_engine,
    eventually,
    first_ipv6_network,
    restart_engine,
)
from pytest_v6probe.actions.actor import Actor
from pytest_v6probe.actions.docker import Action, Plan
from pytest_v6probe.vantage import Vantage

STEP_S = 60.0
SYSCTL = "/proc/sys/net/ipv6/conf"
WITHOUT_IPV6 = {"ipv6": None, "fixed-cidr-v6": None}
FORGET = "while ip -6 route del default 2>/dev/null; do :; done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingOn:
    """Turn forwarding on, as an operator whose engine does not, then start the engine."""

    name: str = "forwarding turned on, then the engine"

    def plan(self, host: Vantage, actor: Actor) -> Plan:
        """As `Action`."""
        start = restart_engine().plan(host, actor)

        def do(timeout_s: float) -> str:
            put(actor, "all/forwarding", "1")
            return start.do(timeout_s)

        return Plan(do=do)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What happens to a host on which *forwarding* is off or on before."""

    name: str
    action: Action
    forwarding: str = "0"
    without_ipv6: bool = False
    """Whether the daemon.json that the engine was started with says nothing of IPv6."""
    backends: tuple[str, ...] = ("iptables", "nftables")


TRIGGERS = (
    Trigger(name="start", action=restart_engine()),
    Trigger(name="first IPv6 network", action=first_ipv6_network(), without_ipv6=True),
    Trigger(name="forwarding by hand, start", action=ForwardingOn(), backends=("nftables",)),
    Trigger(name="later restart", action=restart_engine(), forwarding="1"),
)


@contextmanager
def prepared(
    host: Vantage, actor: Actor, owner: str, trigger: Trigger, accept_ra: str
) -> Iterator[None]:
    """The host before the trigger, and then as it was.

    A route that survived one purge survives all: the kernel then forgets that its table has a
    learned default route, until the next one is added (net/ipv6/route.c, rt6_purge_dflt_routers).
    So each row learns its own.
    """
    was = {name: value(actor, name) for name in ("eth0/accept_ra", "all/forwarding")}
    undo = reconfigured(host, actor, trigger)
    try:
        put(actor, "all/forwarding", trigger.forwarding)
        ignores = owner == "kernel" and trigger.forwarding == "1"
        put(actor, "eth0/accept_ra", "2" if ignores else accept_ra)
        learn(actor, routes=2 if owner != "kernel" and accept_ra != "0" else 1)
        put(actor, "eth0/accept_ra", accept_ra)
        yield
    finally:
        for name, text in was.items():
            put(actor, name, text)
        undo()
        learn(actor, routes=1)
        engine_answers(host)


def reconfigured(host: Vantage, actor: Actor, trigger: Trigger) -> Callable[[], None]:
    """Run the engine as the trigger wants it; what undoes that."""
    if not trigger.without_ipv6:
        return lambda: None
    plan = daemon_json(WITHOUT_IPV6).plan(host, actor)
    spec = host.docker
    assert spec is not None
    old = actor.read(spec.daemon_json)
    assert old is not None
    assert not plan.do(STEP_S)

    def undo() -> None:
        actor.write(spec.daemon_json, old)
        assert actor.run(spec.restart, timeout_s=STEP_S).status == 0

    return undo


def learn(actor: Actor, *, routes: int) -> None:
    """Delete the default routes, and wait until *routes* are learned."""

    def learned() -> bytes:
        return actor.run(("ip", "-6", "-o", "route", "show", "default"), timeout_s=STEP_S).output

    actor.run(("sh", "-c", FORGET), timeout_s=STEP_S)
    seen = eventually(
        learned, until=lambda said: said.count(b"proto ra") == routes, within_s=10, every_s=0.1
    )
    assert seen.count(b"proto ra") == routes, seen


def engine_answers(host: Vantage) -> None:
    found = eventually(
        lambda: docker_engine(host), until=lambda seen: bool(seen.version), within_s=STEP_S
    )
    assert found.version, found


def value(actor: Actor, name: str) -> str:
    return (actor.read(f"{SYSCTL}/{name}") or b"").decode().strip()


def put(actor: Actor, name: str, text: str) -> None:
    words = ("sh", "-c", 'printf %s "$1" > "$2"', "sh", text, f"{SYSCTL}/{name}")
    assert actor.run(words, timeout_s=STEP_S).status == 0
