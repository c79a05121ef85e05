"""How is one thing of a Docker host broken, and put back? Steps that no other lab has use for."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab import anchor, settled
from pytest_v6probe.lab.daemons import dockerd
from pytest_v6probe.lab.steps import EFFECT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab
    from pytest_v6probe.lab.topology import Node

DAEMON_JSON = "docker/daemon.json"
FORGET_RULES = """
ip6tables-save > /run/v6probe-rules
ip6tables -P FORWARD ACCEPT
ip6tables -F
ip6tables -t nat -F
"""
REMEMBER_RULES = "ip6tables-restore < /run/v6probe-rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The daemon.json of the engine *daemon* says *text*, and the engine has been restarted."""

    daemon: str
    text: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, self.text)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, _node(lab, self.daemon).etc[DAEMON_JSON])

    def _restart(self, lab: Lab, text: str) -> Task[None]:
        engine = lab.shape.daemon(self.daemon)
        path = anchor.directory(engine.node) / "etc" / DAEMON_JSON
        path.write_text(text, encoding="utf-8")
        yield from lab.run(engine.node, "sh", str(dockerd.home(self.daemon) / "restart"))
        yield from lab.answers(engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refilled:
    """The networks and containers of the engine *daemon* were made anew, with other *options*."""

    daemon: str
    options: Mapping[str, Any]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._refill(lab, self.options)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._refill(lab, {})

    def _refill(self, lab: Lab, changes: Mapping[str, Any]) -> Task[None]:
        engine: Any = replace(lab.shape.daemon(self.daemon), **changes)
        file = dockerd.home(self.daemon) / "contents.json"
        file.write_text(engine.contents(), encoding="utf-8")
        command = (sys.executable, "-I", "-S", str(dockerd.CONTENTS), "refill", str(file))
        yield from lab.run(engine.node, *command)
        yield from lab.answers(engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooked:
    """After each restart of the engine *daemon*, and before that counts as done, *script* runs."""

    daemon: str
    script: str

    def apply(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()
        self._file().write_text(self.script, encoding="utf-8")

    def revert(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()
        self._file().unlink(missing_ok=True)

    def _file(self) -> Any:
        return dockerd.home(self.daemon) / dockerd.HOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Relearned:
    """*node* has learned its default route since the earlier steps.

    A route that survived one purge survives all: the kernel then forgets that its table has a
    learned default route, until the next one is added (net/ipv6/route.c, rt6_purge_dflt_routers).
    """

    node: str

    def apply(self, lab: Lab) -> Task[None]:
        lab.wires.delete_learned_default(self.node)
        pid = lab.node_pid(self.node)
        yield from lab.until(
            lambda: "" if settled.default_routers(pid) else f"{self.node} learns no default route",
            until=time.monotonic() + EFFECT_S,
        )

    def revert(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unruled:
    """*node* has none of the IPv6 rules that an engine made before its last restart."""

    node: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "sh", "-e", "-c", FORGET_RULES)

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "sh", "-e", "-c", REMEMBER_RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """Nothing is done to *node* but when all is mended: then *script* runs in it. Stands before the
    steps, or the action of a test, whose traces it removes.
    """

    node: str
    script: str

    def apply(self, lab: Lab) -> Task[None]:
        del lab
        yield from ()

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.run(self.node, "sh", "-c", self.script)


def _node(lab: Lab, daemon: str) -> Node:
    return lab.shape.topology.node(lab.shape.daemon(daemon).node)
