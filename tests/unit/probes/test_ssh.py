"""Does a login tell who answered, and a failed one why, without any other way in?"""

from types import SimpleNamespace

import pytest

from pytest_v6probe.errors import Unobserved, VantageUnreachable
from pytest_v6probe.probes.ssh import Ssh, ssh
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import HOST, LOCAL, VANTAGE

SESSION = SimpleNamespace(
    local=LOCAL,
    remote=Endpoint(HOST, 22),
    host_key_type="ssh-ed25519",
    fingerprint="SHA256:x",
    server_version="SSH-2.0-OpenSSH_9.2",
)


def vantage(login):
    witnessed: list[Ssh] = []
    return SimpleNamespace(name=VANTAGE, login=login, witness=witnessed.append, witnessed=witnessed)


def refusing(reason):
    def login():
        raise VantageUnreachable("no", reason=reason)

    return login


def test_a_login():
    at = vantage(lambda: SESSION)
    assert ssh(at) == Ssh(
        vantage=VANTAGE,
        asked=f"ssh to {VANTAGE}",
        verdict="logged-in",
        local=LOCAL,
        remote=Endpoint(HOST, 22),
        path=Path.NATIVE,
        fingerprint="SHA256:x",
        server_version="SSH-2.0-OpenSSH_9.2",
    )
    assert [finding.verdict for finding in at.witnessed] == ["logged-in"]


@pytest.mark.parametrize(
    ("reason", "layer"),
    [
        ("host-key-changed", Layer.SSH),
        ("auth-refused", Layer.SSH),
        ("timed-out", Layer.TCP),
        ("no-route", Layer.ROUTE),
    ],
)
def test_not_getting_in_is_a_finding(reason, layer):
    at = vantage(refusing(reason))
    found = ssh(at)
    assert found == Ssh(vantage=VANTAGE, asked=f"ssh to {VANTAGE}", verdict=reason)
    assert found.broken_layer is layer
    assert at.witnessed == [found]


def test_without_a_way_in_the_inventory_nothing_was_observed():
    with pytest.raises(Unobserved, match="ssh") as caught:
        ssh(vantage(None))
    assert caught.value.reason == "no-ssh"
