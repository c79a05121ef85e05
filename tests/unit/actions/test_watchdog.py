"""Does a host put itself back when the run that changed it is killed?"""

from __future__ import annotations

import pytest

KILLED = """
KILLED_RUN = '''
import json, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from pytest_v6probe.actions.actor import open_actor
from pytest_v6probe.transport.local import LocalTransport
actor = open_actor(LocalTransport(), python=sys.argv[2])
actor.arm(deadline_s=1.5, files=["/run/daemon.json", "/run/new.json"], afterwards=[("touch", "/run/restarted")])
actor.write("/run/daemon.json", b"new")
actor.write("/run/new.json", b"new")
print("armed", flush=True)
time.sleep(60)
'''
before = routes()
run = subprocess.Popen([sys.executable, "-I", "-c", KILLED_RUN, *sys.argv[1:3]], stdout=-1)
run.stdout.readline()
sh("sysctl -w net.ipv6.conf.all.forwarding=1; sysctl -w net.ipv6.conf.eth0.accept_ra=0; "
   "ip -6 route flush default; ip -6 route add default via fe80::6 dev eth0 metric 512")
changed = routes()
run.kill(); run.wait()
end = time.monotonic() + 20
logs = []
while time.monotonic() < end and "done" not in logs:
    time.sleep(0.1)
    for name in os.listdir("/run/watchdogs-v6probe"):
        if os.path.exists("/run/watchdogs-v6probe/" + name + "/log"):
            logs = open("/run/watchdogs-v6probe/" + name + "/log").read().splitlines()
print(json.dumps({
    "before": before, "changed": changed, "after": routes(), "log": logs,
    "expires": [r["expires"] for r in ip("route", "show", "default") if r["protocol"] == "ra"],
    "file": [open("/run/daemon.json").read(), oct(os.stat("/run/daemon.json").st_mode)],
    "new": os.path.exists("/run/new.json"), "restarted": os.path.exists("/run/restarted"),
    "sysctls": [sysctl(n) for n in ("all/forwarding", "eth0/forwarding", "eth0/accept_ra")],
}))
"""


@pytest.fixture(scope="module")
def killed(inside):
    import sys

    from tests.unit.agent.conftest import python_of

    return inside(KILLED, python_of("3.6") or sys.executable)


def test_the_routes_are_back_as_they_were(killed):
    assert killed["changed"] == [["fe80::6", "eth0", None, 512]]
    assert killed["after"] == killed["before"]
    assert killed["before"] == [["fe80::1", "eth0", "ra", 512], ["fe80::9", "eth0", "static", 2000]]


def test_a_route_has_what_is_left_of_its_lifetime(killed):
    assert 1600 < killed["expires"][0] < 1700


def test_sysctls_and_files_are_back_and_the_engine_is_restarted(killed):
    assert killed["sysctls"] == ["0", "0", "1"]
    assert killed["file"] == ["old\n", "0o100640"]
    assert (killed["new"], killed["restarted"]) == (False, True)


def test_the_log_says_what_was_put_back(killed):
    assert killed["log"] == [
        "file /run/daemon.json",
        "file /run/new.json",
        "sysctl net.ipv6.conf.eth0.accept_ra: 0 to 1",
        "sysctl net.ipv6.conf.all.forwarding: 1 to 0",
        "deleted: route default via fe80::6 dev eth0",
        "route default via fe80::1 dev eth0: by hand",
        "route default via fe80::9 dev eth0: by hand",
        "ran touch /run/restarted: 0",
        "done",
    ]


COMMANDS = """
actor = open_actor(LocalTransport())
first = actor.arm(deadline_s=60)
try:
    open_actor(LocalTransport()).arm(deadline_s=60)
except Unobserved as why:
    second = why.reason
sh("ip -6 route del default via fe80::9")
disarmed = actor.disarm(first)
gone = routes()
try:
    actor.disarm(first)
except Unobserved as why:
    again = why.reason
third = actor.arm(deadline_s=60)
sh("ip -6 route add default via fe80::9 dev eth0 proto static metric 2000")
put_back = actor.put_back(third)
sh("ip -6 route add default via fe80::9 dev eth0 proto static metric 2000")
fourth = actor.arm(deadline_s=60)
def detached():
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()
            and b"v6probe" in open("/proc/%s/cmdline" % pid, "rb").read()
            and os.readlink("/proc/%s/fd/0" % pid) == "/dev/null"]
def patiently(enough):
    end = time.monotonic() + 10
    while not enough() and time.monotonic() < end:
        time.sleep(0.05)
patiently(detached)  # it lets go of our streams just after it is armed
pids = detached()
sh("ip -6 route del default via fe80::9")
actor.run(("kill", *pids), timeout_s=5)
patiently(lambda: len(routes()) == 2)
log = actor.disarm(fourth)
try:
    actor.disarm("../../etc")
except Unobserved as why:
    strange = why.reason
print(json.dumps({"second": second, "disarmed": disarmed, "gone": len(gone), "again": again,
    "put_back": put_back, "left": os.listdir("/run/watchdogs-v6probe"), "log": log,
    "terminated": len(routes()), "pids": len(pids), "strange": strange}))
"""


@pytest.fixture(scope="module")
def commanded(inside):
    return inside(COMMANDS)


def test_one_watchdog_at_a_time_is_armed(commanded):
    assert commanded["second"] == "armed-already"


def test_a_watchdog_that_is_sent_away_puts_nothing_back(commanded):
    assert (commanded["disarmed"], commanded["gone"]) == ([], 1)


def test_one_that_has_gone_cannot_be_told_anything(commanded):
    assert (commanded["again"], commanded["strange"]) == ("watchdog-gone", "watchdog-gone")


def test_one_can_be_told_to_put_things_back_at_once(commanded):
    assert commanded["put_back"] == ["deleted: route default via fe80::9 dev eth0", "done"]
    assert commanded["left"] == []


def test_one_that_is_terminated_puts_things_back_first(commanded):
    assert (commanded["pids"], commanded["terminated"]) == (1, 2)
    assert commanded["log"] == ["route default via fe80::9 dev eth0: by hand", "done"]
