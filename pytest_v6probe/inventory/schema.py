"""Which tables and keys does an inventory have? One declaration: the reader obeys it, the
documentation prints it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

from pytest_v6probe.clouds.registry import CLOUDS
from pytest_v6probe.inventory import literals
from pytest_v6probe.inventory.model import Login, Namespace, Role
from pytest_v6probe.rfc.rfc6052 import PREFIX_LENGTHS_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

FAMILIES = ("ipv4", "ipv6")
IMDS_TOKENS = ("optional", "required")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PROGRAM = re.compile(r"[A-Za-z0-9._/+-]{1,255}")


class Kind(StrEnum):
    """What TOML type a value has, in the words of an error message."""

    STRING = "a string"
    STRINGS = "a list of strings"
    BOOLEAN = "true or false"
    SECONDS = "a number of seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: *read* turns its TOML value into the model's, or raises ValueError that says what is
    wrong.
    """

    name: str
    kind: Kind = Kind.STRING
    read: Callable[[Any], Any]
    required: bool = False
    default: str = ""
    """How the documentation describes the value of a key that is not there."""
    doc: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, ``[name]``, or where it may be *repeated* ``[[name]]``."""

    name: str
    repeated: bool
    doc: str
    keys: tuple[Key, ...]

    @property
    def header(self) -> str:
        """As it is written."""
        return f"[[{self.name}]]" if self.repeated else f"[{self.name}]"


def plain_name(text: str) -> str:
    """A name that may stand in a test id. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is not a name (letters, digits, '.', '_', '-'; at most 64)"
        )
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of *words*."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text[:80]!r} is none of {', '.join(words)}")
        return text

    return read


def families(words: list[str]) -> tuple[str, ...]:
    """A list of families, none twice. Raises ValueError."""
    read = one_of(*FAMILIES)
    found = tuple(read(word) for word in words)
    if not found or len(set(found)) != len(found):
        raise ValueError("one or both of ipv4, ipv6 are wanted, each once")
    return found


def nat64_prefix(text: str) -> IPv6Network:
    """An IPv6 network of a length that RFC 6052 §2.2 lists. Raises ValueError."""
    network = IPv6Network(text)
    if network.prefixlen not in PREFIX_LENGTHS_BITS:
        lengths = ", ".join(f"/{bits}" for bits in PREFIX_LENGTHS_BITS)
        raise ValueError(f"/{network.prefixlen} is no NAT64 prefix length (RFC 6052: {lengths})")
    return network


def seconds(number: float) -> float:
    """A time to wait. Raises ValueError for one that is not above 0 and at most 1800 (RFC 4861
    §6.2.1).
    """
    if not 0 < number <= 1800:
        raise ValueError(f"{number} is not above 0 and at most 1800 seconds")
    return float(number)


def host_address(text: str) -> IPv6Address:
    """An address that a host can have on the internet or in a private network. Raises ValueError."""
    address = IPv6Address(text)
    if address.scope_id or address.is_link_local or address.is_multicast or int(address) <= 1:
        raise ValueError(
            f"{text!r} is not the address of a host: it is link-local, a group's, or nobody's"
        )
    return address


def via(text: str) -> str | Namespace:
    """Another host (``name`` or ``region/name``) or a namespace of the lab. Raises ValueError."""
    return literals.namespace(text) if literals.is_namespace(text) else host_reference(text)


def host_reference(text: str) -> str:
    """A host as another one names it: ``name`` (of the same region) or ``region/name``. Raises
    ValueError.
    """
    region, _, name = text.rpartition("/")
    if region:
        plain_name(region)
    plain_name(name)
    return text


def management(text: str) -> Login | Namespace:
    """An SSH destination or a namespace of the lab. Raises ValueError."""
    return literals.namespace(text) if literals.is_namespace(text) else literals.login(text)


def web_url(text: str) -> str:
    """An http or https URL. Raises ValueError."""
    literals.web_host(text)
    return text


def program(text: str) -> str:
    """A program's name or path. Raises ValueError for what a shell could take for more."""
    if not _PROGRAM.fullmatch(text) or text.startswith("-"):
        raise ValueError(f"{text[:80]!r} is not the name or path of a program")
    return text


ENVIRONMENT = Table(
    name="environment",
    repeated=False,
    doc="Which cloud this is.",
    keys=(
        Key(name="name", read=plain_name, required=True, doc="Stands in reports.", example='"prod"'),
        Key(
            name="cloud", read=one_of(*CLOUDS), required=True, example='"aws"',
            doc=f"Whose local services, prefixes and known gaps apply: {', '.join(CLOUDS)}.",
        ),
        Key(
            name="lab", read=plain_name, default="no lab", example='"aws"',
            doc="The lab that this environment is; `netns:` is understood only with it. Written by `v6probe lab up`.",
        ),
        Key(
            name="nat64_prefix", read=nat64_prefix, default="the cloud's own", example='"64:ff9b::/96"',
            doc="The prefix that DNS64 and NAT64 must use here.",
        ),
        Key(
            name="ra_interval_s", kind=Kind.SECONDS, read=seconds, default="60", example="600",
            doc="The longest time between two router advertisements (RFC 4861, MaxRtrAdvInterval): how long a "
            "scenario waits for one.",
        ),
    ),
)  # fmt: skip

HOST = Table(
    name="host",
    repeated=True,
    doc="A place to ask from. `local`, `ssh` or `namespace` says how it is reached: exactly one of them, "
    "or none where `management` is the only way in.",
    keys=(
        Key(name="name", read=plain_name, required=True, doc="Unique within its region.", example='"web-1"'),
        Key(name="region", read=plain_name, default="none", doc="Stands in test ids: `region/name`.",
            example='"us-east-1"'),
        Key(
            name="role", read=lambda text: Role(one_of(*Role)(text)), default="instance", example='"instance"',
            doc="What scenarios use it for: `instance` (IPv6-only subnet, reachable from outside), `egress-only` "
            "(behind an egress-only gateway), `nested` (a container behind an instance), `outside` (dual stack, "
            "elsewhere).",
        ),
        Key(name="local", kind=Kind.BOOLEAN, read=bool, default="false", example="true",
            doc="This very machine."),
        Key(
            name="ssh", read=literals.login, default="not by SSH",
            example='"ec2-user@[2600:1f18:d:f70a:8204:7788:7feb:7892]"',
            doc="An SSH destination: `user@[literal]:port`, `user@literal`, or a name. What is not said comes from "
            "`~/.ssh/config`.",
        ),
        Key(name="namespace", read=literals.namespace, default="not a namespace", example='"netns:client"',
            doc="A network namespace of the lab."),
        Key(name="via", read=via, default="directly", example='"web-1"',
            doc="Through what `ssh` is reached: another host, or a namespace of the lab."),
        Key(
            name="management", read=management, default="none", example='"ec2-user@bastion.example.com"',
            doc="A way in that does not depend on the host's default route. Used where `ssh` fails; needed for "
            "disruptive scenarios.",
        ),
        Key(
            name="address", read=host_address, default="the literal in `ssh`",
            example='"2600:1f18:d:f70a:8204:7788:7feb:7892"', doc="The global IPv6 address the host must have.",
        ),
        Key(name="resource_name", read=literals.name, default="not asked",
            example='"i-097019ae9f2908087.ec2.internal"', doc="Its resource-based DNS name."),
        Key(name="imds_tokens", read=one_of(*IMDS_TOKENS), default="either", example='"required"',
            doc="What its metadata service must say to a request without a token: `optional` or `required`."),
        Key(name="behind", read=host_reference, default="nothing", example='"ecs-1"',
            doc="For a `nested` host: the host that forwards for it."),
        Key(name="python", read=program, default="python3", example='"/usr/bin/python3.9"',
            doc="The Python there, 3.6 or newer."),
    ),
)  # fmt: skip

SITE = Table(
    name="site",
    repeated=True,
    doc="Something on the internet that answers HTTP. It is asked about, and never asked from.",
    keys=(
        Key(name="url", read=web_url, required=True, doc="An http or https URL; its host is the site's name.",
            example='"http://ec2-44-210-107-93.compute-1.amazonaws.com/"'),
        Key(name="families", kind=Kind.STRINGS, read=families, required=True, example='["ipv4"]',
            doc="Of which families its name has addresses that serve: `ipv4`, `ipv6`, or both."),
        Key(name="region", read=plain_name, default="all regions", example='"us-east-1"',
            doc="Only hosts of this region ask it."),
        Key(
            name="ipv4_addresses", kind=Kind.STRINGS, default="compared with a live query",
            read=lambda words: frozenset(map(IPv4Address, words)), example='["44.210.107.93"]',
            doc="Its A records.",
        ),
        Key(name="large_url", read=web_url, default="`url`", example='"http://www.example.com/large"',
            doc="A page of at least 200 kB, for path MTU."),
        Key(
            name="ca", read=str, default="the vantage's own authorities", example='"lab-ca.pem"',
            doc="The certificate authority of a private https site: a PEM file, relative to the inventory, or PEM "
            "text itself.",
        ),
    ),
)  # fmt: skip

TABLES = (ENVIRONMENT, HOST, SITE)


def reference() -> str:
    """The inventory's reference as Markdown: a section for each table, a row for each key."""
    return "\n".join(line for table in TABLES for line in _section(table))


def _section(table: Table) -> list[str]:
    rows = [
        f"| `{key.name}` | {key.kind.value} | {'**required**' if key.required else key.default} "
        f"| {key.doc} | `{key.example}` |"
        for key in table.keys
    ]
    head = ["| key | is | without it | meaning | example |", "|---|---|---|---|---|"]
    return [f"## `{table.header}`", "", table.doc, "", *head, *rows, ""]
