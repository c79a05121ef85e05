"""Is a route watched, judged and put back on a real kernel, whatever becomes of the run?"""

from __future__ import annotations

from base64 import b64encode
from fnmatch import fnmatch

import pytest

from pytest_v6probe.actions import route_survival as module
from pytest_v6probe.actions.docker import restart_engine
from pytest_v6probe.actions.route_survival import route_survival
from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.errors import AgentUnusable, Unobserved
from pytest_v6probe.inventory.model import Docker, Host
from pytest_v6probe.transport.fake import FakeTransport
from pytest_v6probe.vantage import Vantage

WITH_ROUTER = """
from dataclasses import dataclass
from pytest_v6probe.actions.docker import Plan
from pytest_v6probe.actions.route_survival import route_survival
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.errors import VantageUnreachable
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.vantage import Vantage

ROUTER = '''
import select, socket, struct, sys
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
raw.setsockopt(41, 18, 255)
index = socket.if_nametoindex("far")
prefix = bytes.fromhex("030440c0000000640000005a00000000") + socket.inet_pton(10, "2001:db8::")
said = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 60, 0, 0) + prefix
while True:
    raw.sendto(said, ("ff02::1", 0, 0, index))
    while select.select([raw], [], [], 1.0)[0] and raw.recv(2000)[:1] != bytes((133,)):
        pass
'''
sh("ip netns add r; ip link set far netns r; ip netns exec r sh -c "
   "'sysctl -w net.ipv6.conf.far.accept_dad=0 net.ipv6.conf.all.forwarding=1; ip link set far up'; "
   "ip -6 route flush default; ip link set eth0 down; sysctl -w net.ipv6.conf.eth0.accept_dad=0; "
   "ip link set eth0 up")
time.sleep(0.3)
router = subprocess.Popen(["ip", "netns", "exec", "r", sys.executable, "-c", ROUTER])

class Local(LocalTransport):
    name = "cuttable"
    def start(self, argv, *, timeout_s):
        if os.path.exists("/run/cut"):
            raise VantageUnreachable("cut", reason="cut")
        return super().start(argv, timeout_s=timeout_s)

@dataclass(frozen=True)
class Script:
    text: str
    cut: bool = False
    slow_s: float = 0.0
    name: str = "a script"
    def plan(self, host, actor):
        def do(timeout_s):
            if self.text == "interrupt":
                sh("ip -6 route flush default")
                raise KeyboardInterrupt
            if self.cut:
                open("/run/cut", "w").close()
                host._agent._drop()
            ran = actor.run(("sh", "-c", self.text), timeout_s=timeout_s)
            time.sleep(self.slow_s)
            return "" if ran.status == 0 else "refused %d" % ran.status
        return Plan(do=do, files=("/run/cut",))

def host(manage=None):
    return Vantage(name="h", region="", host=Host(name="h", local=True), prefixes=None,
        connect=lambda: open_agent(Local()), manage=manage, witness=seen.append, disruptive=True)

seen, told = [], {}
while not routes():
    time.sleep(0.05)

def survive(name, action, manage=None, **how):
    at = host(manage)
    try:
        found = route_survival(at, action, **{"within_s": 2.5, "deadline_s": 30, **how})
        told[name] = [found.verdict, found.owner, list(found.put_back), found.contact, found.refused,
            [line.replace(found.before_gateway.compressed, "ROUTER") for line in found.cause]]
    except KeyboardInterrupt:
        told[name] = "interrupted"
    at.close()
    told[name + " after"] = [
        [[r["protocol"], r["metric"]] for r in ip("route", "show", "default")],
        sysctl("all/forwarding"), sysctl("eth0/accept_ra"), os.path.exists("/run/cut"),
        [n for n in os.listdir("/run") if n.startswith("v6probe-") and n != "v6probe-records"],
        os.listdir("/run/watchdogs-v6probe")]
"""
FORWARD = "sysctl -w net.ipv6.conf.all.forwarding=1"
STORY = f"""
survive("nothing", Script("true"))
survive("forwarding", Script("{FORWARD}"))
survive("ignored", Script("sysctl -w net.ipv6.conf.eth0.accept_ra=0; exit 3"))
survive("interrupt", Script("interrupt"))
told["witnessed"] = [finding.verdict for finding in seen]
router.kill(); router.wait()
print(json.dumps(told))
"""
LOST = f"""
manage = lambda: open_agent(LocalTransport())
survive("managed", Script("{FORWARD}; kill -9 $PPID", cut=True), manage)
survive("alone", Script("{FORWARD}; kill -9 $PPID", cut=True), within_s=1.5, deadline_s=4)
survive("slow", Script("{FORWARD}", slow_s=5), within_s=1.5, deadline_s=4)
router.kill(); router.wait()
print(json.dumps(told))
"""
HANDED = """
kernels = open("/proc/net/ipv6_route").read().count("00450003")
router.send_signal(19)
actor = open_actor(LocalTransport())
watchdog = actor.arm(deadline_s=60)
sh("ip -6 route flush default")
log = actor.put_back(watchdog)
ours = open("/proc/net/ipv6_route").read().count("00450003")
router.send_signal(18)
end = time.monotonic() + 8
while open("/proc/net/ipv6_route").read().count("00450003") != kernels and time.monotonic() < end:
    time.sleep(0.05)
again = open("/proc/net/ipv6_route").read().count("00450003")
router.kill(); router.wait()
print(json.dumps([kernels, [line.rpartition(":")[2] for line in log], ours, again, len(routes())]))
"""
BACK = [[["ra", 1024]], "0", "1", False, [], []]
REMOVED = "default via ROUTER dev eth0 removed by the kernel at t+"


@pytest.fixture(scope="module")
def story(inside):
    return inside(WITH_ROUTER + STORY)


@pytest.fixture(scope="module")
def lost(inside):
    return inside(WITH_ROUTER + LOST)


def test_a_route_that_an_advertisement_renews_survives(story):
    assert story["nothing"] == ["renewed", "kernel", ["done"], "kept", "", []]


def test_forwarding_purges_the_route_of_the_kernel(story):
    verdict, owner, put_back, contact, refused, cause = story["forwarding"]
    assert (verdict, owner, contact, refused) == ("purged", "kernel", "kept", "")
    assert [line.partition("t+")[0] for line in cause] == [
        "all.forwarding 0→1 at ",
        REMOVED.removesuffix("t+"),
    ]
    assert cause[0].endswith(" while accept_ra=1 on eth0")
    assert [line.rpartition(": ")[2] for line in put_back] == ["1 to 0", "by solicitation", "done"]


def test_a_route_that_the_kernel_does_not_renew_any_more_is_dying(story):
    assert story["ignored"][:2] == ["dying", "kernel"]
    assert story["ignored"][4] == "refused 3"
    assert [line.partition(" at ")[0] for line in story["ignored"][5]] == ["accept_ra 1→0 on eth0"]


@pytest.mark.parametrize("name", ["nothing", "forwarding", "ignored", "interrupt"])
def test_everything_is_put_back(story, name):
    assert story[f"{name} after"] == BACK


def test_an_interrupt_passes_and_a_finding_is_witnessed(story):
    assert story["interrupt"] == "interrupted"
    assert story["witnessed"] == ["renewed", "purged", "dying"]


def test_contact_lost_over_the_action_is_a_finding_read_over_the_management_path(lost):
    verdict, _, put_back, contact, _, cause = lost["managed"]
    assert (verdict, contact, len(cause)) == ("purged", "lost", 2)
    assert put_back[0] == "file /run/cut"
    assert lost["managed after"] == BACK


def test_without_one_it_is_read_when_the_watchdog_has_put_the_route_back(lost):
    verdict, _, put_back, contact, _, cause = lost["alone"]
    assert (verdict, contact, len(cause)) == ("purged", "lost", 2)
    assert put_back[0] == "file /run/cut"
    assert lost["alone after"] == BACK


def test_what_the_watchdog_put_back_meanwhile_is_none_of_the_actions_doing(lost):
    verdict, owner, *_ = lost["slow"]
    assert (verdict, owner) == ("purged", "kernel")


def test_a_route_put_there_by_hand_is_handed_over_to_the_kernel(inside):
    assert inside(WITH_ROUTER + HANDED) == [1, [" by hand", "done"], 0, 1, 1]


def connect() -> Agent:
    raise AgentUnusable("no python3", reason="no-python3")


def vantage(connect=connect, **more) -> Vantage:
    return Vantage(
        name="docker-1",
        region="",
        host=Host(name="docker-1", local=True),
        connect=connect,
        prefixes=lambda _: frozenset(),
        docker=Docker(host="docker-1"),
        **more,
    )


def test_a_run_that_may_not_disrupt_changes_nothing():
    with pytest.raises(Unobserved) as caught:
        route_survival(vantage(), restart_engine(), within_s=1)
    assert caught.value.reason == "not-disruptive"


def test_a_deadline_must_leave_time_for_the_action():
    with pytest.raises(ValueError, match="deadline_s=10 leaves no time beyond within_s=10"):
        route_survival(vantage(disruptive=True), restart_engine(), within_s=10, deadline_s=10)


def test_a_host_that_cannot_be_asked_is_not_changed():
    with pytest.raises(AgentUnusable):
        route_survival(vantage(disruptive=True), restart_engine(), within_s=1)


@pytest.mark.parametrize(
    ("unit", "processes", "runs"),
    [
        ("dhcpcd.service", "17\n", True),
        ("system-dhcpcd.slice/dhcpcd@eth0.service", "17\n", True),
        ("dhcpcd.service", "", False),
        ("networking.service", "17\n", False),
    ],
)
def test_an_owner_runs_that_systemd_has_processes_of(unit: str, processes: str, runs: bool):
    there = f"/sys/fs/cgroup/unified/system.slice/{unit}/cgroup.procs"

    def answer(operation):
        found = any(fnmatch(there, pattern) for pattern in operation["patterns"])
        files = {there: b64encode(processes.encode()).decode()} if found else {}
        return {"outcome": "answered", "files": files, "errors": {}}

    host = vantage(lambda: open_agent(FakeTransport(answer)))
    assert module._runs(host, "dhcpcd") is runs
