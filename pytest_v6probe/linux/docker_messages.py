"""What does an engine mean by the words with which a pull or push failed? From 20.10 to 29.

The words are those of Go's net, crypto/x509 and net/http, of distribution's client (engines up to
28, graph drivers), of containerd's (the image store that is the default in 29) and of
distribution/reference. Pure.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_v6probe.result import Address

MAX_CHARACTERS: Final = 4096

_NAMES = (
    ("no such host", "nxdomain"),
    ("server misbehaving", "servfail"),
    ("i/o timeout", "resolver-timed-out"),
    ("connection refused", "resolver-refused"),
    ("network is unreachable", "resolver-no-route"),
)
"""What follows ``lookup NAME`` (Go, net/net.go and dnsclient_unix.go)."""

_WORDS = (
    ("invalid reference format", "invalid-reference"),
    ("must be lowercase", "invalid-reference"),
    ("server gave http response to https client", "plain-http"),
    ("tls handshake timeout", "tls-unanswered"),
    ("certificate has expired", "tls-expired"),
    ("is not yet valid", "tls-expired"),
    ("certificate is valid for", "tls-name-mismatch"),
    ("certificate is not valid for", "tls-name-mismatch"),
    ("doesn't contain any ip sans", "tls-name-mismatch"),
    ("unknown authority", "tls-untrusted"),
    ("x509:", "tls-error"),
    ("tls:", "tls-error"),
    ("network is unreachable", "no-route"),
    ("no route to host", "unreachable"),
    ("connection refused", "refused"),
    ("connection reset", "reset"),
    ("unexpected eof", "incomplete"),
    ("cannot assign requested address", "no-address"),
    ("timeout", "timed-out"),
    ("deadline exceeded", "timed-out"),
    ("request canceled", "timed-out"),
    ("timed-out", "timed-out"),
    ("toomanyrequests", "rate-limited"),
    ("no matching manifest", "no-such-platform"),
    ("no match for platform", "no-such-platform"),
    ("verification failed for digest", "digest-mismatch"),
    ("unexpected commit digest", "digest-mismatch"),
    ("does not match expected digest", "digest-mismatch"),
    ("failed to fetch anonymous token", "token-refused"),
    ("failed to fetch oauth token", "token-refused"),
    ("failed to authorize", "token-refused"),
    ("unauthorized", "unauthorised"),
    ("authentication required", "unauthorised"),
    ("no basic auth credentials", "unauthorised"),
    ("insufficient_scope", "unauthorised"),
    ("denied", "unauthorised"),
    ("forbidden", "unauthorised"),
    ("manifest unknown", "not-found"),
    ("name unknown", "not-found"),
    ("does not exist", "not-found"),
    ("not found", "not-found"),
)
"""The first that is there counts: no token for want of a route is for want of a route."""

_QUOTED = re.compile(r'"[^"]*"')
_LOOKUP = re.compile(r"\blookup [a-z0-9._-]+", re.IGNORECASE)
_DIALLED = re.compile(r"\b(?:dial|read|write) tcp (?:\S+->)?\[?([0-9a-f:.]+?)\]?:[0-9]{1,5}: ")


def verdict(error: str) -> str:
    """The verdict on *error*: a word of `EnginePull`; ``failed`` where it is none of the known
    ones.
    """
    text = _QUOTED.sub('""', error[:MAX_CHARACTERS].lower())  # names and URLs mean nothing here
    if (found := _LOOKUP.search(text)) is not None:
        named = next((word for words, word in _NAMES if words in text[found.end() :]), "")
        if named:
            return named
    return next((word for words, word in _WORDS if words in text), "failed")


def dialled(error: str) -> Address | None:
    """The address that the engine went to, where *error* says so: of whichever family."""
    found = _DIALLED.search(error[:MAX_CHARACTERS])
    try:
        return ip_address(found[1]) if found else None
    except ValueError:
        return None
