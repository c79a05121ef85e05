"""Is this the host it was before? Lines of known_hosts files, as sshd(8) describes them."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha1, sha256
from ipaddress import ip_address

SSH_PORT = 22
MAX_LINES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """One line: a public key, and the hosts that have it."""

    hosts: str
    type: str
    blob: bytes
    marker: str = ""
    """``@revoked`` or ``@cert-authority``."""
    source: str = ""
    """``file:line``."""

    def is_for(self, host: str, port: int) -> bool:
        """Does the line speak of *host*? A line without a port speaks of every port, as for ssh."""
        names = [host] if port == SSH_PORT else [f"[{host}]:{port}", host]
        return any(_matches(self.hosts, name.lower()) for name in names)


def read(text: str, *, source: str = "") -> list[KnownKey]:
    """The keys in a known_hosts file; lines that cannot be read are passed over, as ssh does."""
    keys = []
    for number, line in enumerate(text.splitlines()[:MAX_LINES], 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#"):
            continue
        try:
            blob = b64decode(words[2], validate=True)
        except ValueError:
            continue
        keys.append(
            KnownKey(
                hosts=words[0], type=words[1], blob=blob, marker=marker, source=f"{source}:{number}"
            )
        )
    return keys


def verdict(known: Iterable[KnownKey], key_type: str, blob: bytes) -> str:
    """What the lines about a host say of its key: ``known``, ``unknown``, ``changed`` or
    ``revoked``.
    """
    lines = list(known)
    if any(line.blob == blob and line.marker == "@revoked" for line in lines):
        return "revoked"
    plain = [line for line in lines if not line.marker]
    if any(line.blob == blob for line in plain):
        return "known"
    return "changed" if any(line.type == key_type for line in plain) else "unknown"


def fingerprint(blob: bytes) -> str:
    """A public key's fingerprint as ssh prints it: ``SHA256:…``."""
    return "SHA256:" + b64encode(sha256(blob).digest()).decode("ascii").rstrip("=")


def advice(said: str, known: Iterable[KnownKey], key: str, host: str, port: int) -> str:
    """What to do about *key*, ``ssh-ed25519 key SHA256:…``, that is not ``known``."""
    lines = ", ".join(line.source for line in known)
    if said == "revoked":
        return f"its {key} is revoked in {lines}"
    if said == "changed":
        place = host if port == SSH_PORT else f"'[{host}]:{port}'"
        return (
            f"its {key} is not the one in {lines}: another host answers there, or the key was "
            "made anew. Compare the fingerprint with the host's console output, then: "
            f"ssh-keygen -R {place}"
        )
    return (
        f"its {key} is in no known_hosts file. Compare the fingerprint with the host's console "
        f"output, then: ssh-keyscan -p {port} {host} >> ~/.ssh/known_hosts"
    )


def _matches(hosts: str, name: str) -> bool:
    if hosts.startswith("|1|"):
        return _hashed_is(hosts, name)
    found = False
    for pattern in hosts.lower().split(","):
        if pattern.startswith("!") and _one(pattern[1:], name):
            return False
        found = found or _one(pattern, name)
    return found


def _one(pattern: str, name: str) -> bool:
    if pattern.startswith("["):
        return _literal(pattern) == _literal(name)
    # ssh knows no brackets in patterns, fnmatch does
    return _literal(pattern) == _literal(name) or fnmatchcase(name, pattern.replace("[", "[[]"))


def _literal(name: str) -> str:
    """A name with its address, if it is one, in the one way of writing it."""
    bracketed, _, port = name.partition("]") if name.startswith("[") else ("", "", "")
    try:
        address = ip_address(bracketed[1:] if bracketed else name)
    except ValueError:
        return name
    return f"[{address}]{port}" if bracketed else str(address)


def _hashed_is(hosts: str, name: str) -> bool:
    """``|1|salt|hash``: HMAC-SHA1 of the name."""
    salt, _, digest = hosts[3:].partition("|")
    try:
        expected = hmac.new(b64decode(salt), name.encode("utf-8"), sha1).digest()
        return hmac.compare_digest(expected, b64decode(digest))
    except ValueError:
        return False
