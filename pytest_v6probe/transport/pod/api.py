"""What does a cluster's API answer, and how many streams run to its pods?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any
from urllib.parse import quote

from pytest_v6probe.errors import DeadlinePassed, Unobserved
from pytest_v6probe.inventory.kube import Cluster
from pytest_v6probe.transport import dial as dialling
from pytest_v6probe.transport.dial import Dial
from pytest_v6probe.transport.pod import kubeconfig, rbac
from pytest_v6probe.transport.pod.http import Answered, Connection, Headers
from pytest_v6probe.transport.pod.server import MAX_BYTES, Answer, Server

__all__ = ["Answer", "ClusterApi", "open_api"]

Objects = list[dict[str, Any]]

CALL_S = 20.0
"""How long an ordinary call may take altogether."""
PAGE = 500
MAX_OBJECTS = 50_000
REMEMBERED_S = 1.0
"""How long a list is given out again before it is asked for anew."""

PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""The kinds of patch, with their content types (kubernetes.io, "Kubernetes API Concepts")."""


@dataclass(slots=True)
class _Listed:
    """One list, as it was last seen."""

    lock: Lock = field(default_factory=Lock)
    at: float = 0.0
    objects: tuple[dict[str, Any], ...] | None = None


def open_api(
    spec: Cluster, *, dial: Dial | None = None, timeout_s: float = 10.0, concurrency: int = 64
) -> ClusterApi:
    """Read the kubeconfig that *spec* names, log in, and ask the API for its version.

    Connections are made by *dial*, from this machine without it. At most *concurrency* streams run
    at once. Raises VantageUnreachable (as `kubeconfig.settings` and `plugin.ask`, and ``refused``,
    ``no-route``, …, ``certificate-expired``, ``certificate-name``, ``unauthorized``,
    ``api-error``) or DeadlinePassed; *timeout_s* is for all of it.
    """
    settings = kubeconfig.settings(spec)
    server = Server(settings, cluster_id=spec.id, dial=dial or dialling.direct)
    try:
        server.ask("GET", "/version", end=monotonic() + timeout_s)
    except BaseException:
        server.close()
        raise
    return ClusterApi(server, cluster_id=spec.id, concurrency=concurrency)


class ClusterApi:
    """The API of one cluster. Every call has a total *timeout_s*; threads may share it.

    Every call raises VantageUnreachable or DeadlinePassed where the API cannot be asked, or answers
    that it cannot (401, 429, 5xx) after as many tries as its Retry-After asks for in that time.
    """

    def __init__(self, server: Server, *, cluster_id: str, concurrency: int = 64) -> None:
        self.cluster_id = cluster_id
        self._server = server
        self._streams = BoundedSemaphore(concurrency)
        self._concurrency = concurrency
        self._lists: dict[tuple[str, str], _Listed] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """How messages call it: the cluster, the kubeconfig's file, the context, the server."""
        return self._server.name

    def list(
        self, path: str, *, selector: str = "", timeout_s: float = CALL_S
    ) -> tuple[dict[str, Any], ...]:
        """Every object at *path* that *selector* fits; a list is up to 1 s old. The objects are
        shared: change none. Raises Unobserved (``forbidden``, ``resource-absent``,
        ``api-too-large``, ``api-expired``) too.
        """
        end = monotonic() + timeout_s
        with self._lock:
            known = self._lists.setdefault((path, selector), _Listed())
        if not known.lock.acquire(timeout=max(0.0, timeout_s)):
            raise DeadlinePassed(
                f"{self.name}: {path}: another list of it does not end", reason="deadline-passed"
            )
        try:
            if known.objects is None or monotonic() - known.at > REMEMBERED_S:
                known.objects = None
                known.objects, known.at = self._listed(path, selector, end), monotonic()
            return known.objects
        finally:
            known.lock.release()

    def forget(self) -> None:
        """Ask for every list anew."""
        with self._lock:
            self._lists = {}

    def get(self, path: str, *, timeout_s: float = CALL_S) -> Answer:
        """``GET`` *path*."""
        return self._server.ask("GET", path, end=monotonic() + timeout_s)

    def create(self, path: str, body: Mapping[str, Any], *, timeout_s: float = CALL_S) -> Answer:
        """``POST`` *body* to the list at *path*."""
        return self._change("POST", path, body, "application/json", timeout_s)

    def delete(self, path: str, *, timeout_s: float = CALL_S) -> Answer:
        """``DELETE`` *path*."""
        return self._change("DELETE", path, None, "", timeout_s)

    def patch(
        self, path: str, body: Any, *, kind: str = "merge", timeout_s: float = CALL_S
    ) -> Answer:
        """``PATCH`` *path*; *kind* is a key of `PATCHES`."""
        return self._change("PATCH", path, body, PATCHES[kind], timeout_s)

    def upgrade(
        self, target: str, headers: Headers, *, end: float
    ) -> tuple[Connection, Answered] | Answer:
        """Ask for a stream, on a connection of its own, which is the caller's: to be closed, and
        told of to `stream_ended`. Where the API says no, its answer. Raises DeadlinePassed
        (``streams-in-use``) too.
        """
        if not self._streams.acquire(timeout=max(0.0, end - monotonic())):
            raise DeadlinePassed(
                f"{self.name}: {self._concurrency} streams run already; raise --v6-concurrency",
                reason="streams-in-use",
            )
        kept = False
        try:
            taken = self._server.upgrade(target, headers, end=end)
            kept = isinstance(taken, tuple)
            return taken
        finally:
            if not kept:
                self._streams.release()

    def stream_ended(self) -> None:
        """Make room for another stream."""
        self._streams.release()

    def pause(self, seconds: float) -> None:
        """Wait, unless the API is closed meanwhile."""
        self._server.pause(seconds)

    def close(self) -> None:
        """Close the connections that wait. Streams go on."""
        self._server.close()

    def _change(
        self, method: str, path: str, body: Any, content_type: str, timeout_s: float
    ) -> Answer:
        said = b"" if body is None else json.dumps(body).encode("ascii")
        try:
            return self._server.ask(
                method, path, body=said, content_type=content_type, end=monotonic() + timeout_s
            )
        finally:
            self.forget()

    def _listed(self, path: str, selector: str, end: float) -> tuple[dict[str, Any], ...]:
        """All pages of a list; once more from the first where their token has expired (410)."""
        for _ in range(2):
            objects = self._pages(path, selector, end)
            if objects is not None:
                return tuple(objects)
        raise self._unlisted(path, "api-expired", "its pages expire faster than they are read")

    def _pages(self, path: str, selector: str, end: float) -> Objects | None:
        """Its objects; None where the server no longer knows how to go on."""
        objects: Objects = []
        left_bytes, token = MAX_BYTES, ""
        while True:
            query = f"limit={PAGE}" + (f"&labelSelector={quote(selector)}" if selector else "")
            query += f"&continue={quote(token, safe='')}" if token else ""
            answer = self._server.ask("GET", f"{path}?{query}", end=end, max_bytes=left_bytes)
            if answer.status == 410 and token:
                return None
            items, token = self._page(path, answer)
            objects += items
            left_bytes -= answer.size_bytes
            if len(objects) > MAX_OBJECTS or left_bytes <= 0:
                raise self._unlisted(
                    path, "api-too-large", f"more than {len(objects) - 1} objects: narrow it"
                )
            if not token:
                return objects

    def _page(self, path: str, answer: Answer) -> tuple[Objects, str]:
        """The objects of one page, and how to ask for the next."""
        if answer.status == 403:
            right = rbac.right(path, "list")
            raise self._unlisted(
                path,
                "forbidden",
                f"the right to {right} is missing ({answer.message}): {right.cure}",
            )
        if not answer.good:
            reason = "resource-absent" if answer.status == 404 else "api-refused"
            raise self._unlisted(path, reason, f"{answer.status} {answer.message}")
        items, metadata = answer.body.get("items"), answer.body.get("metadata")
        items = [] if items is None else items
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and isinstance(item.get("metadata"), dict) for item in items
        ):
            raise self._unlisted(path, "api-garbage", "what it gives is no list of objects")
        for item in items:
            item["metadata"].pop("managedFields", None)  # who set what: half of a pod, and unasked
        if token and not items:
            raise self._unlisted(path, "api-garbage", "a page without objects, and no last one")
        return items, token if isinstance(token, str) else ""

    def _unlisted(self, path: str, reason: str, why: str) -> Unobserved:
        return Unobserved(f"{self.name}: {path}: {why}", reason=reason)
