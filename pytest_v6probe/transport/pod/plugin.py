"""What does the credential plugin of a kubeconfig say? ``users[].user.exec``, run under a deadline.

What it writes to standard output is a secret, and no message here has any of it
(kubernetes.io, "client-go credential plugins").
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from pytest_v6probe.errors import DeadlinePassed, VantageUnreachable
from pytest_v6probe.transport.channel import printable

MAX_ANSWER_BYTES = 1 << 20
MAX_WORDS_BYTES = 65536
SHOWN_CHARACTERS = 400
LOOK_AGAIN_S = 0.05
"""How often a plugin is looked at that has ended and left its output to a child."""
VERSIONS = frozenset({"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a plugin gave: a token, or a certificate and its key in PEM."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: datetime | None = None


def ask(
    said: Mapping[str, Any], cluster: Mapping[str, Any], place: Path, *, name: str, end: float
) -> Credential:
    """Run the plugin that *said* describes, until *end* on the monotonic clock.

    Raises VantageUnreachable (``exec-plugin``) or DeadlinePassed (``exec-plugin``) with *name* and
    what the plugin says on standard error.
    """
    try:
        argv, version, environment = _described(said, cluster)
    except (TypeError, LookupError, ValueError):
        raise _unusable(name, "the exec plugin is not described as kubectl wants it") from None
    program = argv[0]
    if os.sep in program:
        argv[0] = str(place / program)
    if said.get("interactiveMode") == "Always":
        raise _unusable(name, f"{program} wants to ask at a terminal, and there is none")
    if shutil.which(argv[0]) is None:
        hint = printable(str(said.get("installHint") or "install it").encode())
        raise _unusable(name, f"there is no {program} here: {hint[:SHOWN_CHARACTERS]}")
    status, answer, words = _run(argv, environment, name=name, end=end)
    if status != 0:
        raise _unusable(name, f"{program} ended with status {status}: {words or 'without a word'}")
    try:
        return _credential(answer, version)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise _unusable(name, f"what {program} writes is no ExecCredential of {version}") from None


def _described(
    said: Mapping[str, Any], cluster: Mapping[str, Any]
) -> tuple[list[str], str, dict[str, str]]:
    """Its command, the version of its answer, and its environment."""
    version = said["apiVersion"]
    if version not in VERSIONS:
        raise ValueError(version)
    spec: dict[str, Any] = {"interactive": False}
    if said.get("provideClusterInfo"):
        known = {
            "certificate-authority-data": cluster.get("certificate-authority-data"),
            "server": cluster.get("server"),
            "tls-server-name": cluster.get("tls-server-name"),
            "config": _extension(cluster.get("extensions")),
        }
        spec["cluster"] = {key: value for key, value in known.items() if value}
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    added = {str(one["name"]): str(one["value"]) for one in said.get("env") or ()}
    environment = {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    return [str(said["command"]), *map(str, said.get("args") or ())], version, environment


def _extension(extensions: Any) -> Any:
    """What the kubeconfig has for the plugin alone."""
    for one in extensions or ():
        if one.get("name") == "client.authentication.k8s.io/exec":
            return one.get("extension")
    return None


def _credential(answer: bytes, version: str) -> Credential:
    said = json.loads(answer)
    if (said["kind"], said["apiVersion"]) != ("ExecCredential", version):
        raise ValueError(version)
    status = said["status"]
    ends = status.get("expirationTimestamp")
    given = Credential(
        token=status.get("token") or "",
        certificate=status.get("clientCertificateData") or "",
        key=status.get("clientKeyData") or "",
        expires=datetime.fromisoformat(ends).astimezone(UTC) if ends else None,
    )
    texts = (given.token, given.certificate, given.key)
    if not all(isinstance(one, str) and one.isascii() for one in texts) or not any(texts):
        raise TypeError
    return given


def _run(
    argv: list[str], environment: dict[str, str], *, name: str, end: float
) -> tuple[int, bytes, str]:
    """Its exit status and what it wrote. Whatever of its process group is left is ended."""
    try:
        running = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as why:
        raise _unusable(name, f"{argv[0]} cannot be run: {why.strerror}") from None
    try:
        with running:
            try:
                answer, words = _heard(running, argv[0], name=name, end=end)
                return running.wait(max(0.0, end - monotonic())), answer, _shown(words)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
    except subprocess.TimeoutExpired:
        raise _late(name, argv[0], b"") from None


def _heard(
    running: subprocess.Popen[bytes], program: str, *, name: str, end: float
) -> tuple[bytes, bytes]:
    """Its standard output and error, until it has ended or closed both."""
    heard = {running.stdout: b"", running.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for pipe in heard:
            selector.register(pipe, selectors.EVENT_READ)  # type: ignore[arg-type]  # both are pipes
        while selector.get_map():
            left_s = end - monotonic()
            if left_s <= 0:
                raise _late(name, program, heard[running.stderr])
            ready = selector.select(min(LOOK_AGAIN_S, left_s))
            if not ready and running.poll() is not None:
                break
            for key, _ in ready:
                octets = os.read(key.fd, 65536)
                heard[key.fileobj] += octets  # type: ignore[index]  # the pipes registered above
                if not octets:
                    selector.unregister(key.fileobj)
            if len(heard[running.stdout]) > MAX_ANSWER_BYTES:
                raise _unusable(name, f"{program} writes more than a credential has")
            heard[running.stderr] = heard[running.stderr][-MAX_WORDS_BYTES:]
    return heard[running.stdout], heard[running.stderr]


def _shown(words: bytes) -> str:
    return printable(words)[-SHOWN_CHARACTERS:]


def _unusable(name: str, why: str) -> VantageUnreachable:
    return VantageUnreachable(f"{name}: exec plugin: {why}", reason="exec-plugin")


def _late(name: str, program: str, words: bytes) -> DeadlinePassed:
    said = f" ({_shown(words)})" if words else ""
    return DeadlinePassed(
        f"{name}: exec plugin: {program} gave no credential in time{said}; run it by hand",
        reason="exec-plugin",
    )
