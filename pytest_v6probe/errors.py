"""What can keep v6probe from answering: the tree of its errors.

    V6ProbeError
    ├── InventoryError        the inventory file says something that cannot be meant
    ├── LabError              the lab cannot be brought up here, or was asked for what it does not have
    └── Unobserved            a question could not be put: neither a pass nor a failure of the target
        ├── VantageUnreachable    no way to the vantage (refused, unknown host key, silence, …)
        ├── AgentUnusable         the vantage answers, but no agent runs there (no python3, killed, …)
        ├── DeadlinePassed        the vantage did not finish within the time it was given
        └── DaemonNotReady        a daemon of the lab did not come up

A negative finding (refused, NXDOMAIN, silence at the target) is never an error: it is a value, see
`result`.
"""

from __future__ import annotations

from pathlib import Path


class V6ProbeError(Exception):
    """Any error that v6probe raises on purpose. The message says what was asked, what came back,
    what to do.
    """


class InventoryError(V6ProbeError):
    """The inventory cannot be read as one. *why* is the whole message; *file*, *line* and *key* say
    where.
    """

    def __init__(
        self, why: str, *, file: Path | str, line: int | None = None, key: str | None = None
    ) -> None:
        super().__init__(why)
        self.file = Path(file)
        self.line = line
        self.key = key


class LabError(V6ProbeError):
    """The lab cannot be had: a program, a right or a name is missing. The message names the command
    that helps.
    """


class Unobserved(V6ProbeError):
    """The question could not be put at this vantage. *reason* is a short code such as
    ``host-key-changed``.
    """

    def __init__(self, message: str, *, reason: str, vantage: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.vantage = vantage


class VantageUnreachable(Unobserved):
    """No transport reaches the vantage."""


class AgentUnusable(Unobserved):
    """The vantage was reached, but the agent does not run there, or stopped."""


class DeadlinePassed(Unobserved):
    """The vantage did not answer within the total time of the call."""


class DaemonNotReady(Unobserved):
    """A daemon of the lab is not ready within its time."""
