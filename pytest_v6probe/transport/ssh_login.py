"""What does the user's ssh configuration say of a login? Everything that is decided before a
connection is made.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

from pytest_v6probe.inventory.model import Login

MAX_CONFIG_BYTES = 1 << 20
MAX_INCLUDES = 16
DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
USER_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"

_SECTION = re.compile(r"\s*(host|match)\b", re.IGNORECASE)
_INCLUDE = re.compile(r"\s*include[\s=]+(.*)", re.IGNORECASE)
_DESTINATION = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]*)@)?"
    r"(?:\[(?P<literal>[^\]]+)\]|(?P<host>[^\[\]:@]+|[^\[\]@]*:[^\[\]@]*:[^\[\]@]*))"
    r"(?::(?P<port>\d+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key and the hosts it is for, in memory: for a lab, whose keys live as long as it does."""

    user: str
    key: str = field(repr=False)
    """An OpenSSH private key."""
    known_hosts: str
    """Lines of a known_hosts file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one host is to be reached and who it must prove to be."""

    host: str
    port: int
    user: str
    host_key_name: str
    """The name under which its key is known: HostKeyAlias, or the host's."""
    host_key_port: int
    key_files: tuple[Path, ...]
    use_agent: bool
    known_hosts_files: tuple[Path, ...]
    jumps: tuple[Login, ...] = ()
    proxy_command: str = ""


def configuration(file: Path | None) -> str:
    """The text of *file*, or of the user's ssh_config and then the system's. Raises OSError."""
    if file is not None:
        return config_text(file)
    return config_text(Path("~/.ssh/config").expanduser()) + "Host *\n" + config_text(SYSTEM_CONFIG)


def config_text(file: Path, *, depth: int = 0) -> str:
    """An ssh_config with what it includes in its place; empty if there is none. Raises OSError,
    ValueError.
    """
    if depth > MAX_INCLUDES:
        raise ValueError(f"{file}: Include is nested more than {MAX_INCLUDES} deep")
    if not file.is_file():
        return ""
    lines, section = [], "Host *"
    for line in file.read_text(encoding="utf-8", errors="replace")[:MAX_CONFIG_BYTES].splitlines():
        if _SECTION.match(line):
            section = line
        if found := _INCLUDE.match(line):
            home = SYSTEM_CONFIG.parent if file == SYSTEM_CONFIG else Path("~/.ssh").expanduser()
            for pattern in found[1].replace('"', "").split():
                paths = sorted(glob(str(home / Path(pattern).expanduser())))  # noqa: PTH207  pattern is absolute
                lines += [config_text(Path(path), depth=depth + 1) for path in paths]
            lines.append(section)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def with_login(login: Login, text: str) -> str:
    """*text* with what *login* says itself in front: of each option, ssh takes the first value."""
    said = [f"User {login.user}"] if login.user else []
    return "\n".join([*said, *([f"Port {login.port}"] if login.port else []), "Host *", text])


def plan(login: Login, look_up: Callable[[str], Mapping[str, Any]]) -> Plan:
    """What ssh_config (*look_up*: an alias to its options, names in lower case) says of *login*.

    Raises ValueError for a value that cannot be meant.
    """
    said = look_up(str(login.host))
    host, port = str(said.get("hostname", login.host)), int(said.get("port", 22))
    alias = said.get("hostkeyalias", "")
    own_keys = said.get("identityfile", ())
    files = f"{said.get('userknownhostsfile', USER_KNOWN_HOSTS)} " + said.get(
        "globalknownhostsfile", GLOBAL_KNOWN_HOSTS
    )
    return Plan(
        host=host,
        port=port,
        user=said.get("user", "") or getpass.getuser(),
        host_key_name=alias or host,
        host_key_port=22 if alias else port,
        key_files=tuple(Path(name).expanduser() for name in own_keys or DEFAULT_KEYS),
        use_agent=said.get("identitiesonly", "no").lower() != "yes",
        known_hosts_files=tuple(
            Path(name.strip('"')).expanduser() for name in files.split() if name.lower() != "none"
        ),
        jumps=_jumps(said),
        proxy_command=_proxy_command(said),
    )


def destination(text: str) -> Login:
    """``[user@]host[:port]``, literals in brackets or bare, as ProxyJump writes it. Raises
    ValueError.
    """
    found = _DESTINATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not [user@]host[:port]")
    return Login(
        host=found["literal"] or found["host"],
        user=found["user"] or "",
        port=int(found["port"] or 0),
    )


def _jumps(said: Mapping[str, Any]) -> tuple[Login, ...]:
    text = str(said.get("proxyjump") or "none")
    return () if text.lower() == "none" else tuple(destination(hop) for hop in text.split(","))


def _proxy_command(said: Mapping[str, Any]) -> str:
    text = str(said.get("proxycommand") or "none")
    return "" if text.lower() == "none" else text
