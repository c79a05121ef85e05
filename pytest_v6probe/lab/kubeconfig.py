"""How does a client of the lab's cluster know server and identity? A kubeconfig, which is JSON here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from pytest_v6probe.lab import anchor

NAME = "lab"
IN_FILES = ("certificate-authority", "client-certificate", "client-key")


def text(server: str, certificate: Path) -> str:
    """One that names files: the lab's authority, and a client's *certificate* with its key."""
    files = {"client-certificate": str(certificate), "client-key": str(certificate)}
    cluster = {"server": server, "certificate-authority": anchor.AUTHORITY}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": files}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    return json.dumps(whole, indent=1)


def inlined(config: str) -> str:
    """The same as *config* with what its files say in place of their names, for who does not see
    them.
    """
    whole = json.loads(config)
    for known in (*whole["clusters"], *whole["users"]):
        _inline(known["cluster"] if "cluster" in known else known["user"])
    return json.dumps(whole, indent=1) + "\n"


def _inline(part: dict[str, Any]) -> None:
    for name in IN_FILES:
        if name in part:
            octets = Path(part.pop(name)).read_bytes()
            part[f"{name}-data"] = base64.b64encode(octets).decode("ascii")
