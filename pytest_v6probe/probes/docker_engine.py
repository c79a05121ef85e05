"""Which Docker Engine runs on the host, how does it treat IPv6, and is that what daemon.json says?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.agent import wire
from pytest_v6probe.linux import daemon_json as linux_daemon_json
from pytest_v6probe.linux.daemon_json import DaemonJson, Malformed, Pool
from pytest_v6probe.probes import docker_answer, replies
from pytest_v6probe.probes.docker_settings import Settings, differing
from pytest_v6probe.result import Finding, Layer
from pytest_v6probe.vantage import Ask, Probe, Seen

if TYPE_CHECKING:
    from pytest_v6probe.agent.wire import Reply

FORWARDING = "/proc/sys/net/ipv6/conf/all/forwarding"
DEFAULT_NETWORK = "/networks/bridge"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEngine(Finding):
    """The engine of one host, as its API and its daemon.json have it.

    Verdicts: ``agrees``; ``disagrees`` (*differing* names the keys of daemon.json that the engine
    does not do: it was started before they were written, or with options); ``not-running``,
    ``not-permitted`` (the agent may not use the socket), ``garbage``, ``timed-out`` and why else
    the API gave no answer; ``daemon-json-malformed``, ``daemon-json-unreadable``. No daemon.json
    agrees with any engine.
    """

    layer: ClassVar[Layer] = Layer.ENGINE
    rests_on: ClassVar[tuple[Layer, ...]] = ()

    version: str = ""
    api_version: str = ""
    firewall_backend: str = ""
    """``iptables``, ``nftables``; what the engine says (29 and newer), else ``iptables``."""
    ipv6: bool | None = None
    """Whether the default network has IPv6."""
    fixed_cidr_v6: IPv6Network | None = None
    """The IPv6 prefix of the default network, as the engine has it."""
    ip6tables: bool | None = None
    """Whether it filters and translates IPv6; the API does not tell, see *ip6tables_from*."""
    ip6tables_from: str = ""
    """``daemon.json``, or ``default`` of the version: on from 27 on."""
    forward_policy: str = ""
    """What it does to the policy for forwarded IPv6: ``drop``, ``drop-if-it-forwards`` (28.0 and newer),
    ``kept``; empty: not known of this version. The API does not tell; the version and daemon.json do.
    """
    userland_proxy: bool | None = None
    live_restore: bool | None = None
    forwarding: bool | None = None
    """``net.ipv6.conf.all.forwarding`` of the host."""
    default_address_pools: tuple[Pool, ...] = ()
    mirrors: frozenset[str] = frozenset()
    """``host`` or ``host:port`` of every registry mirror."""
    insecure_registries: frozenset[str] = frozenset()
    """Names and prefixes that need no TLS."""
    differing: tuple[str, ...] = ()

    @property
    def known_cause(self) -> tuple[str, str] | None:
        """What daemon.json and the engine do not agree on."""
        if self.verdict == "daemon-json-malformed":
            return (self.evidence[0], "correct that file; dockerd does not start with it as it is")
        if self.verdict != "disagrees":
            return None
        keys = ", ".join(self.differing)
        return (f"the engine does not do what daemon.json says: {keys}", "systemctl restart docker")


@Probe
def docker_engine(
    daemon_json: str = linux_daemon_json.PATH,
    socket: str = "/var/run/docker.sock",
    timeout_s: float = 5.0,
) -> Ask[DockerEngine]:
    """Ask the engine behind *socket* for itself and its default network, and compare *daemon_json*.

    *socket* is a path below /run or /var/run at the vantage, *daemon_json* one below /etc or /run.
    """
    return Ask(
        operations=(
            wire.read(daemon_json, FORWARDING, max_bytes=linux_daemon_json.MAX_BYTES // 2),
            *(
                docker_answer.get(socket, target, timeout_s=timeout_s)
                for target in ("/version", "/info", DEFAULT_NETWORK)
            ),
        ),
        judge=partial(judge, socket=socket, daemon_json=daemon_json),
    )


def judge(seen: Seen, *, socket: str, daemon_json: str) -> DockerEngine:
    """Compare the file with the answers. Pure."""
    files = seen.replies[0]
    said, failed = _file(files, daemon_json)
    answers = [docker_answer.read(reply) for reply in seen.replies[1:]]
    silent = next((why for why, _ in answers[:2] if why), "")
    actual = Settings.read(*(answer for _, answer in answers))
    keys = () if said is None or silent else differing(said, actual)
    wanted = said or DaemonJson()
    known = said is not None and not silent
    newer = actual.filters_ipv6_by_default
    filters = (newer if wanted.ip6tables is None else wanted.ip6tables) if known else None
    proxy = actual.userland_proxy
    if proxy is None and known:
        proxy = wanted.userland_proxy is not False
    return DockerEngine(
        vantage=seen.vantage,
        asked=socket,
        verdict=silent or failed.partition(":")[0] or ("disagrees" if keys else "agrees"),
        version=actual.version,
        api_version=actual.api_version,
        firewall_backend=actual.firewall_backend or ("" if silent else "iptables"),
        ipv6=actual.ipv6,
        fixed_cidr_v6=actual.fixed_cidr_v6,
        ip6tables=filters,
        ip6tables_from=("default" if wanted.ip6tables is None else "daemon.json") if known else "",
        forward_policy=actual.forward_policy(wanted, ip6tables=filters),
        userland_proxy=proxy,
        live_restore=actual.live_restore,
        forwarding=_forwarding(files),
        default_address_pools=actual.pools,
        mirrors=actual.mirrors,
        insecure_registries=actual.insecure_registries,
        differing=keys,
        elapsed_s=max(reply.elapsed_s for reply in seen.replies),
        evidence=_evidence(failed, seen, actual, keys),
    )


def _file(reply: Reply, path: str) -> tuple[DaemonJson | None, str]:
    """What daemon.json says; None and why, with what is wrong behind a colon, if that is unknown."""
    errors = reply.fields.get("errors")
    why = errors.get(path) if isinstance(errors, dict) else None
    octets = replies.files(reply).get(path)
    if octets is None:
        absent = reply.outcome == "answered" and why in (None, "ENOENT")
        return (DaemonJson(), "") if absent else (None, f"daemon-json-unreadable: {path}: {why}")
    try:
        return linux_daemon_json.parse(octets), ""
    except Malformed as wrong:
        return None, f"daemon-json-malformed: {path}: {wrong}"


def _forwarding(reply: Reply) -> bool | None:
    value = replies.files(reply).get(FORWARDING, b"").strip()
    return value != b"0" if value.isdigit() else None


def _evidence(failed: str, seen: Seen, actual: Settings, keys: tuple[str, ...]) -> tuple[str, ...]:
    lines = [failed.partition(": ")[2]] if failed else []
    if actual.version or actual.api_version:
        lines.append(f"engine {actual.version}, API {actual.api_version}")
    else:
        lines += [replies.said(reply) for reply in seen.replies[1:2]]
    lines += [f"{key}: the engine has {actual.shown(key)}" for key in keys]
    return tuple(map(replies.shown, lines))
