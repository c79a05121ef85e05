"""How is one thing in a running lab broken, and put back? Every fault is made of these steps."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from pytest_v6probe.lab import anchor, settled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_v6probe.lab.daemon import Daemon
    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab
    from pytest_v6probe.lab.topology import InterfaceAddress, Network

EFFECT_S = 10.0
FORGET = "ip -6 route flush cache; echo 0 > /proc/sys/net/ipv4/route/flush"
"""IPv6's own sysctl spares a path MTU that has not expired (net/ipv6/route.c,
rt6_age_examine_exception).
"""


class Step(Protocol):
    """One change. `revert` undoes `apply`; both return when the change has taken effect, and raise
    LabError.
    """

    def apply(self, lab: Lab) -> Task[None]:
        """Break it."""

    def revert(self, lab: Lab) -> Task[None]:
        """Put it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The daemon runs with other options. What it left in the kernel is removed each time by
    *cleared*, shell for its node.
    """

    daemon: str
    options: Mapping[str, Any]
    cleared: str = ""

    def apply(self, lab: Lab) -> Task[None]:
        changed = replace(lab.shape.daemon(self.daemon), **self.options)
        yield from _restarted(lab, changed, cleared=self.cleared)

    def revert(self, lab: Lab) -> Task[None]:
        yield from _restarted(lab, lab.shape.daemon(self.daemon), cleared=self.cleared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The daemon was killed: it said no farewell. What it left in the kernel is removed by *cleared*,
    as for `Changed`.
    """

    daemon: str
    cleared: str = ""

    def apply(self, lab: Lab) -> Task[None]:
        yield from _stopped(lab, lab.shape.daemon(self.daemon), self.cleared)

    def revert(self, lab: Lab) -> Task[None]:
        yield from _restarted(lab, lab.shape.daemon(self.daemon))


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A daemon runs that does not belong there."""

    daemon: Daemon

    def apply(self, lab: Lab) -> Task[None]:
        yield from _restarted(lab, self.daemon)

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.stop(self.daemon.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """Packets that match *rule* (nft's language) are treated as it says, at the netfilter *hook* of
    *node*.
    """

    node: str
    hook: str
    rule: str

    def apply(self, lab: Lab) -> Task[None]:
        table = self._table()
        chain = f"chain fault {{\ntype filter hook {self.hook} priority -10;\n{self.rule}\n}}\n"
        yield from lab.run(self.node, "nft", "-f", "-", stdin=f"table inet {table} {{\n{chain}}}\n")

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "nft", "delete", "table", "inet", self._table())

    def _table(self) -> str:
        return f"fault_{hashlib.sha256(f'{self.hook} {self.rule}'.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The *chain* of table vpc in *node*, whose rule was *rule*, is empty."""

    node: str
    chain: str
    rule: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "nft", "flush", "chain", "inet", "vpc", self.chain)

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(
            self.node, "nft", "-f", "-", stdin=f"add rule inet vpc {self.chain} {self.rule}\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrouted:
    """The static route of *node* to *to* is gone."""

    node: str
    to: Network

    def apply(self, lab: Lab) -> Task[None]:
        yield from ()
        lab.wires.delete_route(self.node, self._route(lab))

    def revert(self, lab: Lab) -> Task[None]:
        yield from ()
        lab.wires.add_route(self.node, self._route(lab))

    def _route(self, lab: Lab) -> Any:
        return next(
            route for route in lab.shape.topology.node(self.node).routes if route.to == self.to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """The *interface* of *node* has *address* as well."""

    node: str
    interface: str
    address: InterfaceAddress

    def apply(self, lab: Lab) -> Task[None]:
        yield from ()
        lab.wires.add_address(self.node, self.interface, self.address)

    def revert(self, lab: Lab) -> Task[None]:
        yield from ()
        lab.wires.delete_address(self.node, self.interface, self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """The sysctl *name* (below /proc/sys/net) of *node* is *value*, where it was *was*."""

    node: str
    name: str
    value: str
    was: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from lab.run(
            self.node,
            "sh",
            "-c",
            'printf %s "$2" > "/proc/sys/net/$1"',
            "set",
            self.name,
            self.value,
        )

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(
            self.node, "sh", "-c", 'printf %s "$2" > "/proc/sys/net/$1"', "set", self.name, self.was
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The file *name* below the /etc of *node* says *text*."""

    node: str
    name: str
    text: str

    def apply(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()
        self._path().write_text(self.text, encoding="utf-8")

    def revert(self, lab: Lab) -> Task[None]:
        yield from ()
        self._path().write_text(lab.shape.topology.node(self.node).etc[self.name], encoding="utf-8")

    def _path(self) -> Path:
        return anchor.directory(self.node) / "etc" / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """*nodes* forget the path MTUs they learned, and their neighbours: what was true a moment ago
    is asked anew.
    """

    nodes: tuple[str, ...]

    def apply(self, lab: Lab) -> Task[None]:
        for node in self.nodes:
            yield from lab.run(
                node,
                "sh",
                "-c",
                FORGET,
            )
            lab.wires.flush_neighbours(node)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self.apply(lab)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLost:
    """*node* has lost the default route it learned from router advertisements, and does not get it
    back.
    """

    node: str
    delete: bool = False
    """Delete it; otherwise an earlier step makes the node drop it."""

    def apply(self, lab: Lab) -> Task[None]:
        if self.delete:
            lab.wires.delete_learned_default(self.node)
        pid = lab.node_pid(self.node)
        yield from lab.until(
            lambda: (
                f"{self.node} still has a default route" if settled.default_routers(pid) else ""
            ),
            until=time.monotonic() + EFFECT_S,
        )

    def revert(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoRouters:
    """*node* has taken up a second default router, whom an earlier step lets advertise itself."""

    node: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from _routers(lab, self.node, 2)

    def revert(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRouter:
    """*node* has one default router when all is mended. Stands before the step that brings another
    one.
    """

    node: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from _routers(lab, self.node, 1)

    def revert(self, lab: Lab) -> Task[None]:
        lab.wires.delete_learned_default(
            self.node
        )  # the next advertisement brings the right one back
        yield from _routers(lab, self.node, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicated:
    """Another node, *squatter*, has the *address* of *node*, whose duplicate address detection has
    therefore failed.

    The failed address is put there as a permanent one: the kernel deletes an autoconfigured address
    that fails, and the
    next advertisement makes it anew (net/ipv6/addrconf.c, addrconf_dad_stop).
    """

    node: str
    squatter: str
    interface: str
    address: InterfaceAddress

    def apply(self, lab: Lab) -> Task[None]:
        lab.wires.add_address(self.squatter, self.interface, self.address, no_dad=True)
        lab.wires.delete_address(self.node, self.interface, self.address)
        lab.wires.add_address(self.node, self.interface, self.address)
        pid, octets = lab.node_pid(self.node), self.address.ip.packed.hex()
        yield from lab.until(
            lambda: (
                ""
                if settled.address_flags(pid).get(octets, 0) & settled.DADFAILED
                else f"{self.node} has not noticed that {self.address} is a duplicate"
            ),
            until=time.monotonic() + EFFECT_S,
        )

    def revert(self, lab: Lab) -> Task[None]:
        yield from ()
        lab.wires.delete_address(self.squatter, self.interface, self.address)
        lab.wires.delete_address(self.node, self.interface, self.address)


def _routers(lab: Lab, node: str, wanted: int) -> Task[None]:
    pid = lab.node_pid(node)
    yield from lab.until(
        lambda: (
            ""
            if len(found := settled.default_routers(pid)) == wanted
            else f"{node} has {len(found)} default routers, not {wanted}"
        ),
        until=time.monotonic() + EFFECT_S,
    )


def _stopped(lab: Lab, daemon: Daemon, cleared: str) -> Task[None]:
    yield from lab.stop(daemon.name)
    if cleared:
        yield from lab.run(daemon.node, "sh", "-e", "-c", cleared)


def _restarted(lab: Lab, daemon: Daemon, *, cleared: str = "") -> Task[None]:
    yield from _stopped(lab, daemon, cleared)
    yield from lab.start(daemon)


def options(**changes: Any) -> Mapping[str, Any]:
    """Options of a `Changed` daemon, frozen."""
    return MappingProxyType(changes)
