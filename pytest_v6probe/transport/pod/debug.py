"""How does a pod without python3 come to have one? By an ephemeral container of another image.

The API cannot take one out of a pod again, so it is said where one was put. It ends by itself, a
minute after the last agent in it has, whatever became of who made it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.transport.pod import choice, rbac

if TYPE_CHECKING:
    from pytest_v6probe.transport.pod.api import ClusterApi
    from pytest_v6probe.transport.pod.server import Answer

PREFIX = "v6probe-"
LOOK_AGAIN_S = 0.25

WAIT = (
    "import os,signal\n"
    "mark=('v6'+'probe:').encode()\n"
    "def busy(pid):\n"
    " try:\n"
    "  with open('/proc/'+pid+'/cmdline','rb') as f:return mark in f.read()\n"
    " except OSError:return False\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK,{signal.SIGTERM})\n"
    "left=12\n"
    "while left:\n"
    " left=12 if any(map(busy,filter(str.isdigit,os.listdir('/proc')))) else left-1\n"
    " signal.sigtimedwait({signal.SIGTERM},5) and os._exit(0)\n"
)
"""What keeps the container: it ends a minute after the last agent whose command line it sees, and at
once on SIGTERM, which the first process of a container has to take itself.
"""

RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the restricted Pod Security Standard wants of a container (kubernetes.io)."""
NOBODY = 65534
NEVER_RAN = frozenset({126, 127, 128})
"""Exit statuses of a container whose program is not there (runc; containerd's StartError is 128)."""

HOPELESS = frozenset(
    {
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Why a container waits that will not run soon (kubelet, images/types.go, kuberuntime)."""


def attendant(
    api: ClusterApi, path: str, *, beside: str, image: str, python: str, name: str, end: float
) -> str:
    """The name of an ephemeral container of *image* that runs in the pod at *path*; a new one,
    where none of ours does or is about to. It sees the processes of the container *beside*.

    Raises VantageUnreachable (``forbidden``; ``debug-image`` where it does not run), DeadlinePassed.
    """
    pod = _pod(api, path, name, end)
    for known in choice.parts(pod, "spec", "ephemeralContainers"):
        called = choice.text(known, "name")
        ours = called.startswith(PREFIX) and choice.text(known, "image") == image
        if ours and not _over(choice.status_of(pod, called)):
            break
    else:
        called = PREFIX + secrets.token_hex(4)
        body = {
            "name": called,
            "image": image,
            "command": [python, "-I", "-S", "-c", WAIT],
            "targetContainerName": beside,
        }
        _add(api, path, body, name, end)
    _await(api, path, (called, image), name, end)
    return called


def _over(status: Mapping[str, Any]) -> bool:
    """Whether a container has run and ended, as it does when no agent is left."""
    ended = choice.part(status, "state").get("terminated")
    return isinstance(ended, dict) and ended.get("exitCode") not in NEVER_RAN


def _add(api: ClusterApi, path: str, body: Mapping[str, Any], name: str, end: float) -> None:
    answer = _patched(api, path, body, end)
    if answer.status == 403 and "PodSecurity" in answer.message:
        user = {} if _has_a_user(_pod(api, path, name, end)) else {"runAsUser": NOBODY}
        answer = _patched(api, path, {**body, "securityContext": {**RESTRICTED, **user}}, end)
    if answer.status == 403:
        right = rbac.right(f"{path}/ephemeralcontainers", "patch")
        raise VantageUnreachable(
            f"{name}: there is no {body['command'][0]} in it, and no ephemeral container may be "
            f"added: {answer.message}: it takes {right}: {right.cure}",
            reason="forbidden",
            vantage=name,
        )
    if not answer.good:
        raise _unusable(name, body["image"], f"the API does not add it: {answer.message}")


def _patched(api: ClusterApi, path: str, body: Mapping[str, Any], end: float) -> Answer:
    return api.patch(
        f"{path}/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [body]}},
        kind="strategic",
        timeout_s=end - monotonic(),
    )


def _has_a_user(pod: Mapping[str, Any]) -> bool:
    return isinstance(choice.part(pod, "spec", "securityContext").get("runAsUser"), int)


def _await(api: ClusterApi, path: str, wanted: tuple[str, str], name: str, end: float) -> None:
    """Wait until a container of some image runs. Raises VantageUnreachable if it will not."""
    (called, image), why = wanted, "nothing is said of it"
    while monotonic() < end - LOOK_AGAIN_S:
        pod = _pod(api, path, name, end)
        if choice.running(pod, called):
            return
        status = choice.status_of(pod, called)
        why = choice.halted(status) or why
        hopeless = choice.text(status, "state", "waiting", "reason") in HOPELESS
        if hopeless or choice.part(status, "state", "terminated"):
            raise _unusable(name, image, why)
        api.pause(min(LOOK_AGAIN_S, end - monotonic()))
    raise _unusable(name, image, f"it is not there in time: {why}")


def _pod(api: ClusterApi, path: str, name: str, end: float) -> Mapping[str, Any]:
    answer = api.get(path, timeout_s=end - monotonic())
    if not answer.good:
        raise VantageUnreachable(f"{name}: {answer.message}", reason="pod-absent", vantage=name)
    return answer.body


def _unusable(name: str, image: str, why: str) -> VantageUnreachable:
    return VantageUnreachable(
        f"{name}: there is no python3 in it, and the debug image {image} does not run: {why}; name "
        "an image with python3 that its node can pull as `debug_image`",
        reason="debug-image",
        vantage=name,
    )
