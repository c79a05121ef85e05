"""Which right does a path of the API want, and which command grants it? Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Verbs on one resource; *namespace* is empty for what a cluster has once, or everywhere."""

    verbs: tuple[str, ...]
    resource: str
    """As RBAC names it: ``pods``, ``pods/exec``, ``endpointslices``."""
    group: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        """For a message: the verbs, the resource, and where."""
        where = f" in the namespace {self.namespace}" if self.namespace else ""
        return f"{' and '.join(self.verbs)} on {self.resource}{where}"

    @property
    def cure(self) -> str:
        """The commands that grant it; who it is granted to is for the reader to say."""
        kind, where = ("role", f" -n {self.namespace}") if self.namespace else ("clusterrole", "")
        name, _, sub = self.resource.partition("/")
        resource = f"{name}.{self.group}" if self.group else name
        resource += f"/{sub}" if sub else ""
        return (
            f"kubectl create {kind} v6probe{where} --verb={','.join(self.verbs)} "
            f"--resource={resource} && kubectl create {kind}binding v6probe{where} "
            f"--{kind}=v6probe --user=…"
        )


def right(path: str, *verbs: str) -> Right:
    """The right to do *verbs* at *path*: ``/api/v1/namespaces/x/pods/y/exec``,
    ``/apis/discovery.k8s.io/v1/endpointslices``.
    """
    parts = [part for part in path.partition("?")[0].split("/") if part]
    group = parts[1] if parts[:1] == ["apis"] and len(parts) > 1 else ""
    rest = parts[3:] if group else parts[2:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource = rest[0] if rest else path
    if len(rest) > 2:
        resource += f"/{rest[2]}"
    return Right(verbs=verbs, resource=resource, group=group, namespace=namespace)
