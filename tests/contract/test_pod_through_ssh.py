"""Is a pod reached where only a host that SSH leads to reaches the API server?"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.model import Pod
from pytest_v6probe.lab.certificates import authority
from pytest_v6probe.transport.pod.api import open_api
from pytest_v6probe.transport.pod.exec import PodTransport
from tests.unit.transport.pod.played import FakeApi

if TYPE_CHECKING:
    from tests.contract.conftest import Sshd


def test_tls_and_a_stream_go_through_a_forwarded_connection(sshd: Sshd, tmp_path: Path):
    with (
        closing(FakeApi(tmp_path, authority())) as fake,
        closing(sshd.transport()) as host,
        closing(open_api(fake.spec(), dial=host.forward)) as api,
    ):
        pod = PodTransport(api, Pod(cluster="here/prod", selector="app=web"))
        with closing(open_agent(pod, python=sys.executable)) as agent:
            replies = agent.run([wire.read("/proc/net/if_inet6")] * 200)
    assert [reply.outcome for reply in replies] == ["answered"] * 200


def test_a_host_that_does_not_reach_the_server_is_said(sshd: Sshd, tmp_path: Path):
    with closing(FakeApi(tmp_path, authority())) as fake:
        spec = fake.spec()
    with closing(sshd.transport()) as host, pytest.raises(VantageUnreachable) as caught:
        open_api(spec, dial=host.forward)
    assert caught.value.reason == "forward-refused"
    assert str(caught.value).startswith("cluster here/prod (kubeconfig ")
