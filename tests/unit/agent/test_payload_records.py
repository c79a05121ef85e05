"""Does a recorder outlive its agent, end as it should, and keep its file to its own user?"""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from pytest_v6probe.agent import batch, bootstrap, wire, wire_records
from pytest_v6probe.agent.client import Agent
from tests.unit.agent.world import World, begin, ended, finish, lines, read

NOBODYS = "0123456789abcdef" * 2
KINDS = ("flight", "packets")


def outcomes(agent: Agent, recording: str) -> list[tuple[str, str]]:
    """What each way to use *recording* gives."""
    operations = [wire_records.recorded(recording), wire_records.stop_recording(recording)]
    return [(reply.outcome, reply.detail) for reply in agent.run(operations)]


@pytest.mark.parametrize("way", ["HUP", "TERM", "KILL"])
def test_a_recorder_goes_on_when_its_agent_is_killed_and_another_collects_it(
    world: World, recorder: Agent, way: str
):
    recording = begin(recorder, "flight")
    world.sh(f"kill -{way} {recorder.hello['pid']}")
    world.sh("ip link add late type veth peer name tail")
    other = world.agent()
    assert read(other, recording).fields["ended"] == ""
    seen = lines(finish(other, recording))
    other.close()
    assert (seen[0]["kind"], seen[-1]["kind"], seen[-1]["why"]) == ("start", "end", "asked")
    assert "/proc/sys/net/ipv6/conf/late/forwarding" in seen[-1]["sysctls"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorder_holds_nothing_of_the_channel(world: World, kind: str):
    argv = bootstrap.command(world.python, nonce="abc", concurrency=4)
    request = batch.encoded(wire_records.record(kind, for_s=60, max_bytes=1 << 20), 1)
    process = subprocess.Popen(
        (*world.enter, "sh", "-c", '"$@"; echo over', "sh", *argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(bootstrap.payload() + b"[" + request + b"]\n")
    process.stdin.flush()
    (reply,) = json.loads([process.stdout.readline() for _ in range(3)][2])
    rest, errors = process.communicate(timeout=10)
    assert (reply["outcome"], rest, errors) == ("answered", b"over\n", b"")
    other = world.agent()
    assert read(other, reply["recording"]).fields["ended"] == ""
    other.close()


def test_a_recorder_begins_while_names_are_being_looked_up(world: World, recorder: Agent):
    world.sh(
        "echo nameserver 127.0.0.9 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf"
    )
    silent = "import socket,time;s=socket.socket(2,2);s.bind(('127.0.0.9',53));time.sleep(99)"
    world.sh(f'{world.python} -c "{silent}" </dev/null >/dev/null 2>&1 & sleep 0.3')
    lookups = [wire.resolve(f"name{n}.test", timeout_s=1) for n in range(8)]
    *asked, begun = recorder.run(
        [*lookups, wire_records.record("flight", for_s=9, max_bytes=1 << 20)]
    )
    assert {reply.outcome for reply in asked} == {"timed-out"}
    assert begun.elapsed_s < 1
    assert lines(finish(recorder, begun.fields["recording"]))[-1]["why"] == "asked"


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorder_is_alone_in_its_session_and_has_no_files_but_its_own(
    world: World, recorder: Agent, kind: str
):
    recording = begin(recorder, kind)
    pid, agent = world.pid_of(recording), recorder.hello["pid"]
    sessions = world.sh(f"cut -d' ' -f6 /proc/{pid}/stat /proc/{agent}/stat").split()
    assert len(set(sessions)) == 2
    files = world.sh(f"cd /proc/{pid}; readlink cwd fd/0 fd/1 fd/2 fd/*").splitlines()
    assert files[:4] == ["/", "/dev/null", "/dev/null", "/dev/null"]
    home, others = (
        f"/run/v6probe-{recording}",
        ("/dev/null", "/proc/sys/", "socket:", "anon_inode:", "pipe:"),
    )
    private = [file for file in files[4:] if not file.startswith(others)]
    assert sorted(private) == [home, home + "/ask", home + "/record"]
    assert len([file for file in files if file.startswith("pipe:")]) == 1


def test_a_recorder_ends_at_its_deadline_by_itself(recorder: Agent):
    recording = begin(recorder, "flight", for_s=0.2)
    reply = ended(recorder, recording)
    last = lines(reply.payload)[-1]
    assert reply.fields["ended"] == last["why"] == "deadline"
    assert last["t_s"] >= 0.2


def test_a_recorder_that_was_killed_has_died(world: World, recorder: Agent):
    recording = begin(recorder, "flight")
    world.sh(f"kill -KILL {world.pid_of(recording)}")
    assert ended(recorder, recording).fields["ended"] == "died"
    assert lines(finish(recorder, recording))[-1]["kind"] == "start"


def test_a_recording_is_read_in_pieces_and_removed_when_asked(world: World, recorder: Agent):
    recording = begin(recorder, "flight")
    whole = finish(recorder, recording)
    assert read(recorder, recording, offset=7, max_bytes=9).payload == whole[7:16]
    assert read(recorder, recording, offset=1 << 40).payload == b""
    gone = recorder.run([wire_records.stop_recording(recording, remove=True)])[0]
    assert dict(gone.fields) == {"ended": "asked", "lost": 0, "size_bytes": len(whole)}
    assert list(world.run.iterdir()) == []
    assert outcomes(recorder, recording) == [("error", "ENOENT")] * 2


def test_only_its_user_can_read_it(world: World, recorder: Agent):
    home = world.run / f"v6probe-{begin(recorder, 'flight')}"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [home, *home.iterdir()]}
    assert modes == {home.name: "0o700", "ask": "0o600", "record": "0o600"}


@pytest.mark.parametrize(
    "recording",
    ["", "..", "../../etc", f"../v6probe-{NOBODYS}"[:32], NOBODYS.upper(), NOBODYS[:-1], "é" * 32],
)
def test_what_is_no_id_is_refused(recorder: Agent, recording: str):
    assert outcomes(recorder, recording) == [("error", "EINVAL")] * 2


def test_what_is_not_a_recording_of_ones_own_is_refused(world: World, recorder: Agent):
    home, target = world.run / f"v6probe-{NOBODYS}", world.run / "target"
    assert outcomes(recorder, NOBODYS) == [("error", "ENOENT")] * 2
    target.mkdir(mode=0o700)
    home.symlink_to("target")
    assert outcomes(recorder, NOBODYS) == [("error", "ENOENT")] * 2
    home.unlink()
    home.mkdir()
    home.chmod(0o755)
    assert outcomes(recorder, NOBODYS) == [("not-permitted", "another's directory")] * 2
    home.chmod(0o700)
    (home / "record").symlink_to("/etc/hostname")
    assert outcomes(recorder, NOBODYS)[0] == ("error", "ELOOP")
    assert read(recorder, NOBODYS).payload == b""


@pytest.mark.parametrize(
    "wanted",
    [
        {"for_s": 0},
        {"for_s": -1},
        {"for_s": float("nan")},
        {"max_bytes": 1000},
        {"max_bytes": 1 << 40},
        {"filter": b"\xff" * 8},
        {"kind": "nothing"},
    ],
    ids=repr,
)
def test_a_recording_that_makes_no_sense_is_an_outcome_and_leaves_nothing(
    world: World, recorder: Agent, wanted: dict
):
    operation = wire_records.record(
        "packets", **{"for_s": 1, "max_bytes": 1 << 16, **filtered(wanted)}
    )
    reply = recorder.run([{**operation, **wanted} if "kind" in wanted else operation])[0]
    assert reply.outcome == "error"
    assert list(world.run.iterdir()) == []


def filtered(wanted: dict) -> dict:
    return {key: value for key, value in wanted.items() if key != "kind"}


def test_no_more_than_so_many_run_and_the_oldest_ended_make_room(world: World, recorder: Agent):
    first, *_, last = [begin(recorder, "flight") for _ in range(32)]
    refused = recorder.run([wire_records.record("flight", for_s=9, max_bytes=1 << 16)])[0]
    assert (refused.outcome, refused.detail) == ("error", "32 recordings run already")
    for recording in (last, first):
        finish(recorder, recording)
        time.sleep(0.01)
    begin(recorder, "flight")
    assert outcomes(recorder, last)[0] == ("error", "ENOENT")
    assert outcomes(recorder, first)[0] == ("answered", "")


def test_no_directory_is_filled(world: World, recorder: Agent):
    for base in ("/run", "/tmp", "/var/tmp", "/dev/shm"):
        world.sh(f"mount -t tmpfs -o size=1m small {base}")
    large, small = recorder.run(
        [wire_records.record("flight", for_s=9, max_bytes=size) for size in (1 << 20, 1 << 18)]
    )
    assert large.detail == "no room in any of /run /tmp /var/tmp /dev/shm"
    assert (large.outcome, small.outcome) == ("error", "answered")


def test_what_ended_long_ago_is_removed_by_the_next(world: World, recorder: Agent):
    old, running, fresh = (begin(recorder, "flight") for _ in range(3))
    finish(recorder, old)
    finish(recorder, fresh)
    for recording in (old, running):
        world.sh(f"touch -d '2 hours ago' /run/v6probe-{recording}")
    newest = begin(recorder, "flight")
    left = {path.name.partition("-")[2] for path in world.run.iterdir()}
    assert left == {running, fresh, newest}
