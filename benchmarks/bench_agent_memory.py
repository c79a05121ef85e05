"""How much memory does a resident agent hold? Beside an idle Python, and one with asyncio and ssl
as such agents often are.

Wanted: at most 15 MB resident. Run: python -m benchmarks.bench_agent_memory [PYTHON …]
"""

from __future__ import annotations

import subprocess
import sys
import time
from ipaddress import IPv6Address
from pathlib import Path

from pytest_v6probe.agent import wire
from pytest_v6probe.agent.client import open_agent
from pytest_v6probe.transport.local import LocalTransport

PEERS = {
    "an idle python3 -I": "import os; os.read(0, 1)",
    "one that imports asyncio and ssl": "import os, asyncio, ssl; os.read(0, 1)",
}
SETTLE_S = 0.3


def main() -> None:
    for python in sys.argv[1:] or [sys.executable]:
        agent = open_agent(LocalTransport(), python=python)
        pid = agent.hello["pid"]
        print(f"Python {agent.hello['python']}")
        agent.run(
            [
                wire.read("/proc/net/if_inet6"),
                wire.resolve("localhost"),
                wire.echo(IPv6Address("::1")),
                wire.stream(IPv6Address("::1"), 1),
            ]
        )
        print(f"  {'the agent, resident':<34}{resident_mb(pid):6.1f} MB   (wanted: 15)")
        agent.run([wire.resolve(f"2001:db8::{number:x}") for number in range(1, 2000)])
        print(f"  {'after 2,000 operations':<34}{resident_mb(pid):6.1f} MB")
        agent.close()
        for name, program in PEERS.items():
            with subprocess.Popen([python, "-I", "-c", program], stdin=subprocess.PIPE) as peer:
                time.sleep(SETTLE_S)
                print(f"  {name:<34}{resident_mb(peer.pid):6.1f} MB")
                peer.kill()


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
