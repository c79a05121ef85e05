"""An API of a cluster that answers as it is told to, and writes down what it is asked."""

from __future__ import annotations

from pytest_v6probe.cluster import Cluster
from pytest_v6probe.inventory import kube
from pytest_v6probe.transport.pod.api import Answer

DONE = {"create": 201, "get": 200, "patch": 200, "delete": 200}


def answer(status, body=None, **said):
    return Answer(status=status, body={**(body or {}), **said})


class ScriptedApi:
    """*answers* are in order, by method; an exception among them is raised. Then all is well."""

    def __init__(self, **answers) -> None:
        self.answers = {method: list(those) for method, those in answers.items()}
        self.log: list[tuple] = []

    def create(self, path, body, *, timeout_s):
        return self._next("create", path, body)

    def get(self, path, *, timeout_s):
        return self._next("get", path)

    def patch(self, path, body, *, kind, timeout_s):
        return self._next("patch", path, kind, body)

    def delete(self, path, *, timeout_s):
        return self._next("delete", path)

    def list(self, path, *, selector, timeout_s):
        return self._next("list", path, selector)

    def _next(self, method, path, *more):
        self.log.append((method, path, *more))
        those = self.answers.get(method)
        said = those.pop(0) if those else answer(DONE[method])
        if isinstance(said, BaseException):
            raise said
        return said


def cluster(api, *, disruptive=True):
    """A cluster with that API, and the list of what it witnesses."""
    witnessed: list = []
    made = Cluster(
        spec=kube.Cluster(name="c", families=("ipv6", "ipv4"), region="lab"),
        open_api=lambda: api,
        witness=witnessed.append,
        disruptive=disruptive,
    )
    return made, witnessed
