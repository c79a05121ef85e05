"""Which time servers is the host's own daemon told to use? chrony.conf(5), timesyncd.conf(5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import chrony_conf
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Address, Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from ipaddress import IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDaemon(Finding):
    """The configured time sources of one host.

    Verdicts: ``configured`` (the expected server is among them); ``other-servers``; ``none`` (no
    source is named in any file of chrony or systemd-timesyncd), or why they cannot be read.
    """

    layer: ClassVar[Layer] = Layer.CONFIGURATION
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    sources: tuple[Address | str, ...] = ()


@Probe
def time_daemon(server: IPv6Address) -> Ask[TimeDaemon]:
    """Whether the host's chrony or systemd-timesyncd is configured with *server*, by its files."""
    return Ask(operations=(wire.read(*chrony_conf.PATTERNS),), judge=partial(judge, server=server))


def judge(seen: Seen, *, server: IPv6Address) -> TimeDaemon:
    """Read the daemons' files as they do. Pure."""
    reply = seen.replies[0]
    texts = {
        path: octets.decode("utf-8", "replace") for path, octets in replies.files(reply).items()
    }
    found = chrony_conf.parse(texts)
    sources = tuple(source.address_or_name for source in found)
    verdict = "configured" if server in sources else "other-servers" if sources else "none"
    return TimeDaemon(
        vantage=seen.vantage,
        asked=f"time source {server}",
        verdict=verdict if reply.outcome == "answered" else reply.outcome,
        sources=sources,
        elapsed_s=reply.elapsed_s,
        evidence=tuple(
            replies.shown(f"{s.kind} {s.address_or_name} in {s.file}") for s in found[:8]
        ),
    )
