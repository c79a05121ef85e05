"""Does a lab end with its guardian and leave nothing? Do labs live beside each other?"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import names
from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper
from pytest_v6probe.wait import eventually
from tests.lab.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
OWNER = """
import os, sys, time
from pytest_v6probe.lab.up import bring_up
print("starting", flush=True)
keeper = bring_up(name=sys.argv[1], guardian_pid=os.getpid())
print("up", flush=True)
time.sleep(600)
"""
MOMENTS_S = (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 2.0)


def new_name() -> str:
    return f"life-{uuid.uuid4().hex[:10]}"


@contextmanager
def owner(name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that brings a lab up, with itself as the guardian, and then only sleeps."""
    argv = (sys.executable, "-c", OWNER, name)
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "starting\n"
        try:
            yield process
        finally:
            process.kill()


def joined(name: str) -> Keeper:
    """A connection to a keeper that somebody is just starting."""
    until = time.monotonic() + 5
    while True:
        try:
            return Keeper.connect(name)
        except LabError:
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    keeper = bring_up(name=new_name(), guardian_pid=os.getpid())
    yield keeper
    keeper.request({"do": "down"})
    keeper.close()


@pytest.mark.parametrize("moment_s", MOMENTS_S)
def test_a_guardian_killed_while_the_lab_comes_up_leaves_nothing(moment_s: float):
    name = new_name()
    with owner(name):
        time.sleep(moment_s)
        traces = Traces.of(name)
    assert traces.left() == ()


def test_a_guardian_killed_when_the_lab_is_up_leaves_nothing():
    name = new_name()
    with owner(name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        traces = Traces.of(name)
        assert len(traces.pids) > 30
        assert len(traces.networks) > 10
    assert traces.left() == ()


@pytest.mark.parametrize("whom", ["the keeper", "what started it"])
def test_a_lab_whose_root_is_killed_leaves_nothing(whom: str):
    name = new_name()
    keeper = bring_up(name=name, guardian_pid=os.getpid())
    traces = Traces.of(name)
    pid = names.keeper_pid(name)
    os.kill(pid if whom == "the keeper" else Traces.parent(pid), signal.SIGKILL)
    assert traces.left() == ()
    with pytest.raises(LabError, match=r"down|gone"):
        keeper.request({"do": "status"})
    keeper.close()


def test_a_lab_that_is_told_to_go_down_leaves_nothing():
    name = new_name()
    keeper = bring_up(name=name)
    traces = Traces.of(name)
    keeper.request({"do": "down"})
    keeper.close()
    assert traces.left() == ()


def test_a_client_that_is_killed_takes_nothing_with_it(keeper: Keeper):
    script = (
        f"from pytest_v6probe.lab.up import bring_up; bring_up(name={keeper.name!r}); "
        "print('up', flush=True); input()"
    )
    argv = (sys.executable, "-c", script)
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "up\n"
        client.kill()
    assert keeper.request({"do": "status"})[0]["state"] == "up"


def test_whoever_comes_second_joins_the_lab_of_the_first():
    name = new_name()
    with ThreadPoolExecutor(8) as pool:
        keepers = list(pool.map(lambda _: bring_up(name=name, guardian_pid=os.getpid()), range(8)))
    states = {json.dumps(keeper.request({"do": "status"})[0]["nodes"]) for keeper in keepers}
    keepers[0].request({"do": "down"})
    for keeper in keepers:
        keeper.close()
    assert len(states) == 1


def test_one_who_waits_for_the_lab_holds_up_nobody_else():
    name = new_name()
    with (
        owner(name),
        closing(joined(name)) as waiting,
        closing(joined(name)) as asking,
        ThreadPoolExecutor(1) as pool,
    ):
        waited = pool.submit(waiting.request, {"do": "wait", "timeout_s": 30}, timeout_s=31)
        state = asking.request({"do": "status"}, timeout_s=5)[0]["state"]
        assert (state, waited.done()) == ("starting", False)
        assert waited.result()[0]["ok"]


def test_one_who_waits_when_the_guardian_ends_is_told():
    name = new_name()
    with owner(name) as process, closing(joined(name)) as waiting, ThreadPoolExecutor(1) as pool:
        waited = pool.submit(waiting.request, {"do": "wait", "timeout_s": 30}, timeout_s=31)
        process.kill()
        with pytest.raises(LabError, match=r"down|gone"):
            waited.result()


def test_two_labs_do_not_meet(keeper: Keeper):
    other = bring_up(name=new_name(), guardian_pid=os.getpid())
    other.request({"do": "break", "fault": "metadata-only-over-ipv4"})
    here, there = (connect(lab, "us-east-1/web-1", "fd00:ec2::254", 80) for lab in (keeper, other))
    other.request({"do": "down"})
    other.close()
    assert (here, there) == ("connected", "ECONNREFUSED")


def connect(keeper: Keeper, namespace: str, address: str, port: int) -> str:
    asked = {"do": "socket", "namespace": namespace, "family": 6, "type": "stream"}
    (descriptor,) = keeper.request(asked)[1]
    with socket.socket(fileno=descriptor) as door:
        door.settimeout(3)
        code = door.connect_ex((address, port))
    return errno.errorcode[code] if code else "connected"


@pytest.mark.parametrize(
    "fault", sorted(fault.name for fault in FAULTS.values() if fault.shape == "aws")
)
def test_a_fault_is_broken_and_mended(keeper: Keeper, fault: str):
    before = keeper.request({"do": "status"})[0]
    keeper.request({"do": "break", "fault": fault}, timeout_s=20)
    broken = keeper.request({"do": "status"})[0]
    keeper.request({"do": "mend", "fault": fault}, timeout_s=20)
    mended = keeper.request({"do": "status"})[0]
    assert (before["fault"], broken["fault"], mended["fault"]) == ("", fault, "")
    assert before["daemons"] == mended["daemons"]
    assert set(mended["daemons"].values()) == {"running"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            {"do": "break", "fault": "no-such-fault"},
            "there is no fault 'no-such-fault'; there are: no-synth",
        ),
        ({"do": "mend", "fault": "no-ra"}, "has the fault none, not no-ra"),
        ({"do": "break", "fault": "mirror-down"}, "is one of a lab of shape registry"),
        (
            {"do": "socket", "namespace": "nowhere", "family": 6, "type": "stream"},
            "no namespace 'nowhere'; it has carr",
        ),
        (
            {"do": "socket", "namespace": "core", "family": 5, "type": "stream"},
            "no address family 5",
        ),
        ({"do": "socket", "namespace": "core", "family": 6, "type": "raw"}, "bad request"),
        ({"do": "socket", "namespace": ["core"], "family": 6, "type": "dgram"}, "bad request"),
        ({"do": "agent", "namespace": "core", "argv": []}, "an agent needs a command line"),
        ({"do": "agent", "namespace": "core", "argv": ["a\0b"]}, "bad request"),
        ({"do": "wait", "timeout_s": "soon"}, "bad request"),
        ({"do": "fly"}, "not a request that this keeper knows"),
        ({"do": []}, "not a request that this keeper knows"),
        ({}, "not a request that this keeper knows"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    keeper: Keeper, message: dict[str, object], said: str
):
    with pytest.raises(LabError, match=said):
        keeper.request(message)
    assert keeper.request({"do": "status"})[0]["state"] == "up"


@pytest.mark.parametrize(
    "octets",
    [b"\xff" * 100, b"[" * 60000, b"{", b"null", b"[]", b"9" * 5000],
    ids=["no-text", "nested", "cut", "null", "list", "number"],
)
def test_octets_that_are_no_request_are_refused(keeper: Keeper, octets: bytes):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(5)
        door.connect(names.address(keeper.name))
        door.send(octets)
        reply = json.loads(door.recv(65536))
    assert (reply["ok"], reply["kind"]) == (False, "lab")
    assert keeper.request({"do": "status"})[0]["state"] == "up"


def test_a_lab_has_one_fault_at_a_time(keeper: Keeper):
    keeper.request({"do": "break", "fault": "no-ra"})
    with pytest.raises(LabError, match="has the fault no-ra; mend it first"):
        keeper.request({"do": "break", "fault": "ntp-silent"})
    keeper.request({"do": "mend", "fault": "no-ra"})
    assert keeper.request({"do": "status"})[0]["fault"] == ""


def test_a_lab_can_come_up_broken():
    keeper = bring_up(name=new_name(), fault="translator-down", guardian_pid=os.getpid())
    status = keeper.request({"do": "status"})[0]
    keeper.request({"do": "down"})
    keeper.close()
    assert (status["fault"], status["daemons"]["us-east-1/tayga"]) == ("translator-down", "stopped")


def elsewhere(name: str, covered: str, cover: str) -> subprocess.CompletedProcess[str]:
    """Bring a lab up where, for that process only, *cover* lies over the program *covered*."""
    script = (
        f"mount --bind {cover} {covered} && exec {sys.executable} -c "
        f"'from pytest_v6probe.lab.up import bring_up; bring_up(name=\"{name}\")'"
    )
    return subprocess.run(
        ("unshare", "--mount", "sh", "-c", script),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_daemon_that_does_not_start_is_named_with_its_last_words():
    name = new_name()
    said = elsewhere(name, "/usr/sbin/nginx", "/bin/ls").stderr
    assert (
        "DaemonNotReady: google (nginx) was not ready within 10 s: it ended with status 2" in said
    )
    assert "unrecognized option" in said or "invalid option" in said
    assert (
        eventually(lambda: name in names.up(), until=lambda there: not there, within_s=5) is False
    )


def test_a_program_that_is_not_installed_is_named_with_the_command_that_installs_it():
    name = new_name()
    said = elsewhere(name, "/usr/sbin/tayga", "/dev/null").stderr
    assert "LabError: a lab cannot be brought up here:\n  tayga (NAT64) is not installed" in said
    assert "apt-get install --no-install-recommends tayga\n" in said
    assert name not in names.up()


def test_a_lab_that_nobody_has_is_an_error_that_says_how_to_get_it():
    with pytest.raises(LabError, match="v6probe lab up aws"):
        Keeper.connect(new_name())


def test_a_guardian_that_has_ended_gets_no_lab():
    gone = subprocess.Popen(("true",))
    gone.wait()
    with pytest.raises(LabError, match="has ended already"):
        bring_up(name=new_name(), guardian_pid=gone.pid)


def test_a_shape_that_does_not_exist_is_refused():
    with pytest.raises(LabError, match="no lab of shape 'azure'; there is aws"):
        bring_up("azure", name=new_name())


def test_the_commands_bring_a_lab_up_show_it_enter_it_and_end_it(tmp_path: Path):
    name, file = new_name(), tmp_path / "lab.toml"

    def lab(*words: str, given: str = "") -> str:
        call = (
            f"import sys; from pytest_v6probe.cli import main; sys.exit(main({['lab', *words]!r}))"
        )
        argv = (sys.executable, "-c", call)
        ran = subprocess.run(
            argv, cwd=ROOT, input=given, capture_output=True, text=True, check=True
        )
        return ran.stdout

    try:
        assert f"the lab {name} is up" in lab("up", "aws", "--name", name, "--env", str(file))
        assert f"{name}: aws, up, 15 nodes, 18 daemons" in lab("status")
        hostname = lab("shell", "private-1", "--name", name, given="hostname\n")
        assert hostname == "i-0b1d6c4f3a2e59871.ec2.internal\n"
        assert name in file.read_text(encoding="utf-8")
    finally:
        said = lab("down", "--name", name)
    assert said == f"the lab {name} is down\n"
