"""What can be done to a Docker Engine that moves its host's routes? Actions as values: what each
does, and how it is undone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.transport.channel import printable
from pytest_v6probe.transport.docker.sdk import LABEL

if TYPE_CHECKING:
    from pytest_v6probe.actions.actor import Actor, Ran
    from pytest_v6probe.inventory.model import Docker
    from pytest_v6probe.vantage import Vantage

NETWORK = "v6probe-first-ipv6"
SUBNET = "fd76:3670:726f:6265::/64"
"""RFC 4193; an engine before 27 chooses no prefix by itself."""

_ASK = (
    "import socket,sys;s=socket.socket(socket.AF_UNIX);s.settimeout(30);s.connect(sys.argv[1]);"
    "b=sys.argv[4].encode();"
    's.sendall(("%s %s HTTP/1.0\\r\\nHost: docker\\r\\nContent-Type: application/json\\r\\n"'
    '"Content-Length: %d\\r\\n\\r\\n"%(sys.argv[2],sys.argv[3],len(b))).encode()+b);'
    'a=b"".join(iter(lambda:s.recv(4096),b"")) if b else s.recv(300);'
    'sys.stdout.write(a[:4000].decode("utf-8","replace"))'
)
"""Asks the engine by its own socket: a host need not have the docker command, and what is done there
does not depend on the route that it may cost.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An action on one host, ready to be done.

    *do* is given the seconds it may take; it returns what was refused, in words, empty where all
    was done, and raises Unobserved where contact is lost. *files*
    and *afterwards* are what the watchdog puts back and runs, whoever tells it to.
    """

    do: Callable[[float], str]
    files: tuple[str, ...] = ()
    afterwards: tuple[tuple[str, ...], ...] = ()


class Action(Protocol):
    """Something that is done to a host, and undone."""

    @property
    def name(self) -> str:
        """What it does, in a few words."""

    def plan(self, host: Vantage, actor: Actor) -> Plan:
        """Look at *host* and say what will be done; nothing is changed yet. Raises
        Unobserved where it cannot be done there.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartEngine:
    """Run the `restart` command of the host's ``[[docker]]``. Nothing is left to undo."""

    name: str = "a restart of the engine"

    def plan(self, host: Vantage, actor: Actor) -> Plan:
        """As `Action`."""
        spec = _engine_of(host)
        return Plan(do=lambda timeout_s: _restart(actor, spec, timeout_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstIpv6Network:
    """Have the engine create a bridge network with IPv6, which makes it turn forwarding on; the
    network is removed again.
    """

    name: str = "a first IPv6 network"
    network: str = NETWORK
    subnet: str = SUBNET

    def plan(self, host: Vantage, actor: Actor) -> Plan:
        """As `Action`."""
        spec = _engine_of(host)
        python = (host.host.python, "-I", "-S", "-c", _ASK, spec.socket)
        wanted = {
            "Name": self.network,
            "EnableIPv6": True,
            "IPAM": {"Config": [{"Subnet": self.subnet}]},
            "Labels": {LABEL: ""},
        }

        def do(timeout_s: float) -> str:
            words = ("POST", "/networks/create", json.dumps(wanted))
            ran = actor.run((*python, *words), timeout_s=timeout_s)
            return _refused(ran)

        return Plan(do=do, afterwards=((*python, "DELETE", f"/networks/{self.network}", ""),))


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonJson:
    """Merge *changes* into the engine's daemon.json (None takes a key out) and restart it; the old
    file is put back octet by octet, and the engine restarted again.
    """

    changes: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Which keys are changed."""
        return f"daemon.json with {', '.join(sorted(self.changes))}"

    def plan(self, host: Vantage, actor: Actor) -> Plan:
        """As `Action`. Raises Unobserved, reason ``not-json``, for a daemon.json that is not JSON:
        it is left as it is.
        """
        spec = _engine_of(host)
        was = actor.read(spec.daemon_json)
        octets = merged(was or b"{}", self.changes, file=f"{host.name}:{spec.daemon_json}")

        def do(timeout_s: float) -> str:
            actor.write(spec.daemon_json, octets)
            return _restart(actor, spec, timeout_s)

        return Plan(do=do, files=(spec.daemon_json,), afterwards=(spec.restart,))


def restart_engine() -> RestartEngine:
    """Restart the host's engine."""
    return RestartEngine()


def first_ipv6_network() -> FirstIpv6Network:
    """Create an IPv6 network, the first one after boot on most hosts."""
    return FirstIpv6Network()


def daemon_json(changes: Mapping[str, Any]) -> DaemonJson:
    """Run the engine with *changes* to its daemon.json: ``{"ipv6": True, "fixed-cidr-v6": …}``."""
    return DaemonJson(changes=dict(changes))


def merged(octets: bytes, changes: Mapping[str, Any], *, file: str) -> bytes:
    """A daemon.json with *changes*. Raises Unobserved, with line and column, if it is no JSON."""
    try:
        config = json.loads(octets.decode("utf-8") or "{}")
    except json.JSONDecodeError as why:
        where = f"line {why.lineno} column {why.colno}: {why.msg}"
        raise _not_json(file, where) from why
    except (UnicodeDecodeError, RecursionError) as why:
        raise _not_json(file, printable(str(why).encode())) from why
    if not isinstance(config, dict):
        raise _not_json(file, "line 1 column 1: not an object")
    config.update(changes)
    kept = {key: value for key, value in config.items() if value is not None}
    return json.dumps(kept, indent=4).encode("utf-8") + b"\n"


def _not_json(file: str, where: str) -> Unobserved:
    return Unobserved(f"{file} is not JSON ({where}); it was left as it is", reason="not-json")


def _refused(ran: Ran) -> str:
    """The engine's no to a request, in words; empty where it said 201."""
    head, _, body = ran.output.decode("utf-8", "replace").partition("\r\n\r\n")
    if ran.status == 0 and head.split(" ")[1:2] == ["201"]:
        return ""
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        said = ran.output[-300:].decode("utf-8", "replace") or "no answer"
    return f"the engine refused it: {printable(said[:300].encode())}"


def _restart(actor: Actor, spec: Docker, timeout_s: float) -> str:
    ran = actor.run(spec.restart, timeout_s=timeout_s)
    if ran.status == 0:
        return ""
    how = "did not end in time" if ran.status is None else f"exit status {ran.status}"
    return f"{' '.join(spec.restart)}: {how} ({printable(ran.output[-300:])})"


def _engine_of(host: Vantage) -> Docker:
    if host.docker is None:
        raise Unobserved(
            f"no [[docker]] of the inventory names {host.name}",
            reason="no-engine-given",
            vantage=host.name,
        )
    return host.docker
