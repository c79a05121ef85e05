"""What does a server want before it answers? Challenges of WWW-Authenticate (RFC 9110 §11.6.1, RFC
6750 §3), and the token that a registry's realm gives (distribution, docs/spec/auth/token.md).
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

MAX_CHALLENGE_CHARACTERS: Final = 8192
MAX_TOKEN_CHARACTERS: Final = 16384
"""Longer than any registry's: those of Docker Hub have about 3,000."""
MAX_ANSWER_BYTES: Final = 65536

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))")  # RFC 9110 §11.2
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')  # RFC 9110 §5.6.4
_SPACES = re.compile(r"[ \t]*")
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge: the scheme in lower case, and its parameters, their names in lower case."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The value of the parameter *name*; ``""``."""
        return dict(self.parameters).get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token. It is a credential: `repr` does not show it."""

    value: str = field(repr=False)


def challenges(text: str) -> tuple[Challenge, ...]:
    """Every challenge in a WWW-Authenticate field. Raises ValueError for what is no list of
    them.
    """
    if len(text) > MAX_CHALLENGE_CHARACTERS:
        raise ValueError(f"a challenge of {len(text)} characters")
    found: list[tuple[str, list[tuple[str, str]]]] = []
    at = 0
    while at < len(text):
        at = _past(_SPACES, text, at)
        if text[at : at + 1] == ",":
            at += 1
            continue
        if at == len(text):
            break
        word, at = _word(text, at)
        after = _past(_SPACES, text, at)
        if found and text[after : after + 1] == "=":
            value, at = _value(text, _past(_SPACES, text, after + 1))
            found[-1][1].append((word.lower(), value))
        else:
            found.append((word.lower(), []))
            at = _past_token68(text, at, after)
    return tuple(Challenge(scheme=scheme, parameters=tuple(pairs)) for scheme, pairs in found)


def realm(challenge: Challenge) -> str:
    """The URL that gives tokens. Raises ValueError where it is none."""
    text = challenge.get("realm")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or "#" in text or not parts.netloc:
        raise ValueError(f"{text[:80]!r} is not the URL of a realm")
    return text


def token_url(challenge: Challenge, *, scope: str, account: str = "") -> str:
    """The URL that is asked for a token of *scope*. Raises ValueError as `realm`."""
    text = realm(challenge)
    named = [("service", challenge.get("service")), ("scope", scope), ("account", account)]
    query = urlencode([(key, value) for key, value in named if value], quote_via=quote, safe=":/")
    return f"{text}{'&' if urlsplit(text).query else '?'}{query}"


def token_form(challenge: Challenge, *, scope: str, identity_token: str) -> bytes:
    """The body of a POST to the realm that exchanges *identity_token* (distribution,
    docs/spec/auth/oauth.md; RFC 6749 §6).
    """
    named = {
        "grant_type": "refresh_token",
        "service": challenge.get("service"),
        "client_id": "pytest-v6probe",
        "scope": scope,
        "refresh_token": identity_token,
    }
    return urlencode(named).encode("ascii")


def read_token(octets: bytes) -> Token:
    """The token in a realm's answer (``token``, or as RFC 6749 names it ``access_token``). Raises
    ValueError.
    """
    if len(octets) > MAX_ANSWER_BYTES:
        raise ValueError(f"a token's answer of {len(octets)} octets")
    try:
        answer: Any = json.loads(octets)
    except (ValueError, RecursionError):
        raise ValueError("the realm's answer is not JSON") from None
    value = (
        (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
    )
    if not isinstance(value, str) or len(value) > MAX_TOKEN_CHARACTERS:
        raise ValueError("the realm's answer has no token in it")
    if not _BEARER.fullmatch(value):
        raise ValueError("what the realm calls a token cannot stand in a header")
    return Token(value=value)


def basic(username: str, password: str) -> str:
    """The value of an Authorization field (RFC 7617 §2). Raises ValueError for a colon in
    *username*.
    """
    if ":" in username:
        raise ValueError("a user's name for basic authentication has no colon")
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def _word(text: str, at: int) -> tuple[str, int]:
    if (found := _TOKEN.match(text, at)) is None:
        raise ValueError(f"no word at character {at} of a challenge")
    return found[0], found.end()


def _value(text: str, at: int) -> tuple[str, int]:
    if (quoted := _QUOTED.match(text, at)) is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    return _word(text, at)


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _past_token68(text: str, at: int, after: int) -> int:
    """Behind a scheme's single token (``Negotiate YII=``), which says nothing here."""
    parameter = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*[^=, \t]").match(text, after)
    return at if parameter else _past(_TOKEN68, text, after)
