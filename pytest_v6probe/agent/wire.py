"""What do the client and the agent say to each other? Operations one way, replies the other.

A message is one line of JSON: a list of objects. Each operation carries an ``id`` and its own
``timeout_s``; replies come back in any order, grouped as they become ready. Octets travel as
base64. The agent is dumb: it reports what happened on its sockets, and everything that is known
about protocols is on this side, in pure code. What outlives the agent is in `wire_records`.

Outcomes (the closed list every operation uses):

=================  ===========================================================================================
``answered``       the operation completed (for TCP without ``until``: connected)
``timed-out``      nothing, or not enough, came within ``timeout_s``; ``payload`` has what did come
``refused``        ECONNREFUSED (a TCP reset, or ICMP port unreachable)
``reset``          ECONNRESET or EPIPE after the connection stood
``closed``         the peer closed before what ``until`` asked for was complete
``no-route``       ENETUNREACH: no route here, or an ICMP "no route" came back
``unreachable``    EHOSTUNREACH: neighbour discovery failed, or ICMP "address unreachable" came back
``prohibited``     EACCES: ICMP "administratively prohibited" came back
``no-address``     EADDRNOTAVAIL: no usable source address of this family
``name-error``     the system resolver gave no address of the family (``detail`` is its own word)
``no-nameserver``  the vantage's resolv.conf names no server of the family
``tls-error``      the handshake or the verification failed (``detail`` says how)
``too-large``      more than ``max_bytes`` came; reading stopped there
``not-permitted``  EPERM: the vantage's user may not do this
``error``          anything else; ``detail`` is the errno's name
=================  ===========================================================================================
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from pytest_v6probe.result import Address, Endpoint

Operation = dict[str, Any]
"""One operation as it travels, without its ``id``: the client numbers operations when it sends
them.
"""

MAX_REPLY_BYTES = 1 << 20
"""The most octets one operation may return."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent says of one operation. *elapsed_s* is in seconds on the vantage's monotonic
    clock.
    """

    outcome: str
    payload: bytes = b""
    local: Endpoint | None = None
    remote: Endpoint | None = None
    elapsed_s: float = 0.0
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """The agent's own word on an outcome: an errno's name, a TLS alert; empty where it has
        none.
        """
        return str(self.fields.get("detail", ""))


def udp(
    server: Address | None,
    port: int,
    payload: bytes,
    *,
    match: int = 0,
    timeout_s: float = 3.0,
    scope: str = "",
) -> Operation:
    """Send one datagram from a connected socket and wait for one back.

    *server* ``None`` means the first IPv6 nameserver of the vantage's own resolv.conf (outcome
    ``no-nameserver`` if there is none). A datagram that does not begin with the first *match*
    octets of *payload* is counted in ``fields["strays"]`` and not taken. ``fields["clock_s"]`` is
    the vantage's wall clock when the answer came, in Unix seconds. *scope* is an interface name for
    a link-local *server*.
    """
    return {
        "op": "udp",
        "server": _text(server),
        "port": port,
        "payload": _b64(payload),
        "match": match,
        "scope": scope,
        "timeout_s": timeout_s,
    }


def udp_burst(
    server: Address | None,
    port: int,
    payloads: Sequence[bytes],
    *,
    match: int = 2,
    window: int = 64,
    timeout_s: float = 3.0,
) -> Operation:
    """Send many datagrams to one server, at most *window* unanswered at a time; *timeout_s* is for
    each datagram.

    A reply is matched to its question by its first *match* octets, which must be unique among those
    in flight. The reply's ``payload`` is every answer packed by `pack` in the order of the
    questions, an empty entry where none came; ``fields["times_us"]`` is base64 of their times in
    microseconds, four big-endian octets each. Bursts with the same ``lane`` run one after another.
    """
    return {
        "op": "udp_burst",
        "server": _text(server),
        "port": port,
        "payload": _b64(pack(payloads)),
        "match": match,
        "window": window,
        "timeout_s": timeout_s,
    }


def stream(
    host: Address | str,
    port: int,
    *,
    family: int = 6,
    send: bytes = b"",
    until: str = "connect",
    tls: Mapping[str, Any] | None = None,
    max_bytes: int = 65536,
    keep_bytes: int = 65536,
    timeout_s: float = 3.0,
) -> Operation:
    """Connect by TCP, perhaps shake hands by TLS, perhaps send, read until *until*, close.

    *host* is an address, or a name that the vantage's system resolver turns into addresses of
    *family* (4 or 6) only; the first is used, all are in ``fields["addresses"]``; for a server from
    resolv.conf (DNS over TCP) it is ``""``. *until*: ``connect`` (nothing is read), ``line``,
    ``u16`` (a two-octet length and that many octets), ``http`` (a response whose end is known by
    Content-Length, chunked coding or the end of the stream), ``eof``. At most *max_bytes* are read,
    the first *keep_bytes* returned; ``fields["received_bytes"]`` counts all. *tls* is
    ``{"server_name": …, "alpn": […], "ca": PEM or ""}``; certificates are verified against the
    vantage's authorities, or *ca* if given. ``fields``: ``connect_s``, ``tls_s``, ``first_byte_s``,
    ``path_mtu`` (octets, as the kernel holds it at the end), ``tls`` (version, cipher, alpn,
    ``certificate``: the leaf's DER), ``icmp`` (the error that ended the attempt, as of `echo`). The
    first ICMP error ends it, where the kernel may wait for the next SYN (RFC 5461 §2.2).
    """
    return {
        "op": "stream",
        "host": _text(host),
        "port": port,
        "family": family,
        "send": _b64(send),
        "until": until,
        "tls": dict(tls) if tls is not None else None,
        "max_bytes": max_bytes,
        "keep_bytes": keep_bytes,
        "timeout_s": timeout_s,
    }


def unix(path: str, send: bytes, *, max_bytes: int = 65536, timeout_s: float = 5.0) -> Operation:
    """Ask one HTTP GET of the local stream socket *path*; the reply is `stream`'s until ``http``,
    without ends.

    ``not-permitted`` is any *send* that is not the head of one GET request and no more, and any
    *path* that does not really lie below /run or /var/run.
    """
    return {
        "op": "unix",
        "path": path,
        "send": _b64(send),
        "until": "http",
        "max_bytes": max_bytes,
        "keep_bytes": max_bytes,
        "timeout_s": timeout_s,
    }


def echo(
    host: Address | str,
    *,
    size_bytes: int = 56,
    hop_limit: int = 64,
    whole: bool = False,
    scope: str = "",
    timeout_s: float = 3.0,
) -> Operation:
    """Send one ICMP echo request (the family is that of *host*; a name is resolved to IPv6 only)
    and wait for its answer.

    *whole* forbids fragmentation at the source. ``payload`` is the reply's data; ``fields["icmp"]``
    is, for an ICMP error, ``{"type", "code", "mtu", "from"}``; ``fields["local_mtu"]`` is, for
    ``error`` EMSGSIZE, this link's own. Works without privileges where ping sockets are allowed,
    else by a raw socket, else ``not-permitted``. The round trip is ``elapsed_s``.
    """
    return {
        "op": "echo",
        "host": _text(host),
        "size_bytes": size_bytes,
        "hop_limit": hop_limit,
        "whole": whole,
        "scope": scope,
        "timeout_s": timeout_s,
    }


def resolve(name: str, *, family: int = 6, timeout_s: float = 5.0) -> Operation:
    """Ask the vantage's system resolver (getaddrinfo, one family, no mapping).
    ``fields["addresses"]`` lists the literals.
    """
    return {"op": "resolve", "host": name, "family": family, "timeout_s": timeout_s}


def read(*patterns: str, max_bytes: int = 65536, timeout_s: float = 3.0) -> Operation:
    """Read the files that *patterns* (glob) match; only below /proc, /sys, /etc and /run, regular
    files only.

    ``fields["files"]`` maps each path to base64 of its first *max_bytes*; ``fields["errors"]`` maps
    a path or an unmatched pattern to an errno's name. Use `files` to read it.
    """
    return {
        "op": "read",
        "patterns": list(patterns),
        "max_bytes": max_bytes,
        "timeout_s": timeout_s,
    }


def netlink(*requests: bytes, timeout_s: float = 3.0) -> Operation:
    """Send each rtnetlink request (built by `linux.netlink`) and return every answer's octets,
    concatenated in order.
    """
    return {"op": "netlink", "requests": [_b64(r) for r in requests], "timeout_s": timeout_s}


def watch(
    *,
    groups: int,
    interface: str = "",
    solicit: bool = True,
    enough_ras: int = 1,
    timeout_s: float = 10.0,
) -> Operation:
    """Listen for router advertisements and for rtnetlink multicast *groups* until *enough_ras* were
    seen, or *timeout_s*.

    With the right to, raw advertisements are taken from every link (or *interface*) and, if
    *solicit*, a router solicitation is sent; without it ``fields["raw"]`` is false.
    ``fields["events"]`` is a list of ``{"t_s", "kind": "ra"|"netlink", "payload", "from",
    "interface", "hop_limit"}`` (bounded); ``fields["counters"]`` maps interface to ``[before,
    after]`` of the kernel's own Icmp6InRouterAdvertisements. A rise of a counter counts as an
    advertisement.
    """
    return {
        "op": "watch",
        "groups": groups,
        "interface": interface,
        "solicit": solicit,
        "enough_ras": enough_ras,
        "timeout_s": timeout_s,
    }


def pack(parts: Sequence[bytes]) -> bytes:
    """Join octet strings, each behind its two-octet big-endian length."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def unpack(packed: bytes) -> list[bytes]:
    """Undo `pack`. Raises ValueError if the octets end in the middle of a part."""
    parts, at = [], 0
    while at < len(packed):
        end = at + 2 + int.from_bytes(packed[at : at + 2], "big")
        if at + 2 > len(packed) or end > len(packed):
            raise ValueError(
                f"packed octets end at {len(packed)}, inside a part that ends at {end}"
            )
        parts.append(packed[at + 2 : end])
        at = end
    return parts


def files(reply: Reply) -> dict[str, bytes]:
    """The files of a `read` reply: path to octets."""
    return {path: b64decode(text) for path, text in reply.fields.get("files", {}).items()}


def reply(message: Mapping[str, Any]) -> Reply:
    """Turn one object of the agent's into a Reply. Raises ValueError for one that no agent of ours
    sends.
    """
    try:
        rest = {key: value for key, value in message.items() if key not in _KNOWN}
        if "answers" in rest:  # of `wire_requests.requests`
            rest["answers"] = tuple(reply(answer) for answer in rest["answers"])
        return Reply(
            outcome=str(message["outcome"]),
            payload=b64decode(message.get("payload", "")),
            local=_endpoint(message.get("local")),
            remote=_endpoint(message.get("remote")),
            elapsed_s=float(message.get("elapsed_s", 0.0)),
            fields=rest,
        )
    except (LookupError, TypeError, AttributeError, OverflowError) as why:
        raise ValueError(f"not a reply of the agent: {why!r}") from why


_KNOWN = frozenset({"id", "outcome", "payload", "local", "remote", "elapsed_s"})


def _endpoint(pair: Sequence[Any] | None) -> Endpoint | None:
    return Endpoint(ip_address(pair[0]), int(pair[1])) if pair else None


def _text(host: Address | str | None) -> str:
    return (
        str(host) if host is not None and isinstance(host, IPv4Address | IPv6Address | str) else ""
    )


def _b64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
