"""What does an HTTP/1.1 peer say? One request made, one response read (RFC 9110, 9112); pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    import h11

    from pytest_v6probe.result import Address

MAX_HEAD_BYTES: Final = 65536
"""The longest status line with its header section that is read."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")  # RFC 9110 §5.5, ASCII only
_TARGET = re.compile(r"[!-\"$-~]+")  # RFC 9112 §3.2: visible, and no fragment
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~%!$&'()*+,;=-]+)(?::[0-9]{1,5})?")
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One final response. *headers* keep their order, the names in lower case.

    *body* has its transfer coding removed; *complete* says whether all of it came.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool

    def header(self, name: str) -> str:
        """The value of a header field, lines of it joined by a comma (RFC 9110 §5.3); ``""``."""
        wanted = name.lower()
        return ", ".join(value for key, value in self.headers if key == wanted)


def request(
    method: str, host: Address | str, target: str, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """One request without content, after which the connection closes, unless *headers* say else.

    *host* goes into the Host field: an address, or a name or bracketed literal, perhaps with a
    port. POST, PUT and PATCH say Content-Length: 0 (RFC 9110 §8.6). Raises ValueError for
    anything that could not stand in its place or would start another line.
    """
    given = [(name, value) for name, value in headers]
    names = {name.lower() for name, _ in given}
    lines = [("Host", _host(host))] if "host" not in names else []
    if "connection" not in names:
        given.append(("Connection", "close"))
    if method in _WITH_CONTENT and "content-length" not in names:
        given.append(("Content-Length", "0"))
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"not an HTTP method: {method!r}")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"not a request target: {target!r}")
    text = f"{method} {target} HTTP/1.1\r\n"
    for name, value in lines + given:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not a header field: {name!r}: {value!r}")
        text += f"{name}: {value}\r\n"
    return f"{text}\r\n".encode("ascii")


def parse(octets: bytes, *, ended: bool, method: str = "GET") -> Response:
    """Read the response in all the octets that came for a request, 1xx responses passed over.

    *ended* says that the peer closed: that is the end of a body that announces no length. The
    answer to a *method* HEAD has no body. Octets after the response are not looked at. Raises
    ValueError where no whole, well-formed head came or the body's coding is broken.
    """
    connection, head = _head(octets, ended=ended, method=method)
    body, complete = _body(connection, ended=ended)
    return Response(
        status=head.status_code,
        reason=bytes(head.reason).decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
        ),
        body=body,
        complete=complete,
    )


def _host(host: Address | str) -> str:
    text = str(host)
    if isinstance(host, IPv6Address) or (text.count(":") > 1 and not text.startswith("[")):
        text = f"[{text.partition('%')[0]}]"  # RFC 6874 §4: a zone means nothing to the server
    if not _HOST.fullmatch(text):
        raise ValueError(f"not the host of a URL: {text!r}")
    return text


def _head(octets: bytes, *, ended: bool, method: str) -> tuple[h11.Connection, h11.Response]:
    import h11  # noqa: PLC0415  loads on first use

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    asked = "HEAD" if method == "HEAD" else "GET"
    connection.send(h11.Request(method=asked, target="/", headers=[("host", "any")]))
    connection.send(h11.EndOfMessage())
    try:
        if octets:  # none at all would mean the end to h11
            connection.receive_data(octets)
        event = connection.next_event()
        while isinstance(event, h11.InformationalResponse):
            event = connection.next_event()
    except h11.RemoteProtocolError as why:
        raise ValueError(f"not an HTTP response: {why}") from why
    if isinstance(event, h11.Response):
        return connection, event
    state = "the connection ended" if ended else "nothing more came"
    raise ValueError(f"no whole response head in {len(octets)} octets, and {state}")


def _body(connection: h11.Connection, *, ended: bool) -> tuple[bytes, bool]:
    import h11  # noqa: PLC0415  loads on first use

    parts = []
    try:
        while isinstance(event := connection.next_event(), h11.Data):
            parts.append(bytes(event.data))
    except h11.RemoteProtocolError as why:
        raise ValueError(f"the body of the response is broken: {why}") from why
    if event is h11.NEED_DATA and ended:
        try:
            connection.receive_data(b"")
            event = connection.next_event()
        except h11.RemoteProtocolError:  # RFC 9112 §8: the peer closed before the body's end
            return b"".join(parts), False
    return b"".join(parts), isinstance(event, h11.EndOfMessage)
