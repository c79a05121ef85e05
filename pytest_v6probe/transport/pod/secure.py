"""How is TLS spoken over whatever carries octets: a socket, or a forwarded connection of SSH's?"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from pytest_v6probe.errors import AgentUnusable, DeadlinePassed, VantageUnreachable

T = TypeVar("T")

CHUNK_BYTES = 1 << 18

_VERIFY = {
    10: ("certificate-expired", "the server's certificate has expired; renew it (kubeadm certs)"),
    9: (
        "certificate-not-yet",
        "the server's certificate is not yet good; is the clock here right?",
    ),
    62: ("certificate-name", "set `tls-server-name`, or have the name put into the certificate"),
    64: ("certificate-name", "the address is not in the certificate; set `tls-server-name`"),
}
"""What OpenSSL's verification said no for (openssl-verification-options(1)), and what helps."""
_UNKNOWN = ("certificate-unknown", "is `certificate-authority-data` that of this cluster?")


class SecureChannel:
    """A `Channel` of TLS over *carrier*, which it owns: anything with send, recv, settimeout, close."""

    def __init__(self, carrier: Any, *, name: str) -> None:
        self._carrier = carrier
        self._name = name
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._unsent = b""
        self._early = b""

    def shake_hands(self, context: ssl.SSLContext, server_name: str, end: float) -> None:
        """Begin. Raises VantageUnreachable for a server that cannot be trusted, DeadlinePassed."""
        try:
            self._tls = context.wrap_bio(self._heard, self._said, server_hostname=server_name)
            self._step(self._tls.do_handshake, end)
        except ssl.SSLCertVerificationError as why:
            reason, advice = _VERIFY.get(why.verify_code, _UNKNOWN)
            raise self._unreachable(reason, f"{why.verify_message}: {advice}") from why
        except ssl.SSLError as why:
            raise self._tls_failed(why) from why
        except DeadlinePassed as why:
            raise DeadlinePassed(
                f"{self._name}: TLS: the server says nothing", reason="deadline-passed"
            ) from why
        except (OSError, EOFError, ValueError) as why:
            said = str(why) or "it hangs up"
            raise self._unreachable("api-closed", f"TLS: {said}; is it the API's port?") from why

    def send(self, octets: bytes, *, timeout_s: float) -> None:
        """Write all of *octets*. Raises DeadlinePassed, or AgentUnusable if the peer is gone."""
        end = monotonic() + timeout_s
        left = memoryview(octets)
        try:
            while left:
                left = left[self._step(partial(self._open.write, left[:CHUNK_BYTES]), end) :]
        except (OSError, EOFError) as why:
            with suppress(DeadlinePassed):
                self._early += self.receive(timeout_s=0)  # TLS may have been told why
            raise AgentUnusable(
                f"{self._name}: the connection is gone ({why or 'closed'})", reason="agent-died"
            ) from why

    def receive(self, *, timeout_s: float) -> bytes:
        """The next octets; ``b""`` at the end. Raises DeadlinePassed, or VantageUnreachable where
        TLS says no.
        """
        if self._early:
            octets, self._early = self._early, b""
            return octets
        try:
            return self._step(lambda: self._open.read(CHUNK_BYTES), monotonic() + timeout_s)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as why:  # under TLS 1.3 a refused client certificate shows here
            raise self._tls_failed(why) from why
        except (OSError, EOFError):
            return b""

    def last_words(self) -> str:
        """Nothing: a connection has no standard error."""
        return ""

    def close(self) -> None:
        """Close the connection. May be called twice."""
        with suppress(OSError, EOFError):
            self._carrier.close()

    @property
    def _open(self) -> ssl.SSLObject:
        if self._tls is None:
            raise EOFError
        return self._tls

    def _step(self, act: Callable[[], T], end: float) -> T:
        """What *act* returns once enough has come, and gone."""
        while True:
            try:
                done = act()
            except ssl.SSLWantReadError:
                with suppress(OSError, EOFError):
                    self._flush(end)
                self._fill(end)
                continue
            except ssl.SSLError:
                with suppress(OSError, EOFError, DeadlinePassed):
                    self._flush(end)  # the alert that tells the server why
                raise
            self._flush(end)
            return done

    def _flush(self, end: float) -> None:
        self._unsent += self._said.read()
        while self._unsent:
            self._wait_until(end)
            try:
                sent = self._carrier.send(self._unsent)
                if not sent:  # as paramiko says it
                    raise EOFError
                self._unsent = self._unsent[sent:]
            except TimeoutError as why:
                raise self._late() from why
            except (OSError, EOFError):
                self._unsent = b""  # the peer is gone: what it said before can still be read
                raise

    def _fill(self, end: float) -> None:
        self._wait_until(end)
        try:
            octets = self._carrier.recv(CHUNK_BYTES)
        except TimeoutError as why:
            raise self._late() from why
        if octets:
            self._heard.write(octets)
        else:
            self._heard.write_eof()

    def _wait_until(self, end: float) -> None:
        self._carrier.settimeout(max(0.001, end - monotonic()))

    def _late(self) -> DeadlinePassed:
        return DeadlinePassed(f"{self._name}: silence", reason="deadline-passed")

    def _tls_failed(self, why: ssl.SSLError) -> VantageUnreachable:
        """The error for a TLS that failed; an alert about a certificate is the server's no to ours."""
        told = why.reason or ""
        if "ALERT" in told and any(mark in told for mark in ("CERTIFICATE", "CA", "DENIED")):
            return self._unreachable(
                "client-certificate", f"TLS: {told}: the server refuses the client certificate"
            )
        return self._unreachable("api-closed", f"TLS: {told or why}; is it the API's port?")

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self._name}: {why}", reason=reason)
