"""What does the agent read on its machine, and what does it refuse?"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import Agent

RTM_GETLINK, RTM_GETADDR, RTM_NEWADDR, RTM_GETROUTE = 18, 22, 20, 26
DUMP = 0x301


def message(kind: int, body: bytes, flags: int = DUMP) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def kinds(octets: bytes) -> set[int]:
    found, at = set(), 0
    while at < len(octets):
        length, kind = struct.unpack_from("=IH", octets, at)
        found.add(kind)
        at += (length + 3) & ~3
    return found


def test_files_are_read_by_pattern(agent: Agent):
    reply = agent.run([wire.read("/proc/sys/net/ipv6/conf/*/forwarding", "/proc/net/if_inet6")])[0]
    read = wire.files(reply)
    assert reply.outcome == "answered"
    assert read["/proc/sys/net/ipv6/conf/lo/forwarding"] in {b"0\n", b"1\n"}
    assert b"00000000000000000000000000000001" in read["/proc/net/if_inet6"]
    assert reply.fields["errors"] == {}


def test_what_cannot_be_read_is_told_apart(agent: Agent):
    reply = agent.run(
        [
            wire.read(
                "/proc/nothing",
                "/etc/nothing-*.conf",
                "/proc/self",
                "/root/.profile",
                "/etc/../root/.profile",
                "/proc/self/root/root/.profile",
                "/etc/bad\0name",
            )
        ]
    )[0]
    assert reply.fields["errors"] == {
        "/proc/nothing": "ENOENT",
        "/etc/nothing-*.conf": "ENOENT",
        "/proc/self": "EINVAL",
        "/root/.profile": "EACCES",
        "/etc/../root/.profile": "EACCES",
        "/proc/self/root/root/.profile": "EACCES",
        "/etc/bad\0name": "EINVAL",
    }
    assert wire.files(reply) == {}


def test_a_file_is_cut_at_its_limit(agent: Agent):
    whole = Path("/proc/self/net/dev").read_bytes()
    reply = agent.run([wire.read("/proc/net/dev", max_bytes=20)])[0]
    assert wire.files(reply) == {"/proc/net/dev": whole[:20]}


def test_no_more_than_a_reply_holds_is_read(agent: Agent):
    reply = agent.run([wire.read(*["/proc/kallsyms"] * 1, max_bytes=1 << 30, timeout_s=10)])[0]
    assert reply.outcome == "too-large"
    assert wire.files(reply) == {}


def test_reading_what_would_block_does_not(agent: Agent):
    reply = agent.run([wire.read("/proc/kmsg", "/dev/zero", "/proc/self/fd/0", timeout_s=1)])[0]
    assert set(reply.fields["errors"]) >= {"/dev/zero", "/proc/self/fd/0"}
    assert reply.elapsed_s < 1


def test_rtnetlink_dumps_come_back_whole(agent: Agent):
    reply = agent.run(
        [
            wire.netlink(
                message(RTM_GETLINK, bytes(16)),
                message(RTM_GETADDR, bytes([socket.AF_INET6]) + bytes(7)),
            )
        ]
    )[0]
    assert reply.outcome == "answered"
    assert kinds(reply.payload) == {16, 20, 3}
    assert socket.inet_pton(socket.AF_INET6, "::1") in reply.payload


def test_one_route_is_asked_for_without_a_dump(agent: Agent):
    body = (
        bytes([socket.AF_INET6, 128, 0, 0, 0, 0, 0, 0])
        + bytes(4)
        + struct.pack("=HH", 20, 1)
        + socket.inet_pton(socket.AF_INET6, "::1")
    )
    reply = agent.run([wire.netlink(message(RTM_GETROUTE, body, flags=1), timeout_s=1)])[0]
    assert (reply.outcome, kinds(reply.payload)) == ("answered", {24})


@pytest.mark.parametrize(
    "request_",
    [
        message(RTM_NEWADDR, bytes(8), flags=0x405),
        message(RTM_GETADDR, bytes(8)) + message(25, bytes(12)),
        b"\x00" * 16,
        message(2, bytes(4)),
    ],
    ids=["new", "hidden", "zero", "control"],
)
def test_the_agent_sends_nothing_that_changes(agent: Agent, request_: bytes):
    reply = agent.run([wire.netlink(request_)])[0]
    assert (reply.outcome, reply.payload) == ("not-permitted", b"")


def test_an_operation_that_makes_no_sense_is_an_outcome(agent: Agent):
    broken: list[dict[str, Any]] = [
        {"op": "udp", "timeout_s": 1, "match": 0},
        {"op": "nothing", "timeout_s": 1},
        {"op": "read", "patterns": 7, "timeout_s": 1},
        {"op": "read"},
        wire.netlink(b"\x01"),
    ]
    replies = agent.run([{"timeout_s": 1, **operation} for operation in broken])
    assert [reply.outcome for reply in replies] == ["error"] * 5
    assert all(reply.detail for reply in replies)


def test_watching_ends_in_time_with_the_counters(agent: Agent):
    reply = agent.run([wire.watch(groups=1 << 8, timeout_s=0.3)])[0]
    assert reply.outcome == "timed-out"
    assert reply.fields["raw"] is (os.geteuid() == 0)
    assert reply.fields["counters"]["lo"] == [0, 0]
    assert reply.fields["events"] == []


def test_watching_one_interface_ends_when_nothing_more_is_wanted(agent: Agent):
    reply = agent.run([wire.watch(groups=0, interface="lo", enough_ras=0, solicit=False)])[0]
    assert (reply.outcome, reply.fields["counters"]) == ("answered", {"lo": [0, 0]})
    assert reply.elapsed_s < 1


def test_the_system_resolver_is_asked_for_one_family(agent: Agent):
    found, literal, missing, silly = agent.run(
        [
            wire.resolve("localhost", family=4),
            wire.resolve("2001:db8::1"),
            wire.resolve("nothing.invalid"),
            wire.resolve("ñ.invalid"),
        ]
    )
    assert (found.outcome, found.fields["addresses"]) == ("answered", ["127.0.0.1"])
    assert (literal.outcome, literal.fields["addresses"]) == ("answered", ["2001:db8::1"])
    assert (missing.outcome, silly.outcome) == ("name-error", "name-error")
