"""By which way is a host reached? Every way that the inventory names, the first that works, and the
connections that hosts share.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.errors import DeadlinePassed, Unobserved, VantageUnreachable
from pytest_v6probe.inventory.model import Cluster, Host, Inventory, Login, Namespace
from pytest_v6probe.transport import sudo
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.transport.netns import Keeper, NamespaceDial, NamespaceTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_v6probe.transport.channel import Transport
    from pytest_v6probe.transport.dial import Dial
    from pytest_v6probe.transport.docker.engine import Engine
    from pytest_v6probe.transport.pod.api import ClusterApi
    from pytest_v6probe.transport.pod.node import NodePodTransport
    from pytest_v6probe.transport.ssh import SshTransport
    from pytest_v6probe.transport.ssh_client import SshSession
    from pytest_v6probe.transport.ssh_login import Credentials


@dataclass(slots=True, kw_only=True, eq=False)
class Ways:
    """The ways to the hosts of one environment; *lab* gives its keeper, if it is a lab's."""

    inventory: Inventory
    lab: Callable[[], Keeper]
    timeout_s: float
    concurrency: int
    creates: bool = False
    """Whether a pod may be made on a node, to ask from there."""
    taken: dict[str, str] = field(default_factory=dict)
    """Which way each open vantage is reached, and why not another."""
    _ssh: dict[str, SshTransport] = field(default_factory=dict)
    _lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    _apis: dict[str, ClusterApi] = field(default_factory=dict)
    _lost_apis: dict[str, tuple[str, str]] = field(default_factory=dict)
    _on_nodes: dict[str, NodePodTransport] = field(default_factory=dict)

    def close(self) -> None:
        """Close the connections that hosts share."""
        closing = [transport.close for transport in self._on_nodes.values()]
        closing += [api.close for api in self._apis.values()]
        closing += [connection.close for connection in reversed(self._ssh.values())]
        for close in closing:
            with suppress(Unobserved, OSError, EOFError):  # what is gone already need not be closed
                close()
        self._on_nodes.clear()
        self._apis.clear()
        self._ssh.clear()

    def log_in(self, host: Host, login: Login) -> SshSession:
        """A new login by the way the inventory names, whatever connection is open. Raises
        Unobserved.
        """
        connection = self._ssh_by(login, via=self._via(host))
        try:
            return connection.session()
        finally:
            connection.close()

    def api(self, cluster_id: str) -> ClusterApi:
        """The API of the cluster with the id *cluster_id*, shared by all that is asked of it. What
        could not be opened once stays lost for this run. Raises Unobserved.
        """
        if cluster_id in self._lost_apis:
            message, reason = self._lost_apis[cluster_id]
            raise VantageUnreachable(message, reason=reason)
        if cluster_id not in self._apis:
            try:
                self._apis[cluster_id] = self._opened(cluster_id)
            except (VantageUnreachable, DeadlinePassed) as why:
                self._lost_apis[cluster_id] = str(why), why.reason
                raise
        return self._apis[cluster_id]

    def _opened(self, cluster_id: str) -> ClusterApi:
        from pytest_v6probe.transport.pod.api import open_api  # noqa: PLC0415  # kubernetes loads on first use

        spec = self.inventory.cluster(cluster_id)
        return open_api(
            self._with_kubeconfig(spec),
            dial=self._dial(spec),
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
        )

    def _with_kubeconfig(self, spec: Cluster) -> Cluster:
        """*spec*, with the file of a lab that is this run's own: it is on no disk."""
        if spec.kubeconfig or not self.inventory.environment.lab:
            return spec
        said, _ = self.lab().request({"do": "kubeconfig"})
        file = os.memfd_create("v6probe-kubeconfig")
        os.write(file, said["kubeconfig"].encode())
        return replace(spec, kubeconfig=f"/proc/self/fd/{file}")

    def _dial(self, spec: Cluster) -> Dial | None:
        """What connects to the API server of *spec*; None where this machine does."""
        if isinstance(spec.via, Namespace):
            return NamespaceDial(self.lab(), spec.via.name)
        if spec.via is None:
            return None
        bastion = self.inventory.host(spec.via)
        return self._ssh_to(bastion, bastion.ssh).forward if bastion.ssh is not None else None

    def connect(self, host: Host, engine_of: Callable[[Host], Engine]) -> Agent:
        """Open the agent of *host* by the first way that works. What was lost once stays lost for
        this run.
        """
        if host.id not in self._lost:
            refused: list[Unobserved] = []
            ways = list(self._ways_to(host, engine_of))
            for transport in ways:
                try:
                    agent = self._agent(host, transport, within_s=self.timeout_s / len(ways))
                except (VantageUnreachable, DeadlinePassed) as why:
                    refused.append(why)
                else:
                    self.taken[host.id] = "; ".join(
                        [transport.name, *(f"not {why}" for why in refused)]
                    )
                    return agent
            self._lost[host.id] = "; ".join(map(str, refused)), refused[0].reason
        message, reason = self._lost[host.id]
        raise VantageUnreachable(message, reason=reason, vantage=host.id)

    def manage(self, host: Host) -> Agent:
        """A new agent at *host*, by its management way. Raises Unobserved."""
        return self._agent(host, self._management(host), within_s=self.timeout_s)

    def _agent(self, host: Host, transport: Transport, *, within_s: float) -> Agent:
        return open_agent(
            transport,
            python=host.python,
            vantage=host.id,
            timeout_s=within_s,
            concurrency=self.concurrency,
            sudo=sudo.needed(host, transport),
        )

    def _ways_to(self, host: Host, engine_of: Callable[[Host], Engine]) -> Iterator[Transport]:
        """Every way to *host*, the one that its own traffic takes first."""
        if host.container is not None:
            from pytest_v6probe.transport.docker.exec import DockerTransport  # noqa: PLC0415  # docker loads on first use

            yield DockerTransport(
                engine_of(host),
                host.container.name,
                helper_image=host.container.helper_image,
            )
        if host.pod is not None:
            from pytest_v6probe.transport.pod.exec import PodTransport  # noqa: PLC0415  # as above

            yield PodTransport(self.api(host.pod.cluster), host.pod)
        if host.debug_image:
            yield self._on_node(host)
        if host.local:
            yield LocalTransport()
        if host.namespace is not None:
            yield NamespaceTransport(self.lab(), host.namespace.name)
        if host.ssh is not None:
            yield self._ssh_to(host, host.ssh)
        if host.management is not None:
            yield self._management(host)

    def _on_node(self, host: Host) -> NodePodTransport:
        """A pod on the network of the node *host*, the same for the whole run. Raises
        VantageUnreachable where none may be made.
        """
        from pytest_v6probe.transport.pod.node import NodePodTransport  # noqa: PLC0415  # as above

        if not self.creates:
            raise VantageUnreachable(
                f"{host.id} is asked from a pod of {host.debug_image} that would be made on it: "
                "--v6-disruptive allows it",
                reason="not-disruptive",
                vantage=host.id,
            )
        if host.id not in self._on_nodes:
            self._on_nodes[host.id] = NodePodTransport(
                self.api(host.cluster), host.name, image=host.debug_image, python=host.python
            )
        return self._on_nodes[host.id]

    def _management(self, host: Host) -> Transport:
        """The way that *host* names for when its default route is broken."""
        if isinstance(host.management, Namespace):
            return NamespaceTransport(self.lab(), host.management.name)
        if host.management is None:
            raise VantageUnreachable(
                f"{host.id} has no management way", reason="no-management", vantage=host.id
            )
        return self._ssh_by(host.management)

    def _ssh_to(self, host: Host, login: Login) -> SshTransport:
        """The one SSH connection to *host*: its own vantage and those behind it share it."""
        if host.id not in self._ssh:
            self._ssh[host.id] = self._ssh_by(login, via=self._via(host))
        return self._ssh[host.id]

    def _via(self, host: Host) -> SshTransport | NamespaceDial | None:
        """Through what SSH to *host* goes, as its ``via`` says."""
        if isinstance(host.via, Namespace):
            return NamespaceDial(self.lab(), host.via.name)
        if host.via is None:
            return None
        bastion = self.inventory.named(host.via, near=host)
        return self._ssh_to(bastion, bastion.ssh) if bastion.ssh is not None else None

    def _ssh_by(
        self, login: Login, *, via: SshTransport | NamespaceDial | None = None
    ) -> SshTransport:
        from pytest_v6probe.transport.ssh import SshTransport  # noqa: PLC0415  # paramiko loads on first use

        credentials = self._credentials() if self.inventory.environment.lab else None
        return SshTransport(login, via=via, credentials=credentials, timeout_s=self.timeout_s)

    def _credentials(self) -> Credentials:
        from pytest_v6probe.transport.ssh_login import Credentials  # noqa: PLC0415  # only on a lab

        said, _ = self.lab().request({"do": "credentials"})
        return Credentials(user=said["user"], key=said["key"], known_hosts=said["known_hosts"])
