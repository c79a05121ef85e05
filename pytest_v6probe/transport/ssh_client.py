"""What is one SSH connection? The door of paramiko: it shakes hands, verifies the host, logs in and
starts programs.
"""

from __future__ import annotations

import io
import logging
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.result import Endpoint
from pytest_v6probe.transport import dial, known_hosts
from pytest_v6probe.transport.channel import Channel, printable
from pytest_v6probe.transport.known_hosts import KnownKey
from pytest_v6probe.transport.ssh_channel import SshChannel
from pytest_v6probe.transport.ssh_login import Credentials, Plan

if TYPE_CHECKING:
    import paramiko

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


def look_up(text: str) -> Callable[[str], Mapping[str, Any]]:
    """The options that the ssh_config *text* gives an alias. Raises ValueError."""
    import paramiko

    try:
        found: Callable[[str], Mapping[str, Any]] = paramiko.SSHConfig.from_text(text).lookup
    except (paramiko.SSHException, KeyError) as why:
        raise ValueError(str(why)) from why
    return found


class SshClient:
    """A connection whose host is verified and that is logged in. Made by `connect`."""

    def __init__(self, client: paramiko.Transport, session: SshSession, *, name: str) -> None:
        self._client = client
        self._name = name
        self.session = session

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return bool(self._client.is_active())

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv* by the login shell. Raises VantageUnreachable; the programs that run over
        this connection go on.
        """
        import paramiko

        end = monotonic() + timeout_s

        def run() -> paramiko.Channel:
            channel = self._client.open_session(timeout=end - monotonic())
            channel.exec_command(shlex.join(argv))
            return channel

        with _named(self._name, "start a program"):
            return SshChannel(dial.within(timeout_s, run, paramiko.SSHException), name=self._name)

    def forward(self, host: str, port: int, *, timeout_s: float) -> paramiko.Channel:
        """A connection from that host to *host*, as a bastion makes it. Raises VantageUnreachable."""
        with _named(self._name, f"connect to [{host}]:{port}"):
            return self._client.open_channel(
                "direct-tcpip", (host, port), ("::1", 0), timeout=timeout_s
            )

    def close(self) -> None:
        """End the connection, and with it all that runs over it."""
        self._client.close()


def connect(
    sock: Any, plan: Plan, *, credentials: Credentials | None, name: str, timeout_s: float
) -> SshClient:
    """Shake hands over the connected *sock*, verify the host's key and log in.

    With *credentials* no file and no SSH agent is looked at. *name* is what messages call this
    way. Raises VantageUnreachable; *sock* is closed then.
    """
    import paramiko

    end = monotonic() + timeout_s
    logging.getLogger(LOGGER).setLevel(logging.CRITICAL + 1)  # what it logs it also raises
    client = paramiko.Transport(sock)
    client.set_log_channel(LOGGER)
    client.banner_timeout = client.handshake_timeout = client.auth_timeout = max(0.1, timeout_s)
    known = _known(plan, credentials)
    _prefer(client, known)
    try:
        with _watched(client, name, end, "shake hands"):
            _shake_hands(client, end)
        session = _verified(client, sock, plan, known, name)
        with _watched(client, name, end, "log in") as late:
            _log_in(client, plan, credentials, name=name, end=end, late=late)
    except BaseException:
        client.close()
        raise
    client.set_keepalive(KEEPALIVE_S)
    return SshClient(client, session, name=name)


def _shake_hands(client: paramiko.Transport, end: float) -> None:
    done = threading.Event()
    client.start_client(event=done)
    if not done.wait(max(0.0, end - monotonic())):
        raise TimeoutError
    if not client.is_active():
        raise client.get_exception() or EOFError()


def _known(plan: Plan, credentials: Credentials | None) -> list[KnownKey]:
    """What the known_hosts files say of this host."""
    keys = []
    if credentials:
        keys = known_hosts.read(credentials.known_hosts, source="credentials")
    else:
        for file in plan.known_hosts_files:
            if file.is_file():
                text = file.read_text(encoding="utf-8", errors="replace")
                keys += known_hosts.read(text, source=str(file))
    return [key for key in keys if key.is_for(plan.host_key_name, plan.host_key_port)]


def _verified(
    client: paramiko.Transport, sock: Any, plan: Plan, known: Sequence[KnownKey], name: str
) -> SshSession:
    """The session, if the host has a key that is known. Raises VantageUnreachable."""
    key = client.get_remote_server_key()
    shown = known_hosts.fingerprint(key.asbytes())
    said = known_hosts.verdict(known, key.get_name(), key.asbytes())
    if said != "known":
        raise unreachable(
            name,
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


def _log_in(
    client: paramiko.Transport,
    plan: Plan,
    credentials: Credentials | None,
    *,
    name: str,
    end: float,
    late: threading.Event,
) -> None:
    """Offer each key. Raises VantageUnreachable if none is taken."""
    import paramiko

    offered, notes = [], list[str]()
    for source, key in _keys(plan, credentials, name, notes, end):
        offered.append(source)
        try:
            if not client.auth_publickey(plan.user, key):
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
    raise unreachable(
        name,
        "auth-refused",
        f"{plan.user} is not let in; keys offered: "
        f"{', '.join(offered) or 'none'}{''.join('; ' + n for n in notes)}. Load the "
        "right key into ssh-agent, or name it by IdentityFile in ~/.ssh/config",
    )


def _keys(
    plan: Plan, credentials: Credentials | None, name: str, notes: list[str], end: float
) -> Iterator[tuple[str, paramiko.PKey]]:
    if credentials:
        key = _private_key(credentials.key)
        if key is None:
            raise unreachable(name, "auth-refused", "the lab's key cannot be read")
        yield "the lab's key", key
        return
    yield from _file_keys(plan, notes)
    yield from _agent_keys(plan, notes, end)


@contextmanager
def _watched(
    client: paramiko.Transport, name: str, end: float, aim: str
) -> Iterator[threading.Event]:
    """Give the block until *end*, then close the connection under it; tell it so by the event."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        client.close()

    timer = threading.Timer(max(0.01, end - monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        with _named(name, aim, late):
            yield late
    finally:
        timer.cancel()


@contextmanager
def _named(name: str, aim: str, late: threading.Event | None = None) -> Iterator[None]:
    """Give foreign errors our names. *late* is set once the time is over."""
    import paramiko

    try:
        yield
    except paramiko.ChannelException as why:
        raise unreachable(name, "forward-refused", f"cannot {aim}: {why.text}") from why
    except (paramiko.SSHException, OSError, EOFError) as why:
        if isinstance(why, TimeoutError) or (late is not None and late.is_set()):
            raise unreachable(
                name,
                "timed-out",
                f"could not {aim} in time: the host accepts connections and then says too little",
            ) from why
        raise unreachable(name, *_cause(why, aim)) from why


def unreachable(name: str, reason: str, why: str) -> VantageUnreachable:
    """The error for the way that is called *name*."""
    return VantageUnreachable(f"{name}: {why}", reason=reason, vantage=name)


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


def _agent_keys(plan: Plan, notes: list[str], end: float) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys in the user's SSH agent; with IdentitiesOnly, those whose public half is in a file."""
    import paramiko

    public = {file.with_name(file.name + ".pub") for file in plan.key_files}
    wanted = b" ".join(file.read_bytes() for file in public if file.is_file())
    try:
        agent = dial.within(end - monotonic(), paramiko.Agent, paramiko.SSHException)
    except (OSError, EOFError, ValueError, paramiko.SSHException) as why:
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
