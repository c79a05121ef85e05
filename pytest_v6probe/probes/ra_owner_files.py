"""Which daemon says of itself that it handles router advertisements on an interface? Read from what
daemons leave in /run and from their files in /etc.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_v6probe.probes.replies import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LINKS = "/run/systemd/netif/links/"
_DEVICES = "/run/NetworkManager/devices/"
_IFSTATE = "/run/network/ifstate"
_INTERFACES = "/etc/network/interfaces"
_DHCPCD = "/etc/dhcpcd.conf"
_DHCPCD_OF_ALL = ("/run/dhcpcd.pid", "/run/dhcpcd/pid")

RUN = (
    f"{_LINKS}*",
    f"{_DEVICES}*",
    "/run/dhcpcd*.pid",
    "/run/dhcpcd/*.pid",
    "/run/dhcpcd/pid",
    _DHCPCD,
)
"""The files that tell which daemon manages an interface."""
PATTERNS = (
    "/run/systemd/network/*.network",
    "/run/systemd/network/*.network.d/*.conf",
    "/etc/systemd/network/*.network",
    "/etc/systemd/network/*.network.d/*.conf",
    _IFSTATE,
    _INTERFACES,
    f"{_INTERFACES}.d/*",
)
"""The files that the functions here want besides `RUN`."""

_YES = frozenset({"1", "yes", "true", "on", "y", "t"})
_BLOCKS = frozenset({"interface", "ssid", "profile"})
_RS = {"ipv6rs": True, "noipv6rs": False, "noipv6": False, "ipv4only": False}
_FORWARDS = {"ipforward": _YES | {"ipv6"}, "ipv6forwarding": _YES}


def by_networkd(files: Mapping[str, bytes], *, index: int) -> bool:
    """Whether systemd-networkd has configured the link and was not told to ignore advertisements.

    systemd.network(5), IPv6AcceptRA=: on by default, unless its own files enable forwarding. Files
    below /usr/lib cannot be seen and are taken to say nothing.
    """
    if not configured(files, index=index):
        return False
    said = _network(files, index)
    if "ipv6acceptra" in said:
        return said["ipv6acceptra"] in _YES
    return not any(said.get(key) in values for key, values in _FORWARDS.items())


def configured(files: Mapping[str, bytes], *, index: int) -> bool:
    """Whether systemd-networkd manages the link."""
    state = _pairs(files.get(f"{_LINKS}{index}", b"")).get("admin_state")
    return state in {"configured", "configuring", "degraded"}


def by_network_manager(files: Mapping[str, bytes], *, index: int) -> bool:
    """Whether NetworkManager manages the device."""
    return _pairs(files.get(f"{_DEVICES}{index}", b"")).get("managed") in _YES


def by_dhcpcd(files: Mapping[str, bytes], *, interface: str) -> bool:
    """Whether dhcpcd runs for IPv6 on *interface*, or on all that its file allows it.

    dhcpcd(8), FILES: the interface is part of the name where it was given on the command line, with
    ``-4`` or ``-6`` if that was.
    """
    names = (f"{start}{interface}{x}.pid" for start in ("dhcpcd-", "dhcpcd/") for x in ("", "-6"))
    if any(f"/run/{name}" in files for name in names):
        return True
    allowed, denied = (_listed(files, f"{word}interfaces") for word in ("allow", "deny"))
    return (
        any(path in files for path in _DHCPCD_OF_ALL)
        and not any(fnmatchcase(interface, pattern) for pattern in denied)
        and (not allowed or any(fnmatchcase(interface, pattern) for pattern in allowed))
    )


def dhcpcd_may(files: Mapping[str, bytes], *, interface: str) -> bool:
    """Whether dhcpcd's file lets it take advertisements on *interface* (dhcpcd.conf(5), ipv6rs: on
    by default).
    """
    may, of = True, ""
    for word, *rest in map(str.split, _lines(files.get(_DHCPCD, b""))):
        if word in _BLOCKS:
            of = rest[0] if rest and word == "interface" else word
        elif of in {"", interface}:
            may = _RS.get(word, may)
    return may


def by_ifupdown(files: Mapping[str, bytes], *, interface: str) -> bool:
    """Whether ifupdown brought *interface* up by a stanza for IPv6 (interfaces(5)): ``inet6 auto``
    sets accept_ra to 2, ``inet6 dhcp`` to 1. Its state says by which: ``ifup eth0=home``.
    """
    state = dict(line.partition("=")[::2] for line in _lines(files.get(_IFSTATE, b"")))
    stanzas = (content for path, content in files.items() if path.startswith(_INTERFACES))
    wanted = ["iface", state.get(interface), "inet6"]
    return any(
        line.split()[:3] == wanted and line.split()[3:4] in (["auto"], ["dhcp"], ["static"])
        for content in stanzas
        for line in _lines(content)
    )


def said(files: Mapping[str, bytes], *, index: int, interface: str) -> Iterator[str]:
    """What was found of each daemon, a line for a person."""
    if configured(files, index=index):
        network = _pairs(files[f"{_LINKS}{index}"]).get("network_file", "no .network file")
        yield shown(f"systemd-networkd manages it by {network}")
    if by_network_manager(files, index=index):
        yield "NetworkManager manages it"
    if by_dhcpcd(files, interface=interface):
        yield "dhcpcd runs"
    if by_ifupdown(files, interface=interface):
        yield "ifupdown brought it up"


def _listed(files: Mapping[str, bytes], option: str) -> list[str]:
    """The patterns after each *option* of dhcpcd.conf, parted by spaces or commas."""
    words = (re.split(r"[\s,]+", line) for line in _lines(files.get(_DHCPCD, b"")))
    return [pattern for word, *patterns in words if word == option for pattern in patterns]


def _network(files: Mapping[str, bytes], index: int) -> dict[str, str]:
    """What the link's .network file and its drop-ins say, keys in lower case; the last one wins."""
    link = _pairs(files.get(f"{_LINKS}{index}", b""))
    file = link.get("network_file", "")
    directory = f"/{file.rpartition('/')[2]}.d/"
    inside = sorted(path for path in files if file and directory in path)
    found: dict[str, str] = {}
    for path in (file, *inside):
        found |= _pairs(files.get(path, b""))
    return found


def _pairs(content: bytes) -> dict[str, str]:
    """``KEY=value`` lines; keys in lower case, values of one word in lower case except paths."""
    pairs = (line.partition("=") for line in _lines(content) if "=" in line)
    return {
        key.strip().lower(): value.strip() if "/" in value else value.strip().lower()
        for key, _, value in pairs
    }


def _lines(content: bytes) -> Iterator[str]:
    for line in content.decode("utf-8", "replace").splitlines():
        if (text := line.strip()) and text[0] not in "#;":
            yield text
