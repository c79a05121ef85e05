"""Can one log in to the host over SSH, and is it the host that is known? RFC 4253 §8."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from pytest_v6probe.errors import DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.probes import replies
from pytest_v6probe.result import Finding, Layer

if TYPE_CHECKING:
    from pytest_v6probe.vantage import Vantage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh(Finding):
    """One login, from where this program runs (or the bastion in between) to the host.

    Verdicts: ``logged-in``; ``host-key-changed``, ``host-key-unknown``, ``host-key-revoked``;
    ``auth-refused``; ``not-ssh``, ``no-common-algorithm``, ``closed``; ``timed-out``, ``refused``,
    ``no-route`` and what else a connection can come to.
    """

    layer: ClassVar[Layer] = Layer.SSH
    speaks_of = replies.LAYERS

    fingerprint: str = ""
    """Of the host's key, as ssh prints it."""
    server_version: str = ""


def ssh(at: Vantage) -> Ssh:
    """Log in to *at* over SSH, by the address that the inventory gives and with its host key
    verified.

    A connection that is already open is not used. Raises Unobserved if the inventory names no SSH
    login for *at*.
    """
    if at.login is None:
        raise Unobserved(
            f"the inventory names no SSH login for {at.name}: set its `ssh`",
            reason="no-ssh",
            vantage=at.name,
        )
    begun = monotonic()
    try:
        session = at.login()
    except (VantageUnreachable, DeadlinePassed) as why:
        finding = Ssh(
            vantage=at.name,
            asked=f"ssh to {at.name}",
            verdict=why.reason,
            elapsed_s=monotonic() - begun,
            evidence=(replies.shown(str(why)),),
        )
    else:
        finding = Ssh(
            vantage=at.name,
            asked=f"ssh to {at.name}",
            verdict="logged-in",
            local=session.local,
            remote=session.remote,
            path=replies.path_of(session.remote, ()),
            fingerprint=session.fingerprint,
            server_version=replies.shown(session.server_version),
            elapsed_s=monotonic() - begun,
            evidence=(f"{session.host_key_type} {session.fingerprint}",),
        )
    at.witness(finding)
    return finding
