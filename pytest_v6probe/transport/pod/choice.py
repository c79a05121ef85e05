"""Which pod of those that the API lists is asked from, and why not another? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_v6probe.transport.channel import printable

Object = Mapping[str, Any]

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""The annotation by which a pod with sidecars says which container it is about."""
SHOWN_PODS = 5
SHOWN_CHARACTERS = 200


def part(said: Any, *keys: str) -> Mapping[str, Any]:
    """The JSON object at *keys*; an empty one where there is none."""
    for key in keys:
        said = said.get(key) if isinstance(said, dict) else None
    return said if isinstance(said, dict) else {}


def parts(said: Any, *keys: str) -> list[Mapping[str, Any]]:
    """The JSON objects in the list at *keys*."""
    found = part(said, *keys[:-1]).get(keys[-1])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(said: Any, *keys: str) -> str:
    """The text at *keys*; empty where there is none."""
    found = part(said, *keys[:-1]).get(keys[-1])
    return found if isinstance(found, str) else ""


def name_of(pod: Object) -> str:
    """The pod's name."""
    return text(pod, "metadata", "name")


def uid_of(pod: Object) -> str:
    """What tells a pod from a later one of the same name."""
    return text(pod, "metadata", "uid")


def ready(pod: Object) -> bool:
    """Whether it runs, is ready, and is not being deleted."""
    conditions = parts(pod, "status", "conditions")
    return (
        text(pod, "status", "phase") == "Running"
        and any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
        and not text(pod, "metadata", "deletionTimestamp")
    )


def chosen(pods: Sequence[Object], *, uid: str) -> Object | None:
    """The pod with *uid* as long as it will do, else the first ready one by name."""
    fit = sorted(filter(ready, pods), key=name_of)
    return next((pod for pod in fit if uid_of(pod) == uid), fit[0] if fit else None)


def on(pods: Sequence[Object], node: str) -> list[Object]:
    """Those on *node*; all, where it is empty."""
    return [pod for pod in pods if not node or text(pod, "spec", "nodeName") == node]


def why_not(pods: Sequence[Object]) -> str:
    """What keeps each of *pods* from being asked from, in words."""
    shown = [f"{name_of(pod)} is {_state(pod)}" for pod in sorted(pods, key=name_of)[:SHOWN_PODS]]
    more = len(pods) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def container_of(pod: Object, wanted: str) -> str | None:
    """The container to use: *wanted*, the pod's own default, or its first; None if not there."""
    names = [text(one, "name") for one in parts(pod, "spec", "containers")]
    sidecars = [
        text(one, "name")
        for one in parts(pod, "spec", "initContainers")
        if one.get("restartPolicy") == "Always"
    ]
    if wanted:
        return wanted if wanted in names + sidecars else None
    default = text(pod, "metadata", "annotations", DEFAULT_CONTAINER)
    return default if default in names else next(iter(names), None)


def containers(pod: Object) -> str:
    """The names of its containers, for a message."""
    return ", ".join(text(one, "name") for one in parts(pod, "spec", "containers"))


def status_of(pod: Object, container: str) -> Mapping[str, Any]:
    """What the pod says of one of its containers, of whatever kind; empty if nothing."""
    return next((one for one in _statuses(pod) if one.get("name") == container), {})


def running(pod: Object, container: str) -> bool:
    """Whether that container runs now."""
    return isinstance(part(status_of(pod, container), "state").get("running"), dict)


def halted(status: Mapping[str, Any]) -> str:
    """Why a container does not run, in words; empty if it does or nothing is said."""
    for state in ("waiting", "terminated"):
        said = part(status, "state", state)
        reason, message = text(said, "reason"), text(said, "message")
        if reason:
            words = printable(message.encode("utf-8", "replace"))[:SHOWN_CHARACTERS]
            return f"{reason} ({words})" if words else reason
    return ""


def become(before: Object, now: Object | None, container: str) -> str:
    """What has become of a pod since *before*, in words; empty if nothing that can be seen."""
    if now is None or uid_of(now) != uid_of(before):
        return "(the pod was deleted)"
    if text(now, "metadata", "deletionTimestamp"):
        return "(the pod is being deleted)"
    if text(now, "status", "phase") == "Failed":
        return f"(the pod has failed: {why_not([now])})"
    then, since = status_of(before, container), status_of(now, container)
    if then.get("restartCount") != since.get("restartCount") or not running(now, container):
        last = text(since, "lastState", "terminated", "reason")
        why = halted(since) or (f"it ended as {last}" if last else "")
        return f"(its container {container} was restarted{': ' + why if why else ''})"
    return ""


def _state(pod: Object) -> str:
    if text(pod, "metadata", "deletionTimestamp"):
        return "being deleted"
    reasons = [why for why in map(halted, _statuses(pod)) if why]
    unready = [
        text(one, "message")
        for one in parts(pod, "status", "conditions")
        if one.get("status") == "False" and one.get("type") in {"PodScheduled", "Ready"}
    ]
    whole = text(pod, "status", "reason")
    said = [text(pod, "status", "phase") or "without a phase", *filter(None, [whole, *reasons])]
    if len(said) == 1:
        said += filter(None, unready)
    return printable(": ".join(said[:3]).encode("utf-8", "replace"))[: 2 * SHOWN_CHARACTERS]


def _statuses(pod: Object) -> Iterator[Mapping[str, Any]]:
    for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        yield from parts(pod, "status", kind)
