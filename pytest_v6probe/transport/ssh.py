"""How is a program started on a host over SSH? Over one connection, made again when it broke; which
host, key and way is `ssh_login`'s, the connection itself `ssh_client`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.inventory.model import Login
from pytest_v6probe.transport import dial, ssh_client, ssh_login
from pytest_v6probe.transport.channel import Channel
from pytest_v6probe.transport.ssh_client import SshClient, SshSession
from pytest_v6probe.transport.ssh_login import Credentials, Plan

T = TypeVar("T")

MAX_JUMPS = 8
STALLED_S = 2.0
"""A connection that was there before is given at least so long before a new one is made."""


class SshTransport:
    """One SSH connection, made when it is first needed and again after it broke or stalled.

    After its host had no way to answer, TCP waits before it tries again, longer each time (RFC
    6298, section 5): a new connection is the quicker one. What runs over the old one goes on.

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
        self._client: SshClient | None = None
        self._hops: list[SshTransport] = []
        self._left: list[tuple[SshClient, list[SshTransport]]] = []
        """Connections that stalled, each with those to its bastions."""

    @property
    def name(self) -> str:
        """``ssh user@[literal]:port``, the parts that the login itself names."""
        host = str(self._login.host)
        shown = f"[{host}]" if ":" in host else host
        user = f"{self._login.user}@" if self._login.user else ""
        return f"ssh {user}{shown}" + (f":{self._login.port}" if self._login.port else "")

    def session(self, *, timeout_s: float | None = None) -> SshSession:
        """Connect, if need be, and tell what was found. Raises VantageUnreachable with a reason."""
        return self._connected(self._timeout_s if timeout_s is None else timeout_s).session

    def start(self, argv: Sequence[str], *, timeout_s: float) -> Channel:
        """Start *argv* by the login shell there. Raises VantageUnreachable."""
        return self._over(
            lambda client, left_s: client.start(argv, timeout_s=left_s), timeout_s=timeout_s
        )

    def forward(self, host: str, port: int, *, timeout_s: float) -> Any:
        """A connection from this host to *host*, as a bastion makes it: as much of a socket as SSH
        needs. Raises VantageUnreachable.
        """
        return self._over(
            lambda client, left_s: client.forward(host, port, timeout_s=left_s),
            timeout_s=timeout_s,
        )

    def close(self) -> None:
        """Close the connection and those to the bastions that were opened for it."""
        with self._lock:
            self._leave()
            for client, _ in self._left:
                client.close()
            self._sweep()

    def _over(self, act: Callable[[SshClient, float], T], *, timeout_s: float) -> T:
        """What *act* makes of the connection; of a new one where the old one stalled or ended."""
        end = monotonic() + timeout_s
        client = self._client
        if client is not None and client.alive:
            patience_s = max(STALLED_S, timeout_s / 2)
            try:
                return act(client, min(timeout_s, patience_s))
            except VantageUnreachable as why:
                if why.reason not in {"timed-out", "closed"} or patience_s >= timeout_s:
                    raise
            with self._lock:
                if self._client is client:
                    self._leave()
        return act(self._connected(end - monotonic()), end - monotonic())

    def _connected(self, timeout_s: float) -> SshClient:
        with self._lock:
            if self._client is not None and self._client.alive:
                return self._client
            self._leave()
            end = monotonic() + min(timeout_s, self._timeout_s)
            try:
                plan = self._plan()
                self._client = ssh_client.connect(
                    self._socket(plan, end),
                    plan,
                    credentials=self._credentials,
                    name=self.name,
                    timeout_s=end - monotonic(),
                )
            except Unobserved as why:
                self._leave()
                why.vantage = why.vantage or self.name
                raise
            return self._client

    def _leave(self) -> None:
        """Have no connection any more, but end none that something may still run over."""
        if self._client is not None:
            self._left.append((self._client, self._hops))
        else:
            _close(self._hops)
        self._client, self._hops = None, []
        self._sweep()

    def _sweep(self) -> None:
        """Forget the connections that have ended, and close those to their bastions."""
        ended = [hops for client, hops in self._left if not client.alive]
        self._left = [(client, hops) for client, hops in self._left if client.alive]
        for hops in ended:
            _close(hops)

    def _plan(self) -> Plan:
        try:
            text = "" if self._credentials else ssh_login.configuration(self._config_file)
            look_up = ssh_client.look_up(ssh_login.with_login(self._login, text))
            plan = ssh_login.plan(self._login, look_up)
        except (OSError, ValueError, KeyError, ImportError) as why:
            raise self._unreachable("ssh-config", f"the ssh configuration: {why}") from why
        if self._credentials and not self._login.user:
            return replace(plan, user=self._credentials.user)
        return plan

    def _socket(self, plan: Plan, end: float) -> Any:
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

    def _unreachable(self, reason: str, why: str) -> VantageUnreachable:
        return ssh_client.unreachable(self.name, reason, why)


def _close(hops: Sequence[SshTransport]) -> None:
    for hop in reversed(hops):
        hop.close()
