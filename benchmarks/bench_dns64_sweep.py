"""How many names are checked for DNS64 in a second, from one vantage, beside dnsperf against the
same BIND in the same run?

Wanted: at least 40,000 answers/s collected, 10,000 names/s judged. BIND listens on the loopback of
a network namespace that the script makes for itself and that ends with it. Run as root: python -m
benchmarks.bench_dns64_sweep
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from pytest_v6probe.agent.client import Agent, open_agent
from pytest_v6probe.inventory.model import Host
from pytest_v6probe.probes.dns64 import Dns64, dns64
from pytest_v6probe.probes.resolver import resolver
from pytest_v6probe.rfc.rfc6052 import WELL_KNOWN_PREFIX
from pytest_v6probe.transport.local import LocalTransport
from pytest_v6probe.vantage import Ask, Seen, Vantage

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE = "--inside"
NAMES, ROUNDS, DNSPERF_S = 10_000, 5, 5
SERVER = IPv6Address("::1")
FIRST_IPV4 = IPv4Address("44.0.0.0")
CONFIG = """
options {{ directory "{place}"; pid-file none; session-keyfile none; recursion no; notify no;
  listen-on {{ none; }}; listen-on-v6 {{ ::1; }}; minimal-responses yes;
  dns64 64:ff9b::/96 {{ clients {{ any; }}; recursive-only no; }}; }};
controls {{}};
zone "." {{ type primary; file "root.zone"; }};
"""
SOA = "@ 300 SOA ns. admin. 1 1800 900 604800 60\n@ 300 NS ns.\nns. 300 AAAA ::1\n"


def main() -> None:
    if INSIDE not in sys.argv:
        unshare = ("unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child")
        sys.exit(
            subprocess.run(
                (*unshare, sys.executable, "-m", "benchmarks.bench_dns64_sweep", INSIDE),
                check=False,
            ).returncode
        )
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    with tempfile.TemporaryDirectory() as folder, named(Path(folder)):
        peer = dnsperf(Path(folder))
        collected, judged, checked = ours()
    print(f"dnsperf               {peer:9,.0f} answers/s")
    print(f"collected by sweep    {collected:9,.0f} answers/s   (wanted: 40,000)")
    print(f"judged                {judged:9,.0f} names/s     (wanted: 10,000; two answers each)")
    print(f"asked and judged      {checked:9,.0f} names/s from start to end")
    print(f"ratio: {collected / peer:.2f} of dnsperf")


def ours() -> tuple[float, float, float]:
    """Answers collected a second, names judged a second, and names a second for all of it: medians."""
    agent = open_agent(LocalTransport())
    at = Vantage(
        name="here",
        region="",
        host=Host(name="here", local=True),
        connect=lambda: agent,
        prefixes=lambda _: frozenset({WELL_KNOWN_PREFIX}),
    )
    rounds = [measured(at, agent) for _ in range(ROUNDS)]
    at.close()
    collected, judged, checked = (median(column) for column in zip(*rounds, strict=True))
    return collected, judged, checked


def measured(at: Vantage, agent: Agent) -> tuple[float, float, float]:
    """One round of all names."""
    begun = time.perf_counter()
    asks = [
        dns64.ask(name(number), server=SERVER, prefix=WELL_KNOWN_PREFIX) for number in range(NAMES)
    ]
    operations = [operation for ask in asks for operation in ask.operations]
    asked = time.perf_counter()
    replies = agent.run(operations)
    came = time.perf_counter()
    findings = [
        judged(
            ask,
            Seen(
                vantage=at.name,
                replies=tuple(replies[2 * number : 2 * number + 2]),
                nat64_prefixes=at.nat64_prefixes,
            ),
        )
        for number, ask in enumerate(asks)
    ]
    ended = time.perf_counter()
    verdicts = {finding.verdict for finding in findings}
    assert verdicts == {"synthesised"}, verdicts
    return len(operations) / (came - asked), NAMES / (ended - came), NAMES / (ended - begun)


def judged(ask: Ask[Dns64], seen: Seen) -> Dns64:
    return ask.judge(seen)


def dnsperf(place: Path) -> float:
    """Answers a second to the same questions."""
    questions = place / "questions"
    questions.write_text(
        "".join(f"{name(number)} {kind}\n" for number in range(NAMES) for kind in ("AAAA", "A"))
    )
    ran = subprocess.run(
        (
            "dnsperf",
            "-s",
            str(SERVER),
            "-d",
            str(questions),
            "-l",
            str(DNSPERF_S),
            "-q",
            "64",
            "-c",
            "1",
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Queries per second:\s+([\d.]+)", ran.stdout)
    assert found, ran.stdout
    return float(found[1])


@contextmanager
def named(place: Path) -> Iterator[None]:
    """BIND with all names, ready."""
    records = "".join(f"{name(number)}. 300 A {FIRST_IPV4 + number}\n" for number in range(NAMES))
    (place / "root.zone").write_text(SOA + records)
    (place / "named.conf").write_text(CONFIG.format(place=place))
    log = (place / "log").open("wb")
    process = subprocess.Popen(
        ("named", "-f", "-n", "1", "-c", str(place / "named.conf")), stderr=log
    )
    try:
        ready()
        yield
    finally:
        process.terminate()
        process.wait()
        log.close()


def ready() -> None:
    """Wait until BIND answers. Raises SystemExit if it does not."""
    agent = open_agent(LocalTransport())
    ask = resolver.ask(SERVER, timeout_s=0.2)
    until = time.monotonic() + 20
    while (
        ask.judge(Seen(vantage="here", replies=tuple(agent.run(ask.operations)))).verdict
        != "answered"
    ):
        if time.monotonic() > until:
            raise SystemExit("named does not answer within 20 s")
    agent.close()


def name(number: int) -> str:
    return f"host-{number}.example.com"


if __name__ == "__main__":
    if os.geteuid():
        raise SystemExit("a network namespace with port 53 needs root")
    main()
