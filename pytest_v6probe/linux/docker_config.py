"""Which credentials does ~/.docker/config.json hold, and which helper is asked for which registry?

As docker/cli reads it: cli/config/configfile/file.go (GetAuthConfig, credential helpers) and
types/authconfig.go. Pure.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any, Final

HUB_KEY: Final = "https://index.docker.io/v1/"
"""Under this name the credentials of Docker Hub are kept."""
MAX_BYTES: Final = 1 << 20
TOKEN_USER: Final = "<token>"  # noqa: S105  docker-credential-helpers: the secret is an identity token

_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who a registry is to take the asker for. The secrets are not shown by `repr`."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """What a login gave instead of a password; it is exchanged for a token (OAuth 2)."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(filter(None, (self.password, self.identity_token)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerConfig:
    """What the file says of credentials."""

    auths: tuple[tuple[str, Credentials], ...] = ()
    store: str = ""
    """The helper for every registry that has none of its own."""
    helpers: tuple[tuple[str, str], ...] = ()

    def helper(self, domain: str) -> str:
        """The name of the helper that is asked for *domain*; empty: none."""
        return dict(self.helpers).get(domain) or dict(self.helpers).get(key(domain)) or self.store

    def stored(self, domain: str) -> Credentials | None:
        """The credentials that the file itself has for *domain*."""
        wanted = {domain, key(domain)}
        exact = (found for name, found in self.auths if name in wanted)
        loose = (found for name, found in self.auths if _host(name) == _host(key(domain)))
        return next(exact, None) or next(loose, None)


def key(domain: str) -> str:
    """The name under which credentials for a registry are kept."""
    return HUB_KEY if domain in _HUB else domain


def parse(octets: bytes) -> DockerConfig:
    """Read the file. Raises ValueError for what is not one; its message shows none of the
    content.
    """
    if len(octets) > MAX_BYTES:
        raise ValueError(f"a docker configuration of {len(octets)} octets")
    try:
        document = json.loads(octets)
    except (ValueError, RecursionError):
        raise ValueError("the docker configuration is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("the docker configuration is no JSON object")  # noqa: TRY004  bad text
    auths, helpers = document.get("auths"), document.get("credHelpers")
    return DockerConfig(
        auths=tuple(_auths(auths if isinstance(auths, dict) else {})),
        store=helper_name(document.get("credsStore") or ""),
        helpers=tuple(
            (name, helper_name(value))
            for name, value in (helpers if isinstance(helpers, dict) else {}).items()
        ),
    )


def read_helper(octets: bytes) -> Credentials:
    """The answer of ``docker-credential-… get``. Raises ValueError, without any of it in the
    message.
    """
    try:
        answer = json.loads(octets)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ValueError("the credential helper's answer is no JSON object")  # noqa: TRY004  bad text
    username, secret = answer.get("Username"), answer.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        raise ValueError("the credential helper's answer has no Username and Secret")
    if username == TOKEN_USER:
        return Credentials(identity_token=secret)
    return Credentials(username=username, password=secret)


def helper_name(value: Any) -> str:
    """A helper's name, that is, the end of its program's. Raises ValueError."""
    if value == "" or (isinstance(value, str) and _HELPER.fullmatch(value)):
        return str(value)
    raise ValueError(f"{str(value)[:80]!r} is not the name of a credential helper")


def _auths(entries: dict[str, Any]) -> list[tuple[str, Credentials]]:
    found = []
    for name, entry in entries.items():
        if isinstance(entry, dict) and (credentials := _credentials(entry)) is not None:
            found.append((name, credentials))
    return found


def _credentials(entry: dict[str, Any]) -> Credentials | None:
    """One entry of ``auths``; None for one that only says that a helper knows more."""
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return Credentials(identity_token=token)
    username, password = entry.get("username"), entry.get("password")
    if isinstance(auth := entry.get("auth"), str) and auth:
        try:
            text = b64decode(auth, validate=True).decode("utf-8")
        except ValueError:
            return None
        username, _, password = text.rstrip("\0").partition(":")
    if not isinstance(username, str) or not isinstance(password, str) or not username:
        return None
    return Credentials(username=username, password=password)


def _host(name: str) -> str:
    """docker/cli ConvertToHostname: scheme and path of an old key do not count."""
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]
