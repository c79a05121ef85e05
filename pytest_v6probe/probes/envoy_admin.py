"""What does the admin interface of a pod's Envoy say? Asked from within the pod, as nobody else may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_v6probe.agent import wire
from pytest_v6probe.errors import Unobserved
from pytest_v6probe.kube import envoy
from pytest_v6probe.kube.fields import Fields, Malformed
from pytest_v6probe.probes import http, replies
from pytest_v6probe.rfc import rfc9112

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_v6probe.agent.wire import Operation, Reply
    from pytest_v6probe.result import Endpoint
    from pytest_v6probe.vantage import Vantage

LISTENERS = "/listeners?format=json"
OK = 200
MOST_NAMES = 16
"""So many names one question may have."""


def clusters(pattern: str) -> str:
    """What to ask for the clusters whose names *pattern* is found in, with their hosts; older releases
    of Envoy give them all.
    """
    return f"/clusters?format=json&filter={quote(pattern, safe='')}"


def listener_dumps(names: Iterable[str]) -> tuple[str, ...]:
    """What to ask for the configuration of the listeners that are called as in *names*."""
    return tuple(
        f"/config_dump?resource={resource}&name_regex={_any_of(names)}"
        for resource in ("dynamic_listeners", "static_listeners")
    )


def endpoint_dumps(names: Iterable[str]) -> tuple[str, ...]:
    """What to ask for the endpoints of the clusters that are called as in *names*."""
    return tuple(
        f"/config_dump?include_eds&resource={resource}&name_regex={_any_of(names)}"
        for resource in ("dynamic_endpoint_configs", "static_endpoint_configs")
    )


def _any_of(names: Iterable[str]) -> str:
    """A pattern of RE2 for any of *names*; those that could be more than a name are left out."""
    known = [name for name in names if envoy.NAME.fullmatch(name)][:MOST_NAMES]
    return quote("|".join(literal(name) for name in known), safe="")


def literal(name: str) -> str:
    """A pattern of RE2 for *name*, which `kube.envoy.NAME` fits."""
    return name.replace(".", "[.]").replace("|", "[|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. *trouble* is empty, or ``no-envoy`` (nobody answers there) or ``malformed`` (what came
    is not what Envoy's documentation says); *line* shows what came.
    """

    document: Fields
    trouble: str = ""
    line: str = ""


def trouble(said: Iterable[Said]) -> tuple[str, str]:
    """The first trouble among *said*, and what came instead; both empty where there is none."""
    first = next((one for one in said if one.trouble), None)
    return (first.trouble, first.line) if first is not None else ("", "")


def ask(at: Vantage, targets: Sequence[str], *, timeout_s: float) -> list[Said]:
    """Ask the Envoy of the pod *at* for each of *targets*, all at once. Raises Unobserved where the
    inventory names no admin interface of it, the pod cannot be used, or an answer is too long.
    """
    admin = _admin(at)
    operations = [_get(admin, target, timeout_s=timeout_s) for target in targets]
    return [_said(at, reply) for reply in at.agent.run(operations)]


def _admin(at: Vantage) -> Endpoint:
    admin = at.host.pod.envoy_admin if at.host.pod is not None else None
    if admin is None:
        raise Unobserved(
            f"the inventory names no Envoy of {at.name}: set envoy_admin of its [[pod]]",
            reason="no-envoy-given",
            vantage=at.name,
        )
    return admin


def _get(admin: Endpoint, target: str, *, timeout_s: float) -> Operation:
    return wire.stream(
        admin.address,
        admin.port,
        family=admin.address.version,
        send=rfc9112.request("GET", str(admin), target, http.HEADERS),
        until="http",
        max_bytes=wire.MAX_REPLY_BYTES,
        keep_bytes=wire.MAX_REPLY_BYTES,
        timeout_s=timeout_s,
    )


def _said(at: Vantage, reply: Reply) -> Said:
    nothing = Fields({})
    if reply.outcome == "too-large":
        raise Unobserved(
            f"the Envoy of {at.name} says more than {wire.MAX_REPLY_BYTES} octets at once: a Sidecar "
            "resource limits what it is told of",
            reason="too-large",
            vantage=at.name,
        )
    if reply.outcome != "answered":
        line = f"the admin interface of Envoy: {replies.said(reply)}"
        return Said(document=nothing, trouble="no-envoy", line=line)
    _, response = http.read(reply, secure=False)
    if response is None or response.status != OK or not response.complete:
        line = "; ".join(http.evidence(reply, response))
        return Said(document=nothing, trouble="malformed", line=line)
    try:
        return Said(document=envoy.document(response.body))
    except Malformed as why:
        return Said(document=nothing, trouble="malformed", line=replies.shown(str(why)))
