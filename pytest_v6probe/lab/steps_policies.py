"""How is the enforcement of network policies in a lab broken, and put back?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_v6probe.lab.clouds import policies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_v6probe.lab.loop import Task
    from pytest_v6probe.lab.running import Lab

FLUSH = """for tool in iptables ip6tables; do
  $tool --flush && $tool --delete-chain || exit 1
done
ipset destroy
"""
"""Nobody else has rules in these tables: kube-proxy's are nftables' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unenforced:
    """kube-router does not run on *node*, and none of its rules is there."""

    node: str

    def apply(self, lab: Lab) -> Task[None]:
        yield from _without_rules(lab, self.node)

    def revert(self, lab: Lab) -> Task[None]:
        yield from lab.start(lab.shape.daemon(_router(self.node)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reenforced:
    """kube-router runs on *node* with other *options*, and makes all its rules anew."""

    node: str
    options: Mapping[str, Any]

    def apply(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, self.options)

    def revert(self, lab: Lab) -> Task[None]:
        yield from self._restart(lab, {})

    def _restart(self, lab: Lab, options: Mapping[str, Any]) -> Task[None]:
        daemon: Any = lab.shape.daemon(_router(self.node))
        yield from _without_rules(lab, self.node)
        yield from lab.start(replace(daemon, **options))


def _without_rules(lab: Lab, node: str) -> Task[None]:
    yield from lab.stop(_router(node))
    yield from lab.run(node, "sh", "-c", FLUSH)


def _router(node: str) -> str:
    return f"{node}/{policies.NAME}"
