"""Does a registry answer, and what does it want before it gives anything? /v2/, its challenge, the
realm's token.

The password and the token are credentials: they are in the requests, and in no hop.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_v6probe.probes import registry_names
from pytest_v6probe.probes.registry_walk import fetch
from pytest_v6probe.rfc import rfc6750

if TYPE_CHECKING:
    from pytest_v6probe.linux.docker_config import Credentials
    from pytest_v6probe.probes.registry_hop import Fetch
    from pytest_v6probe.probes.registry_walk import Walk
    from pytest_v6probe.rfc.rfc6750 import Challenge

Headers = tuple[tuple[str, str], ...]
_REFUSED = frozenset({"unauthorised", "not-found", "status-400"})


def login(
    walk: Walk, base: str, repository: str, credentials: Credentials | None
) -> Headers | None:
    """Ask *base* (``https://registry/v2/``), and its realm if it names one; the headers with which
    *repository* may then be asked for. None: it goes no further, and the last hop says why.
    """
    walk.secrets.update(credentials.secrets if credentials else ())
    first = walk.get(fetch("registry", base))
    if first.verdict != "unauthorised" or first.response is None or first.response.status != 401:
        return () if first.verdict == "ok" else None
    try:
        wanted = rfc6750.challenges(first.response.header("www-authenticate"))
    except ValueError:
        walk.amend(first, verdict="garbage", said="its challenge cannot be read")
        return None
    bearer = next((c for c in wanted if c.scheme == "bearer"), None)
    if bearer is not None:
        walk.amend(first, verdict="token-wanted")
        return _token(walk, base, bearer, f"repository:{repository}:pull", credentials)
    if any(c.scheme == "basic" for c in wanted) and credentials and credentials.password:
        walk.amend(first, verdict="token-wanted", said="a password")
        return _password(walk, credentials)
    return None


def _token(
    walk: Walk, base: str, challenge: Challenge, scope: str, credentials: Credentials | None
) -> Headers | None:
    request = _request(walk, base, challenge, scope, credentials)
    if request is None:
        return None
    got = walk.get(request)
    if got.verdict in _REFUSED:
        walk.amend(got, verdict="token-refused")
    if got.verdict != "ok" or got.response is None:
        return None
    try:
        token = rfc6750.read_token(got.response.body)
    except ValueError as why:
        walk.amend(got, verdict="garbage", said=str(why))
        return None
    walk.secrets.add(token.value)
    return (("Authorization", f"Bearer {token.value}"),)


def _request(
    walk: Walk, base: str, challenge: Challenge, scope: str, credentials: Credentials | None
) -> Fetch | None:
    """The request to the realm; None, and a hop that says why, where the realm is not to be
    asked.
    """
    registry = fetch("token", base)
    identity = credentials.identity_token if credentials else ""
    try:
        realm = rfc6750.realm(challenge)
        asked = realm if identity else rfc6750.token_url(challenge, scope=scope)
    except ValueError as why:
        walk.blame("token", registry.parts.authority, verdict="garbage", said=str(why))
        return None
    parts, text, refused = registry_names.target(asked, base=registry.parts, base_text=base)
    if parts is None:
        host = asked.partition("://")[2].partition("/")[0][:255]
        walk.blame("token", host, verdict=refused, said="the realm that the registry names")
        return None
    form = rfc6750.token_form(challenge, scope=scope, identity_token=identity) if identity else b""
    return replace(
        registry,
        parts=parts,
        text=text,
        headers=_password(walk, credentials) if credentials and credentials.password else (),
        content=form,
        trusted=parts.authority == registry.parts.authority,
    )


def _password(walk: Walk, credentials: Credentials) -> Headers:
    value = rfc6750.basic(credentials.username, credentials.password)
    walk.secrets.add(value.partition(" ")[2])
    return (("Authorization", value),)
