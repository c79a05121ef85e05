"""How is a program started on a host over SSH? The door of paramiko; which host, key and way is
`ssh_login`'s.
"""

from __future__ import annotations

import io
import logging
import shlex
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.inventory.model import Login
from pytest_v6probe.result import Endpoint
from pytest_v6probe.transport import dial, known_hosts, ssh_login
from pytest_v6probe.transport.channel import Channel, printable
from pytest_v6probe.transport.known_hosts import KnownKey
from pytest_v6probe.transport.ssh_channel import SshChannel
from pytest_v6probe.transport.ssh_login import Credentials, Plan

if TYPE_CHECKING:
    import paramiko

MAX_JUMPS = 8
KEEPALIVE_S = 30
LOGGER = "pytest_v6probe.ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSession:
    """What a connection turned out to be. An end that only a bastion knows is None."""

    local: Endpoint | None
    remote: Endpoint | None
    host_key_type: str
    fingerprint: str
    server_version: str


class SshTransport:
    """One SSH connection, made when it is first needed and again after it broke.

    *via* is another SshTransport (a bastion) or a `Dial`, and replaces ProxyJump and ProxyCommand.
    With *credentials* no file and no SSH agent is looked at. *config_file* replaces the user's and
    the system's ssh_config. The host key is always verified. *timeout_s* is for all of a
    connection.
    """

    def __init__(
        self,
        login: Login,
        *,
        config_file: Path | None = None,
        via: SshTransport | dial.Dial | None = None,
        credentials: Credentials | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._login = login
        self._config_file = config_file
        self._via = via
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._lock = threading.RLock()
        self._client: paramiko.Transport | None = None
        self._session: SshSession | None = None
        self._hops: list[SshTransport] = []

    @property
    def name(self) -> str:
        """``ssh user@[literal]:port``, the parts that the login itself names."""
        host = str(self._login.host)
        shown = f"[{host}]" if ":" in host else host
        user = f"{self._login.user}@" if self._login.user else ""
        return f"ssh {user}{shown}" + (f":{self._login.port}" if self._login.port else "")

    def session(self, *, timeout_s: float | None = None) -> SshSession:
        """Connect, if need be, and tell what was found. Raises VantageUnreachable with a reason."""
        self._connected(self._timeout_s if timeout_s is None else timeout_s)
        if self._session is None:
            raise self._unreachable("closed", "the connection was closed meanwhile")
        return self._session

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv* by the login shell there. Raises VantageUnreachable."""
        end = monotonic() + timeout_s
        client = self._connected(timeout_s)
        with self._watched(client, end, "start a program"):
            channel = client.open_session(timeout=end - monotonic())
            channel.exec_command(shlex.join(argv))
        return SshChannel(channel, name=self.name)

    def forward(self, host: str, port: int, *, timeout_s: float) -> paramiko.Channel:
        """A connection from this host to *host*, as a bastion makes it. Raises VantageUnreachable."""
        end = monotonic() + timeout_s
        client = self._connected(timeout_s)
        with self._watched(client, end, f"connect to [{host}]:{port}"):
            return client.open_channel(
                "direct-tcpip", (host, port), ("::1", 0), timeout=end - monotonic()
            )

    def close(self) -> None:
        """Close the connection and those to the bastions that were opened for it."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._session = None
            for hop in reversed(self._hops):
                hop.close()
            self._hops = []

    def _connected(self, timeout_s: float) -> paramiko.Transport:
        with self._lock:
            if self._client is not None and self._client.is_active():
                return self._client
            self.close()
            end = monotonic() + min(timeout_s, self._timeout_s)
            try:
                plan = self._plan()
                client = self._negotiated(self._socket(plan, end), plan, end)
            except Unobserved as why:
                self.close()
                why.vantage = why.vantage or self.name
                raise
            self._client = client
            return client

    def _plan(self) -> Plan:
        import paramiko

        try:
            text = "" if self._credentials else ssh_login.configuration(self._config_file)
            config = paramiko.SSHConfig.from_text(ssh_login.with_login(self._login, text))
            return ssh_login.plan(self._login, config.lookup)
        except (paramiko.SSHException, OSError, ValueError, KeyError, ImportError) as why:
            raise self._unreachable("ssh-config", f"the ssh configuration: {why}") from why

    def _socket(self, plan: Plan, end: float) -> socket.socket | paramiko.Channel:
        left_s = end - monotonic()
        if isinstance(self._via, SshTransport):
            return self._via.forward(plan.host, plan.port, timeout_s=left_s)
        if self._via is not None:
            return self._via(plan.host, plan.port, timeout_s=left_s)
        if plan.proxy_command:
            return dial.by_command(plan.proxy_command, name=self.name)
        if len(plan.jumps) > MAX_JUMPS:
            raise self._unreachable("ssh-config", f"more than {MAX_JUMPS} jumps")
        for jump in plan.jumps:
            self._hops.append(
                SshTransport(
                    jump,
                    config_file=self._config_file,
                    timeout_s=left_s,
                    via=self._hops[-1] if self._hops else dial.direct,
                )
            )
        if self._hops:
            return self._hops[-1].forward(plan.host, plan.port, timeout_s=left_s)
        return dial.direct(plan.host, plan.port, timeout_s=left_s)

    def _negotiated(self, sock: Any, plan: Plan, end: float) -> paramiko.Transport:
        import paramiko

        _quiet()
        client = paramiko.Transport(sock)
        client.set_log_channel(LOGGER)
        client.banner_timeout = client.handshake_timeout = client.auth_timeout = max(
            0.1, end - monotonic()
        )
        known = self._known(plan)
        _prefer(client, known)
        try:
            with self._watched(client, end, "shake hands"):
                done = threading.Event()
                client.start_client(event=done)
                if not done.wait(max(0.0, end - monotonic())):
                    raise TimeoutError
                if not client.is_active():
                    raise client.get_exception() or EOFError()
            self._session = self._verified(client, sock, plan, known)
            with self._watched(client, end, "log in") as late:
                self._log_in(client, plan, late)
        except BaseException:
            client.close()
            raise
        client.set_keepalive(KEEPALIVE_S)
        return client

    def _known(self, plan: Plan) -> list[KnownKey]:
        """What the known_hosts files say of this host."""
        keys = []
        if self._credentials:
            keys = known_hosts.read(self._credentials.known_hosts, source="credentials")
        else:
            for file in plan.known_hosts_files:
                if file.is_file():
                    text = file.read_text(encoding="utf-8", errors="replace")
                    keys += known_hosts.read(text, source=str(file))
        return [key for key in keys if key.is_for(plan.host_key_name, plan.host_key_port)]

    def _verified(
        self, client: paramiko.Transport, sock: Any, plan: Plan, known: Sequence[KnownKey]
    ) -> SshSession:
        """The session, if the host has a key that is known. Raises VantageUnreachable."""
        key = client.get_remote_server_key()
        shown = known_hosts.fingerprint(key.asbytes())
        said = known_hosts.verdict(known, key.get_name(), key.asbytes())
        if said != "known":
            raise self._unreachable(
                f"host-key-{said}",
                known_hosts.advice(
                    said,
                    known,
                    f"{key.get_name()} key {shown}",
                    plan.host_key_name,
                    plan.host_key_port,
                ),
            )
        local, remote = dial.ends(sock, plan.host, plan.port)
        return SshSession(
            local=local,
            remote=remote,
            host_key_type=key.get_name(),
            fingerprint=shown,
            server_version=str(client.remote_version)[:255],
        )

    def _log_in(self, client: paramiko.Transport, plan: Plan, late: threading.Event) -> None:
        """Offer each key. Raises VantageUnreachable if none is taken."""
        import paramiko

        user = self._credentials.user if self._credentials and not self._login.user else plan.user
        offered, notes = [], list[str]()
        for source, key in self._keys(plan, notes):
            offered.append(source)
            try:
                if not client.auth_publickey(user, key):
                    return
                notes.append("the server wants another factor besides the key")
            except paramiko.BadAuthenticationType as why:
                notes.append(f"the server takes only {', '.join(why.allowed_types)}")
                break
            except paramiko.AuthenticationException as why:
                if late.is_set() or "timeout" in str(why):
                    raise TimeoutError from why
                if not client.is_active():
                    notes.append(f"the server hung up ({why})")
                    break
        raise self._unreachable(
            "auth-refused",
            f"{user} is not let in; keys offered: "
            f"{', '.join(offered) or 'none'}{''.join('; ' + n for n in notes)}. Load the "
            "right key into ssh-agent, or name it by IdentityFile in ~/.ssh/config",
        )

    def _keys(self, plan: Plan, notes: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
        if self._credentials:
            key = _private_key(self._credentials.key)
            if key is None:
                raise self._unreachable("auth-refused", "the lab's key cannot be read")
            yield "the lab's key", key
            return
        yield from _file_keys(plan, notes)
        yield from _agent_keys(plan, notes, self._timeout_s)

    @contextmanager
    def _watched(
        self, client: paramiko.Transport, end: float, aim: str
    ) -> Iterator[threading.Event]:
        """Give the block until *end*, then close the connection under it; tell it so by the event.

        Foreign errors get our names.
        """
        import paramiko

        late = threading.Event()

        def cut() -> None:
            late.set()
            client.close()

        timer = threading.Timer(max(0.01, end - monotonic()), cut)
        timer.daemon = True
        timer.start()
        try:
            yield late
        except paramiko.ChannelException as why:
            raise self._unreachable("forward-refused", f"cannot {aim}: {why.text}") from why
        except (paramiko.SSHException, OSError, EOFError) as why:
            if late.is_set() or isinstance(why, TimeoutError):
                raise self._unreachable(
                    "timed-out",
                    f"could not {aim} in time: the host accepts "
                    "connections and then says too little",
                ) from why
            raise self._unreachable(*_cause(why, aim)) from why
        finally:
            timer.cancel()

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return VantageUnreachable(f"{self.name}: {why}", reason=reason, vantage=self.name)


def _quiet() -> None:
    """Silence the log of paramiko: it logs what it also raises, with tracebacks."""
    logging.getLogger(LOGGER).setLevel(logging.CRITICAL + 1)


def _prefer(client: paramiko.Transport, known: Sequence[KnownKey]) -> None:
    """Ask the server for a key of a type that is known for it, as ssh does."""
    types = {key.type for key in known if not key.marker}
    types |= {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in types else set()
    options = client.get_security_options()
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in types)


def _private_key(text: str) -> paramiko.PKey | None:
    """The key in *text*, of whatever type. Raises PasswordRequiredException if it is encrypted."""
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError, TypeError):
            continue
    return None


def _file_keys(plan: Plan, notes: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys in the files that the configuration names, or in the usual ones."""
    import paramiko

    for file in plan.key_files:
        try:
            key = _private_key(file.read_text(encoding="ascii")) if file.is_file() else None
        except paramiko.PasswordRequiredException:
            notes.append(f"{file} has a passphrase: ssh-add it")
        except (OSError, ValueError) as why:
            notes.append(f"{file} cannot be read ({why})")
        else:
            if key is not None:
                yield str(file), key


def _agent_keys(
    plan: Plan, notes: list[str], timeout_s: float
) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys in the user's SSH agent; with IdentitiesOnly, those whose public half is in a file."""
    import paramiko

    def connect() -> paramiko.Agent:
        try:
            return paramiko.Agent()
        except paramiko.SSHException as why:
            raise OSError(str(why)) from why

    public = {file.with_name(file.name + ".pub") for file in plan.key_files}
    wanted = b" ".join(file.read_bytes() for file in public if file.is_file())
    try:
        agent = dial.within(timeout_s, connect)
    except (OSError, EOFError, ValueError) as why:
        notes.append(f"the SSH agent does not answer ({why or type(why).__name__})")
        return
    try:
        for held in agent.get_keys():
            if plan.use_agent or held.get_base64().encode("ascii") in wanted:
                yield f"{held.get_name()} in the SSH agent", held
    finally:
        agent.close()


def _cause(why: BaseException, aim: str) -> tuple[str, str]:
    """The reason code and the message for an error of paramiko's."""
    import paramiko

    text = str(why) or type(why).__name__
    said = printable(text[:200].encode("utf-8", "replace"))
    if isinstance(why, paramiko.IncompatiblePeer):
        return "no-common-algorithm", f"cannot {aim}: {said}"
    if "imeout" in text:
        return "timed-out", f"could not {aim} in time"
    if "banner" in text or "protocol version" in text:
        return "not-ssh", f"what answers there does not speak SSH ({said}); is the port right?"
    return "closed", f"cannot {aim}: the connection ended ({said}); see the host's sshd log"
