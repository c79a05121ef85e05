"""How soon is a route change noticed by the flight recorder, and what does it cost? 200 changes,
beside a poller that looks every second in the same run.

Wanted: median at most 5 ms, maximum at most 50 ms; at most 1 % of one core; at most 2 MB an hour.
Run as root: python -m benchmarks.bench_route_watch
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform
from statistics import median
from threading import Event, Thread
from typing import Any

from pyroute2 import IPRoute

from pytest_v6probe.agent import wire_records
from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.linux import netlink
from pytest_v6probe.transport.local import LocalTransport

CHANGES, QUIET_S, LOOK_S = 200, 20.0, 1.0
TABLE = Path("/proc/self/net/ipv6_route")
RADVD = (
    "interface eth1 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;\n"
    "  prefix 2001:db8:ffff::/64 { }; };\n"
)
INSIDE = "V6PROBE_BENCH_INSIDE"


def main() -> None:
    if INSIDE not in os.environ:
        command = (
            "ip link set lo up; ip link add name eth0 type veth peer name eth1; "
            'ip link set eth0 up; ip link set eth1 up; exec "$@"'
        )
        argv = ["unshare", "--net", "sh", "-c", command, "sh", sys.executable, "-m", __spec__.name]
        raise SystemExit(
            subprocess.run(argv, check=False, env={**os.environ, INSIDE: "1"}).returncode
        )
    agent = open_agent(LocalTransport())
    with advertised():
        recording, pid = started(agent)
        before, cpu_before, begun = size(agent, recording), cpu_s(pid), time.monotonic()
        time.sleep(QUIET_S)
        quiet_s = time.monotonic() - begun
        core = (cpu_s(pid) - cpu_before) / quiet_s
        grown = (size(agent, recording) - before) / quiet_s * 3600 / 1e6
        polled, changed = changes()
    noticed = lags(collected(agent, recording), changed)
    agent.close()
    for who, found in (("v6probe flight recorder", noticed), ("a poller, every second", polled)):
        print(f"{who:24} median {1000 * median(found):8.2f} ms, most {1000 * max(found):8.2f} ms")
    print("(wanted of the recorder: median 5 ms, most 50 ms)")
    print(f"noticed: {len(noticed)} of {CHANGES}; the poller: {len(polled)}")
    print(f"with a router advertisement every 3 to 4 s: {100 * core:.2f} % of a core (wanted: 1), ")
    print(f"{grown:.2f} MB an hour (wanted: 2)")


@contextmanager
def advertised() -> Iterator[None]:
    """A router on the other end of the link, where radvd is installed."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(RADVD)
        file.flush()
        radvd = subprocess.Popen(
            ["radvd", "-n", "-m", "stderr", "-C", file.name, "-p", f"{file.name}.pid"],
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(1)
            yield
        finally:
            radvd.terminate()
            radvd.wait(10)
            Path(f"{file.name}.pid").unlink(missing_ok=True)


def size(agent: Agent, recording: str) -> int:
    reply = agent.run([wire_records.recorded(recording, max_bytes=1)])[0]
    return int(reply.fields["size_bytes"])


def started(agent: Agent) -> tuple[str, int]:
    """The id of a recording, and its process: the one that was not there before."""
    before = set(recorders())
    reply = agent.run([wire_records.record("flight", for_s=300, max_bytes=2 << 20)])[0]
    assert reply.outcome == "answered", reply
    (pid,) = set(recorders()) - before
    return reply.fields["recording"], pid


def recorders() -> list[int]:
    """Every process in this network namespace that is not this one."""
    own = Path("/proc/self/ns/net").readlink()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "ns/net").readlink() == own and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def changes() -> tuple[list[float], list[tuple[float, str]]]:
    """The lags of the poller, and when (seconds since boot) each route was added."""
    done, seen, changed = Event(), dict[str, float](), list[tuple[float, str]]()

    def poll() -> None:
        while not done.is_set():
            now, table = time.clock_gettime(time.CLOCK_BOOTTIME), TABLE.read_text()
            for line in table.splitlines():
                seen.setdefault(line[:32], now)
            done.wait(LOOK_S)

    kernel: Any = IPRoute()
    link = kernel.link_lookup(ifname="eth0")[0]
    poller = Thread(target=poll)
    poller.start()
    for number in range(CHANGES):
        prefix = f"2001:db8:{number:x}::"
        changed.append(
            (time.clock_gettime(time.CLOCK_BOOTTIME), f"20010db8{number:04x}".ljust(32, "0"))
        )
        kernel.route("add", dst=f"{prefix}/64", oif=link)
        time.sleep(uniform(0.0, 0.1))
    time.sleep(2 * LOOK_S)
    done.set()
    poller.join()
    kernel.close()
    return [max(0.0, seen[key] - at) for at, key in changed if key in seen], changed


def collected(agent: Agent, recording: str) -> str:
    agent.run([wire_records.stop_recording(recording)])
    octets = b""
    while True:
        reply = agent.run([wire_records.recorded(recording, offset=len(octets))])[0]
        octets += reply.payload
        if not reply.payload:
            break
    agent.run([wire_records.stop_recording(recording, remove=True)])
    return octets.decode()


def lags(text: str, changed: list[tuple[float, str]]) -> list[float]:
    """Seconds from each change to its line in the recording."""
    lines = [json.loads(line) for line in text.splitlines()]
    start = lines[0]["up_s"]
    noted: dict[str, float] = {}
    for line in lines:
        if line["kind"] == "netlink":
            for route in netlink.read_routes(b64decode(line["payload"])):
                noted.setdefault(
                    route.destination.network_address.packed.hex(), start + line["t_s"]
                )
    return [max(0.0, noted[key] - at) for at, key in changed if key in noted]


if __name__ == "__main__":
    main()
