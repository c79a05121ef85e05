"""Where is a cluster's API, and as whom is it asked? What a kubeconfig says, as kubectl reads it.

The door of the kubernetes client, whose loader reads what is YAML and not JSON. What it says in an
error may hold secrets, so no message here has any of it.
"""

from __future__ import annotations

import io
import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.kube import Cluster

MAX_BYTES = 8 << 20
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the credentials of its own account (kubernetes.io, "Accessing the API from a
Pod").
"""
SHOWN_CONTEXTS = 20
HTTPS_PORT = 443

_LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}
_SHAPES = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One context of a kubeconfig. *name* is what messages call it: its file and its context."""

    name: str
    host: str
    """A name or a literal, without brackets."""
    port: int
    path: str = ""
    """What comes before every path of the API, where a proxy has several clusters."""
    server_name: str = ""
    """The name that the server's certificate must bear; empty: *host*."""
    authority: str = ""
    """Certificates in PEM; empty: those that this machine trusts."""
    user: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cluster: Mapping[str, Any] = field(default_factory=dict, repr=False)
    place: Path = field(default_factory=Path)
    """Where the user's relative files are."""

    @property
    def url(self) -> str:
        """The server, as the kubeconfig has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}{self.path}"


def settings(spec: Cluster) -> Settings:
    """What the kubeconfig of *spec* says of its context.

    Raises VantageUnreachable: ``kubeconfig-absent``, ``kubeconfig``, ``context-absent``, and
    ``insecure-kubeconfig`` where the server's certificate would not be verified.
    """
    files = _files(spec)
    there = [file for file in files if file.is_file()]
    if not there:
        inside = None if spec.kubeconfig else _in_cluster()
        if inside is not None:
            return inside
        raise _unusable(
            _called(files, spec.context),
            "kubeconfig-absent",
            "there is no such file; write one by `aws eks update-kubeconfig`, `gcloud container "
            "clusters get-credentials` or `az aks get-credentials`, or set the cluster's `kubeconfig`",
        )
    found = [(file.absolute().parent, _read(file, _called(files, spec.context))) for file in there]
    context = spec.context or next(
        (str(said["current-context"]) for _, said in found if said.get("current-context")), ""
    )
    return _settings(found, context, _called(files, context))


def octets_of(source: Mapping[str, Any], key: str, place: Path) -> bytes:
    """What ``KEY-data`` of *source* holds, else the file that ``KEY`` names; empty without either.

    Raises OSError, ValueError or TypeError.
    """
    data = source.get(f"{key}-data")
    if data:
        return b64decode(data, validate=False)
    file = source.get(key)
    if not file:
        return b""
    with (place / Path(file).expanduser()).open("rb") as opened:
        return opened.read(MAX_BYTES)


def _files(spec: Cluster) -> list[Path]:
    """The files to merge: the inventory's, those in KUBECONFIG, or kubectl's own."""
    if spec.kubeconfig:
        return [Path(spec.kubeconfig).expanduser()]
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part).expanduser() for part in named] or [Path.home() / ".kube" / "config"]


def _called(files: list[Path], context: str) -> str:
    return f"kubeconfig {os.pathsep.join(map(str, files))}, context {context or '(current)'}"


def _read(file: Path, name: str) -> dict[str, Any]:
    """One file: JSON by itself, YAML by the kubernetes client's loader."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        said = why.strerror if isinstance(why, OSError) else "not UTF-8"
        raise _unusable(name, "kubeconfig", f"{file} cannot be read: {said}") from None
    if len(text) > MAX_BYTES:
        raise _unusable(name, "kubeconfig", f"{file} has more than {MAX_BYTES >> 20} MiB")
    said = _json(text) if text.lstrip().startswith("{") else None
    said = _yaml(text, file, name) if said is None else said
    if not isinstance(said, dict) or not any(key in said for key in _LISTS):
        raise _unusable(name, "kubeconfig", f"{file} is no kubeconfig: it names no clusters")
    return said


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _yaml(text: str, file: Path, name: str) -> Any:
    from kubernetes.config import config_exception, kube_config  # noqa: PLC0415  loads on first use

    try:
        return kube_config.KubeConfigMerger(io.StringIO(text)).config
    except config_exception.ConfigException:
        return None
    except (kube_config.yaml.YAMLError, *_SHAPES) as why:
        mark = getattr(why, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise _unusable(name, "kubeconfig", f"{file} is not YAML{where}") from None


def _settings(found: list[tuple[Path, dict[str, Any]]], context: str, name: str) -> Settings:
    contexts = dict(_named(found, "contexts"))
    if context not in contexts:
        known = ", ".join(sorted(contexts)[:SHOWN_CONTEXTS]) or "none"
        what = f"there is no context {context!r}" if context else "it names no current context"
        raise _unusable(name, "context-absent", f"{what}; it has: {known}")
    _, chosen = contexts[context]
    clusters, users = dict(_named(found, "clusters")), dict(_named(found, "users"))
    try:
        place, cluster = clusters[chosen["cluster"]]
        home, user = users[chosen["user"]] if chosen.get("user") else (place, {})
    except (KeyError, TypeError):
        raise _unusable(
            name, "kubeconfig", "the context names a cluster or a user that is not there"
        ) from None
    _refuse(cluster, user, name)
    try:
        authority = octets_of(cluster, "certificate-authority", place).decode("ascii")
        return _made(name, cluster, user, home, authority)
    except OSError as why:
        raise _unusable(name, "kubeconfig", f"{why.filename}: {why.strerror}") from None
    except _SHAPES as why:
        raise _unusable(
            name, "kubeconfig", f"its server or authority cannot be read ({type(why).__name__})"
        ) from None


def _made(name: str, cluster: Any, user: Any, home: Path, authority: str) -> Settings:
    """Raises ValueError for what is no server's address."""
    parts = urlsplit(str(cluster["server"]))
    if not parts.hostname:
        raise ValueError
    return Settings(
        name=name,
        host=parts.hostname,
        port=parts.port or HTTPS_PORT,
        path=parts.path.rstrip("/"),
        server_name=str(cluster.get("tls-server-name") or ""),
        authority=authority,
        user=user,
        cluster=cluster,
        place=home,
    )


def _named(
    found: list[tuple[Path, dict[str, Any]]], kind: str
) -> Iterator[tuple[str, tuple[Path, dict[str, Any]]]]:
    """The entries of a list, later files first: the first file that names one has the last word."""
    for place, said in reversed(found):
        entries = said.get(kind)
        for entry in entries if isinstance(entries, list) else []:
            value = entry.get(_LISTS[kind]) if isinstance(entry, dict) else None
            if isinstance(value, dict):
                yield str(entry.get("name")), (place, value)


def _refuse(cluster: Mapping[str, Any], user: Mapping[str, Any], name: str) -> None:
    """Say no to what would not verify the server, or what this client does not do."""
    server = str(cluster.get("server", ""))
    if cluster.get("insecure-skip-tls-verify"):
        why = "it says insecure-skip-tls-verify; name the authority by `certificate-authority`"
        raise _unusable(name, "insecure-kubeconfig", why)
    if not server.startswith("https://"):
        why = f"its server is {server!r}; only https:// is asked, as credentials travel there"
        raise _unusable(name, "insecure-kubeconfig", why)
    if cluster.get("proxy-url"):
        why = "it says proxy-url, which is not used here; set the cluster's `via` to a host near it"
        raise _unusable(name, "kubeconfig", why)
    if "auth-provider" in user:
        why = "its user has an auth-provider, which kubectl took out in 1.26; use an exec plugin"
        raise _unusable(name, "kubeconfig", why)


def _in_cluster() -> Settings | None:
    """The API as a pod of the cluster itself is led to it; None outside of any."""
    host, token = os.environ.get("KUBERNETES_SERVICE_HOST"), SERVICE_ACCOUNT / "token"
    port = os.environ.get("KUBERNETES_SERVICE_PORT_HTTPS", "443")
    if not host or not token.is_file() or not port.isdigit():
        return None
    return Settings(
        name=f"the account of this pod, {SERVICE_ACCOUNT}",
        host=host.strip("[]"),
        port=int(port),
        authority=(SERVICE_ACCOUNT / "ca.crt").read_text(encoding="ascii"),
        user={"tokenFile": str(token)},
    )


def _unusable(name: str, reason: str, why: str) -> VantageUnreachable:
    return VantageUnreachable(f"{name}: {why}", reason=reason)
