"""Which token does a registry's client get? A small token service that starts fast.

Run as a program with a JSON file of options. After
https://distribution.github.io/distribution/spec/auth/token/, auth/jwt/ and auth/oauth/.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

IDLE_S = 10.0
LIFE_S = 300  # what Docker Hub gives
MAX_FORM_BYTES = 16384
REFUSED = {"details": "incorrect username or password"}  # the words of auth.docker.io


class Tokens:
    """The options, and the key that signs."""

    def __init__(self, options: dict[str, Any]) -> None:
        sys.path.insert(0, str(Path(__file__).parents[3]))
        from pytest_v6probe.lab import certificates  # noqa: PLC0415  found by the line above

        self.options = options
        pem = Path(options["certificate"]).read_text(encoding="ascii")
        first = pem.partition("-----END CERTIFICATE-----")[0].partition("-----\n")[2]
        self._chain = ["".join(first.split())]
        self._sign = certificates.signer(pem)

    def answer(self, form: dict[str, str], basic: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON for a request whose query or form is *form*, with what it says after
        ``Authorization: Basic``.
        """
        user, password = form.get("username", ""), form.get("password", "")
        if basic:
            user, _, password = unpacked(basic).partition(":")
        known = self.options["users"].get(user, secrets.token_hex())
        wrong = user != "" and not hmac.compare_digest(known.encode(), password.encode())
        if self.options["refuses"] or wrong:
            return 401, REFUSED
        token = self.token(user, form.get("scope", ""))
        return 200, {
            "token": token,
            "access_token": token,
            "scope": form.get("scope", ""),
            "expires_in": LIFE_S,
            "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    def token(self, user: str, scope: str) -> str:
        """A JSON Web Token (RFC 7519) for what *user* may do of *scope*."""
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "x5c": self._chain}
        claims = {
            "iss": self.options["issuer"],
            "sub": user,
            "aud": self.options["service"],
            "exp": now + LIFE_S,
            "nbf": now - 10,
            "iat": now,
            "jti": secrets.token_urlsafe(12),
            "access": self.access(user, scope),
        }
        text = b".".join(packed(json.dumps(part).encode()) for part in (header, claims))
        return (text + b"." + packed(self._sign(text))).decode("ascii")

    def access(self, user: str, scope: str) -> list[dict[str, Any]]:
        """Who has logged in may do everything, anybody may pull what is public."""
        granted = []
        for one in scope.split():
            kind, _, rest = one.partition(":")
            name, _, wanted = rest.rpartition(":")
            public = name.startswith(tuple(self.options["public"]))
            allowed = {"pull", "push", "delete"} if user else {"pull"} if public else set()
            actions = [action for action in wanted.split(",") if action in allowed]
            if actions:
                granted.append({"type": kind, "name": name, "actions": actions})
        return granted


def packed(octets: bytes) -> bytes:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def unpacked(basic: str) -> str:
    """``user:password`` out of base64 (RFC 7617 §2); empty where it is not that."""
    try:
        return base64.b64decode(basic, validate=True).decode("utf-8")
    except ValueError:
        return ""


class Requests(BaseHTTPRequestHandler):
    """One connection; GET with a query, or POST with a form (OAuth 2)."""

    timeout = IDLE_S
    tokens: Tokens

    def do_GET(self) -> None:
        """Answer a token request whose parameters are in its query."""
        self._reply(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a token request whose parameters are in its body."""
        length = self.headers.get("Content-Length", "0")
        octets = min(int(length), MAX_FORM_BYTES) if length.isdecimal() else 0
        self._reply(self.rfile.read(octets).decode("utf-8", "replace"))

    def _reply(self, text: str) -> None:
        form = {name: " ".join(values) for name, values in parse_qs(text).items()}
        scheme, _, basic = self.headers.get("Authorization", "").partition(" ")
        status, said = self.tokens.answer(form, basic if scheme.lower() == "basic" else "")
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Door(ThreadingHTTPServer):
    """Takes connections on one address, over TLS; the handshake is the connection's own affair."""

    daemon_threads = True

    def __init__(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), Requests)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind, and ask nobody for the name of the address."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up, and ask with octets that are no TLS."""
        del request
        print(f"{client_address[0]}: {sys.exc_info()[1]}", file=sys.stderr)  # noqa: T201  its log


def main() -> None:
    """Serve on every address of the options file named by the first argument."""
    options = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Requests.tokens = Tokens(options)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options["certificate"])
    doors = [Door(address, options["port"], tls) for address in options["listen"]]
    for door in doors[1:]:
        threading.Thread(target=door.serve_forever, daemon=True).start()
    doors[0].serve_forever()


if __name__ == "__main__":
    main()
