"""Which credentials does this machine have for a registry? ~/.docker/config.json and its helpers.

A helper is a program of the user's own, run as `docker login` would run it; what it answers is a
secret, and no message here has any of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import subprocess
from pathlib import Path
from time import monotonic
from typing import IO, cast

from pytest_v6probe.errors import Unobserved
from pytest_v6probe.linux import docker_config
from pytest_v6probe.linux.docker_config import Credentials, DockerConfig

MAX_ANSWER_BYTES = 65536
NOT_FOUND = b"credentials not found"
"""What a helper says, by agreement, of a registry that it does not know
(docker-credential-helpers, credentials/error.go).
"""


def credentials_for(
    domain: str, *, file: Path | None = None, timeout_s: float = 5.0
) -> Credentials | None:
    """The credentials for the registry *domain* (``docker.io``, ``registry.example:5000``); None:
    there are none.

    *file* is by default config.json in ``DOCKER_CONFIG`` or ``~/.docker``. A helper gets
    *timeout_s*. Raises Unobserved (``docker-config``, ``credential-helper``) where what is there
    cannot be read.
    """
    config = _read(file or _default_file())
    helper = config.helper(domain)
    return _ask(helper, domain, timeout_s) if helper else config.stored(domain)


def _default_file() -> Path:
    place = os.environ.get("DOCKER_CONFIG")
    return (Path(place) if place else Path.home() / ".docker") / "config.json"


def _read(file: Path) -> DockerConfig:
    try:
        with file.open("rb") as opened:
            return docker_config.parse(opened.read(docker_config.MAX_BYTES + 1))
    except FileNotFoundError:
        return DockerConfig()
    except (OSError, ValueError) as why:
        said = why.strerror if isinstance(why, OSError) else str(why)
        raise Unobserved(
            f"{file}: {said}; repair it, or log in anew", reason="docker-config"
        ) from None


def _ask(helper: str, domain: str, timeout_s: float) -> Credentials | None:
    program = f"docker-credential-{helper}"
    try:
        status, answer = _run(program, docker_config.key(domain).encode("utf-8"), timeout_s)
    except subprocess.TimeoutExpired:
        raise _unusable(program, domain, f"gave no answer within {timeout_s:.1f} s") from None
    except OSError as why:
        raise _unusable(program, domain, f"cannot be run: {why.strerror}") from None
    if status != 0 and NOT_FOUND in answer.lower():
        return None
    if status != 0:
        raise _unusable(program, domain, f"ended with status {status}")
    try:
        return docker_config.read_helper(answer)
    except ValueError as why:
        raise _unusable(program, domain, str(why)) from None


def _run(program: str, asked: bytes, timeout_s: float) -> tuple[int, bytes]:
    """Its exit status, and what it wrote, if that is not too much. Raises TimeoutExpired,
    OSError.
    """
    deadline = monotonic() + timeout_s
    with subprocess.Popen(
        (program, "get"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    ) as running:
        try:
            with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", running.stdin) as way:
                way.write(asked)
            answer = _heard(cast("IO[bytes]", running.stdout).fileno(), deadline)
            return running.wait(max(0.0, deadline - monotonic())), answer
        finally:
            running.kill()


def _heard(reading: int, deadline: float) -> bytes:
    answer = b""
    while len(answer) <= MAX_ANSWER_BYTES:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - monotonic()))
        if not ready:
            raise subprocess.TimeoutExpired("", 0.0)
        octets = os.read(reading, MAX_ANSWER_BYTES)
        if not octets:
            return answer
        answer += octets
    raise OSError(errno.EFBIG, "it writes too much")


def _unusable(program: str, domain: str, why: str) -> Unobserved:
    return Unobserved(
        f"{program}, asked for {domain}: {why}; run it by hand, or take it out of config.json",
        reason="credential-helper",
    )
