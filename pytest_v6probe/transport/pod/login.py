"""As whom does this machine ask a cluster's API? Tokens, client certificates and plugins, kept fresh."""

from __future__ import annotations

import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.rfc import rfc5280
from pytest_v6probe.transport.pod import kubeconfig, plugin
from pytest_v6probe.transport.pod.kubeconfig import Settings
from pytest_v6probe.transport.pod.plugin import Credential

MAX_TOKEN_BYTES = 65536
SKEW = timedelta(seconds=30)
"""So long before it expires a credential is no longer used."""


class Login:
    """The credentials of one user of a kubeconfig. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._given: Credential | None = None
        self._shown: tuple[str, str] | None = None
        self._context: ssl.SSLContext | None = None

    @property
    def renewable(self) -> bool:
        """Whether a plugin makes the credential."""
        return bool(self._settings.user.get("exec"))

    def forget(self) -> None:
        """Have the plugin asked again."""
        with self._lock:
            self._given = None

    def headers(self, end: float) -> tuple[tuple[str, str], ...]:
        """What to say in every request. Raises VantageUnreachable, DeadlinePassed."""
        user, given = self._settings.user, self._credential(end)
        authorization = ""
        if given is not None and given.token:
            authorization = f"Bearer {given.token}"
        elif user.get("tokenFile"):
            authorization = f"Bearer {self._token(str(user['tokenFile']))}"
        elif user.get("token"):
            authorization = f"Bearer {user['token']}"
        elif user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}"
            authorization = f"Basic {b64encode(pair.encode()).decode('ascii')}"
        said = [("Authorization", authorization)] if authorization else []
        if user.get("as"):
            said.append(("Impersonate-User", str(user["as"])))
            said += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()]
        if not all(value.isprintable() and value.isascii() for _, value in said):
            raise self._unusable("kubeconfig", "its user's token has characters that no token has")
        return tuple(said)

    def context(self, end: float) -> ssl.SSLContext:
        """How TLS is to be spoken: the server is verified, and shown the user's certificate.

        Raises VantageUnreachable (``client-certificate``, ``kubeconfig``), DeadlinePassed.
        """
        certificate = self._certificate(end)
        with self._lock:
            if self._context is None or certificate != self._shown:
                self._context, self._shown = self._made(*certificate), certificate
            return self._context

    def expired(self) -> str:
        """When the certificate that was shown expired, in words; empty if it did not."""
        pem = self._shown[0] if self._shown else ""
        try:
            until = rfc5280.parse(ssl.PEM_cert_to_DER_cert(_first(pem))).expires if pem else None
        except ValueError:
            return ""
        return f"expired on {until:%Y-%m-%d %H:%M} UTC" if until and until < _now() else ""

    def _credential(self, end: float) -> Credential | None:
        """What the plugin gives, asked again once that has expired; None without a plugin."""
        said = self._settings.user.get("exec")
        if not isinstance(said, dict):
            return None
        with self._lock:
            given = self._given
            if given is None or (given.expires is not None and given.expires - SKEW < _now()):
                settings = self._settings
                given = self._given = plugin.ask(
                    said, settings.cluster, settings.place, name=settings.name, end=end
                )
            return given

    def _token(self, file: str) -> str:
        """What the file holds now: a pod's token is renewed there every hour."""
        try:
            with (self._settings.place / Path(file).expanduser()).open("rb") as opened:
                return opened.read(MAX_TOKEN_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as why:
            said = why.strerror if isinstance(why, OSError) else "not ASCII"
            raise self._unusable("kubeconfig", f"its tokenFile {file}: {said}") from None

    def _certificate(self, end: float) -> tuple[str, str]:
        """The certificate and its key, in PEM; both empty where there are none."""
        given, user, place = self._credential(end), self._settings.user, self._settings.place
        if given is not None and given.certificate:
            return given.certificate, given.key
        try:
            pair = (
                kubeconfig.octets_of(user, key, place)
                for key in ("client-certificate", "client-key")
            )
            certificate, key = (octets.decode("ascii") for octets in pair)
        except OSError as why:
            raise self._unusable("client-certificate", f"{why.filename}: {why.strerror}") from None
        except (ValueError, TypeError):
            raise self._unusable("client-certificate", "its client certificate is no PEM") from None
        return certificate, key

    def _made(self, certificate: str, key: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cadata=self._settings.authority or None)
        except (ssl.SSLError, ValueError):
            raise self._unusable("kubeconfig", "its certificate-authority is no PEM") from None
        # Python 3.13 wants what the certificates of EKS do not have, and kubectl does not ask for
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.set_alpn_protocols(["http/1.1"])
        if not certificate:
            return context
        try:
            with TemporaryDirectory(prefix="v6probe-") as place:  # ssl reads them from files alone
                file = Path(place) / "pair.pem"
                file.write_text(f"{certificate}\n{key}", encoding="ascii")
                context.load_cert_chain(file, password=lambda: "")
        except OSError:  # ssl.SSLError is one
            raise self._unusable(
                "client-certificate", "its client certificate and key do not fit each other"
            ) from None
        return context

    def _unusable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self._settings.name}: {why}", reason=reason)


def _first(pem: str) -> str:
    """The first certificate of a chain, the one that is the user's own."""
    head, mark, _ = pem.partition("-----END CERTIFICATE-----")
    return head[max(0, head.find("-----BEGIN")) :] + mark


def _now() -> datetime:
    return datetime.now(UTC)
