"""Does the judge tell a synchronised time server from an unsynchronised, hostile or silent one?"""

import struct
from ipaddress import IPv6Address
from typing import Any

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.ntp import Ntp, judge, ntp
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import LOCAL, VANTAGE, answered, seen

SERVER = IPv6Address("fd00:ec2::123")
COOKIE = 0x0123456789ABCDEF
EPOCH = 2_208_988_800
NOW = 1_700_000_000


def packet(*, leap=0, mode=4, stratum=3, refid=b"\xa9\xfe\xa9\x7b", originate=COOKIE, at=NOW):
    time = (at + EPOCH) << 32
    return struct.pack(
        ">BBbbII4sQQQQ",
        leap << 6 | 4 << 3 | mode,
        stratum,
        4,
        -20,
        0,
        0,
        refid,
        time,
        originate,
        time,
        time,
    )


def reply(octets, **fields):
    return answered(octets, str(SERVER), 123, **fields)


def found(verdict, *, of=True, **what):
    ends: dict[str, Any] = (
        {"local": LOCAL, "remote": Endpoint(SERVER, 123), "path": Path.NATIVE} if of else {}
    )
    return Ntp(vantage=VANTAGE, asked=f"time of {SERVER}", verdict=verdict, **ends, **what)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(reply(packet()), found("synchronised", stratum=3, leap="none"), id="good"),
        pytest.param(
            reply(packet(leap=1)),
            found("synchronised", stratum=3, leap="insert"),
            id="leap-second-to-come",
        ),
        pytest.param(
            reply(packet(leap=3)),
            found("unsynchronised", stratum=3, leap="unsynchronised"),
            id="alarm",
        ),
        pytest.param(
            reply(packet(stratum=16)),
            found("unsynchronised", stratum=16, leap="none"),
            id="stratum-16",
        ),
        pytest.param(
            reply(packet(leap=3, stratum=0, refid=bytes(4))),
            found("unsynchronised", stratum=0, leap="unsynchronised"),
            id="never-had-the-time",
        ),
        pytest.param(
            reply(packet(leap=3, stratum=0, refid=b"RATE")),
            found("kiss-of-death", stratum=0, leap="unsynchronised", kiss_code="RATE"),
            id="kiss",
        ),
        pytest.param(reply(packet(originate=1)), found("unsolicited"), id="nobody-asked"),
        pytest.param(reply(packet(mode=3)), found("malformed"), id="a-client"),
        pytest.param(reply(b"x" * 47), found("malformed"), id="too-short"),
        pytest.param(Reply("timed-out"), found("timed-out", of=False), id="silence"),
        pytest.param(Reply("refused"), found("refused", of=False), id="refused"),
    ],
)
def test_judge(answer, expected):
    assert judge(seen(answer), server=SERVER, cookie=COOKIE) == expected


def test_the_offset_needs_the_vantages_own_clock():
    told = judge(seen(reply(packet(at=NOW + 2), clock_s=float(NOW))), server=SERVER, cookie=COOKIE)
    assert told.offset_s == pytest.approx(2.0, abs=0.02)
    assert judge(seen(reply(packet())), server=SERVER, cookie=COOKIE).offset_s is None


def test_each_question_has_a_cookie_of_its_own():
    first, second = (ntp.ask(SERVER).operations[0]["payload"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("verdict", "layer"),
    [
        ("timed-out", Layer.NTP),
        ("unsynchronised", Layer.NTP),
        ("no-route", Layer.ROUTE),
        ("no-address", Layer.ADDRESS),
    ],
)
def test_the_verdict_names_the_layer(verdict, layer):
    assert found(verdict).broken_layer is layer
