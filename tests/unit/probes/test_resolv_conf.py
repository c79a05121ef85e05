"""Does the judge see of which family the host's resolvers are?"""

from ipaddress import ip_address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.resolv_conf import ResolvConf, judge
from tests.unit.probes.seen import VANTAGE, read, seen

ETC, RUN = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
V6, V4, LOOPBACK = (
    "nameserver fd00:ec2::253\n",
    "nameserver 169.254.169.253\n",
    "nameserver 127.0.0.53\n",
)


@pytest.mark.parametrize(
    ("reply", "verdict", "servers", "file"),
    [
        pytest.param(read({ETC: V6}), "ipv6-only", ("fd00:ec2::253",), ETC, id="ipv6"),
        pytest.param(read({ETC: V4}), "ipv4-only", ("169.254.169.253",), ETC, id="ipv4"),
        pytest.param(
            read({ETC: V4 + V6}), "mixed", ("169.254.169.253", "fd00:ec2::253"), ETC, id="both"
        ),
        pytest.param(
            read({ETC: LOOPBACK, RUN: V6}),
            "ipv6-only",
            ("fd00:ec2::253",),
            RUN,
            id="behind-resolved",
        ),
        pytest.param(
            read({ETC: LOOPBACK}), "ipv4-only", ("127.0.0.53",), ETC, id="resolved-says-nothing"
        ),
        pytest.param(read({ETC: "search example.com\n"}), "none", (), ETC, id="no-server"),
        pytest.param(Reply("timed-out"), "timed-out", (), ETC, id="cannot-be-read"),
    ],
)
def test_judge(reply, verdict, servers, file):
    assert judge(seen(reply)) == ResolvConf(
        vantage=VANTAGE,
        asked=ETC,
        verdict=verdict,
        file=file,
        nameservers=tuple(map(ip_address, servers)),
    )
