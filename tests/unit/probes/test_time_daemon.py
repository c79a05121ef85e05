"""Does the judge see whether the host's time daemon is told the right server?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.time_daemon import TimeDaemon, judge
from tests.unit.probes.seen import VANTAGE, read, seen

SERVER = IPv6Address("fd00:ec2::123")
TALK = (
    "# use the Amazon Time Sync Service\nserver fd00:ec2::123 prefer iburst minpoll 4 maxpoll 4\n"
)
OTHER = "server 169.254.169.123 prefer iburst\npool pool.ntp.org\n"


@pytest.mark.parametrize(
    ("reply", "verdict", "sources"),
    [
        pytest.param(
            read({"/etc/chrony.conf": TALK}), "configured", (SERVER,), id="the-talks-line"
        ),
        pytest.param(
            read(
                {
                    "/etc/chrony.conf": "sourcedir /run/chrony.d\n",
                    "/run/chrony.d/link-local-ipv6.sources": "server fd00:ec2::123\n",
                }
            ),
            "configured",
            (SERVER,),
            id="in-a-drop-in",
        ),
        pytest.param(
            read({"/etc/systemd/timesyncd.conf": "[Time]\nNTP=fd00:ec2::123\n"}),
            "configured",
            (SERVER,),
            id="timesyncd",
        ),
        pytest.param(
            read({"/etc/chrony.conf": TALK.replace("server", "#server")}),
            "none",
            (),
            id="commented-out",
        ),
        pytest.param(read({}), "none", (), id="no-file"),
        pytest.param(Reply("timed-out"), "timed-out", (), id="cannot-be-read"),
    ],
)
def test_judge(reply, verdict, sources):
    assert judge(seen(reply), server=SERVER) == TimeDaemon(
        vantage=VANTAGE, asked="time source fd00:ec2::123", verdict=verdict, sources=sources
    )


def test_other_servers_are_named():
    found = judge(seen(read({"/etc/chrony.conf": OTHER})), server=SERVER)
    assert found.verdict == "other-servers"
    assert list(map(str, found.sources)) == ["169.254.169.123", "pool.ntp.org"]
