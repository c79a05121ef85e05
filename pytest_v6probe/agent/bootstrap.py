"""What travels to a vantage, and what makes it run there? The payload in one piece, and the line
that reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

PARTS = (
    "payload.py",
    "payload_frames.py",
    "payload_streams.py",
    "payload_requests.py",
    "payload_kernel.py",
    "payload_flight.py",
    "payload_packets.py",
    "payload_recorder.py",
    "payload_records.py",
    "payload_loop.py",
)
OLDEST_PYTHON = (3, 6)
MARK = "v6probe:"
"""What stands before the nonce in the hello, and nowhere in the command: a shell that echoes it
says no hello.
"""
TOO_OLD = "too-old "

LINE = (
    "import os,sys;v=sys.version_info[:2];"
    'v<(3,6)and(os.write(1,("\\nv6probe:"+sys.argv[1]+":too-old %d.%d\\n"%v).encode()),os._exit(3));'
    "n=int(sys.argv[2]);b=[];"
    '[b.append(c)for c in iter(lambda:os.read(0,n-sum(map(len,b))),b"")];'
    'exec(compile(b"".join(b),"<v6probe>","exec"))'
)
"""Python 2.7 and 3 can read it; it takes exactly as many octets of standard input as the payload
has.
"""


def command(python: str, *, nonce: str, concurrency: int) -> Sequence[str]:
    """The program to start at the vantage; it then waits for `payload` on its standard input."""
    return (python, "-I", "-S", "-c", LINE, nonce, str(len(payload())), str(concurrency))


@cache
def payload() -> bytes:
    """The agent in one piece: its parts in order, without their imports of each other."""
    return joined("pytest_v6probe.agent", PARTS)


def joined(package: str, parts: Sequence[str]) -> bytes:
    """The files *parts* of *package* as one program, without their imports of each other."""
    sources = ((files(package) / part).read_text(encoding="utf-8") for part in parts)
    return b"\n".join(map(_without_package_imports, sources))


def _without_package_imports(source: str) -> bytes:
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pytest_v6probe"):
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    return "\n".join(lines).encode("utf-8")
