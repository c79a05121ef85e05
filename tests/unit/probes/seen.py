"""How is what an agent saw built for a judge? DNS answers by dnspython, netlink messages by hand."""

from __future__ import annotations

import struct
from base64 import b64encode
from ipaddress import IPv6Address, IPv6Network, ip_address

from dns import flags, message, rrset
from dns import rcode as rcodes

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.result import Endpoint
from pytest_v6probe.vantage import Seen

VANTAGE = "us-east-1/web-1"
HOST = IPv6Address("2600:1f18:d:f70a:8204:7788:7feb:7892")
RESOLVER = IPv6Address("fd00:ec2::253")
GATEWAY = IPv6Address("fe80::1")
WKP = IPv6Network("64:ff9b::/96")
LOCAL = Endpoint(HOST, 40000)
FOREVER = 0xFFFFFFFF


def seen(*replies: Reply, prefixes=()) -> Seen:
    return Seen(vantage=VANTAGE, replies=replies, nat64_prefixes=frozenset(prefixes))


def answered(payload: bytes = b"", remote: str = "", port: int = 0, **fields) -> Reply:
    return Reply(
        "answered",
        payload,
        LOCAL if remote else None,
        Endpoint(ip_address(remote), port) if remote else None,
        0.01,
        fields,
    )


def dns_octets(
    query: bytes, *records: str, rcode: str = "NOERROR", edns: int = 1232, truncated: bool = False
) -> bytes:
    """A response to *query*; each record as a master file has it, ``name 60 IN AAAA 2001:db8::1``."""
    response = message.make_response(message.from_wire(query), our_payload=edns)
    response.set_rcode(rcodes.from_text(rcode))
    response.flags |= flags.RA | (flags.TC if truncated else 0)
    for record in records:
        name, ttl, rclass, rtype, data = record.split(None, 4)
        response.answer.append(rrset.from_text(name, int(ttl), rclass, rtype, data))
    return response.to_wire()


def dns(query: bytes, *records: str, **how) -> Reply:
    return answered(dns_octets(query, *records, **how), str(RESOLVER), 53)


def files(**content: str) -> Reply:
    """A `read` reply; keys are paths with ``__`` for every slash but the first."""
    named = {"/" + key.replace("__", "/"): value for key, value in content.items()}
    return read(named)


def read(content: dict[str, str]) -> Reply:
    return answered(
        files={path: b64encode(text.encode()).decode() for path, text in content.items()}
    )


def ra_settings(accept_ra: int, forwarding: int = 0, more: dict[str, str] | None = None) -> Reply:
    conf = "/proc/sys/net/ipv6/conf/eth0"
    return read(
        {
            f"{conf}/accept_ra": f"{accept_ra}\n",
            f"{conf}/accept_ra_defrtr": "1\n",
            f"{conf}/forwarding": f"{forwarding}\n",
            "/proc/uptime": "1000.00 0.00\n",
            **(more or {}),
        }
    )


def netlink(*messages: bytes) -> Reply:
    return answered(b"".join(messages))


def link(index: int = 2, name: str = "eth0") -> bytes:
    body = struct.pack("<BxHiII", 0, 1, index, 0x11043, 0) + _attribute(3, name.encode() + b"\0")
    return _message(16, body)


def address(
    text: str, *, flags: int = 0x80, scope: int = 0, bits: int = 64, index: int = 2
) -> bytes:
    value = ip_address(text)
    family = 10 if value.version == 6 else 2
    body = struct.pack("<BBBBI", family, bits, flags & 0xFF, scope, index)
    body += _attribute(1, value.packed) + _attribute(8, struct.pack("<I", flags))
    return _message(20, body)


def default_route(
    gateway: str = "fe80::1",
    *,
    protocol: int = 9,
    expires_s: float | None = 1800.0,
    metric: int = 1024,
) -> bytes:
    body = struct.pack("<BBBBBBBBI", 10, 0, 0, 0, 254, protocol, 0, 1, 0)
    body += _attribute(5, IPv6Address(gateway).packed) + _attribute(4, struct.pack("<I", 2))
    body += _attribute(6, struct.pack("<I", metric))
    if expires_s is not None:
        body += _attribute(12, struct.pack("<8xi", round(expires_s * 100)) + bytes(20))
    return _message(24, body)


def _message(kind: int, body: bytes) -> bytes:
    octets = struct.pack("<IHHII", 16 + len(body), kind, 2, 1, 0) + body
    return octets + bytes(-len(octets) % 4)


def _attribute(kind: int, value: bytes) -> bytes:
    octets = struct.pack("<HH", 4 + len(value), kind) + value
    return octets + bytes(-len(octets) % 4)
