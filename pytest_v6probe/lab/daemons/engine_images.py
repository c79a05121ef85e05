"""What is in the images of the lab? busybox and a small web site, and where it is asked for python3.

Made on this machine from its own programs: there is no registry to pull from. Run as a program, it
makes plain.tar and python.tar in the directory that its argument names, unless they are there.
"""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
LARGE_BYTES = 256 * 1024
LINKS = {"lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}
APPLETS = (
    "cat echo env grep head httpd id ip kill ls mkdir nc nslookup ping ping6 ps rm sh sleep "
    "test tail touch true vi wget yes dd"
)
ADDRESS_PAGE = """#!/bin/sh
# Says from which address the request came.
printf 'Content-Type: text/plain\\r\\n\\r\\n'
address=${REMOTE_ADDR#[}
address=${address#::ffff:}
printf '%s\\n' "${address%]}"
"""
PAGE = "<!doctype html><title>It works</title><p>Served from a container.</p>\n"
LEFT_OUT = {
    "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "distutils", "pydoc_data", "unittest",
    "sqlite3", "turtledemo", "curses", "dbm", "site-packages", "dist-packages", "venv", "wsgiref",
    "xmlrpc", "msilib", "asyncio", "multiprocessing", "ctypes", "tests",
}  # fmt: skip
LEFT_OUT_MODULES = (
    "_codecs_", "_test", "xx", "_ctypes", "_curses", "_decimal", "_dbm", "_elementtree", "_gdbm",
    "_lsprof", "_sqlite", "_tkinter", "_pydecimal", "audioop", "pydoc", "readline", "turtle",
)  # fmt: skip


def make(place: str) -> None:
    """Write the roots of both images; whoever comes first does, the others wait for it."""
    os.makedirs(place, exist_ok=True)  # noqa: PTH103  pathlib takes 5 ms
    with open(f"{place}/lock", "w", encoding="ascii") as lock:  # noqa: PTH123  the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("plain", "python"):
            file = f"{place}/{name}.tar"
            if not os.path.exists(file):  # noqa: PTH110  the same
                with tarfile.open(f"{file}.new", "w") as tar:
                    lay_out(tar)
                    if name == "python":
                        add_python(tar)
                os.rename(f"{file}.new", file)  # noqa: PTH104  the same


def lay_out(tar: tarfile.TarFile) -> None:
    """busybox, and a web site below /www that says who asks."""
    for place in (
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
        "bin",
        "etc",
        "tmp",
        "www/cgi-bin",
    ):
        link(tar, place, "")
    for place, target in LINKS.items():
        link(tar, place, target)
    tar.add(BUSYBOX, "bin/busybox")
    for applet in APPLETS.split():
        link(tar, f"bin/{applet}", "busybox")
    write(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    write(tar, "www/index.html", PAGE)
    write(tar, "www/cgi-bin/address", ADDRESS_PAGE, mode=0o755)
    write(tar, "www/large.bin", "".join(f"{n:07x}\n" for n in range(LARGE_BYTES // 8)))


def add_python(tar: tarfile.TarFile) -> None:
    """The interpreter that runs this, its standard library, and the shared libraries of both."""
    program = os.path.realpath(sys.executable)
    library = os.path.dirname(os.__file__)  # noqa: PTH120  the same
    binaries = [program]
    tar.add(program, program)
    if program != "/usr/bin/python3":
        link(tar, "usr/bin/python3", program)
    for place, folders, files in os.walk(library):
        folders[:] = [name for name in folders if name not in LEFT_OUT and "config-" not in name]
        for name in files:
            if not name.startswith(LEFT_OUT_MODULES) and ".opt-" not in name:
                path = os.path.join(place, name)  # noqa: PTH118  the same
                tar.add(path, path)
                binaries += [path] if name.endswith(".so") else []
    for path in sorted(shared_libraries(binaries)):
        tar.add(os.path.realpath(path), path)


def shared_libraries(binaries: list[str]) -> set[str]:
    """The full paths of what the dynamic linker loads for *binaries*."""
    said = subprocess.run(
        ("ldd", *binaries), check=False, capture_output=True, text=True, timeout=60
    )
    words = (line.split() for line in said.stdout.splitlines() if "(0x" in line)
    paths = {next((word for word in line if word.startswith("/")), "") for line in words}
    # /lib is a link into /usr in the image, and so it is on every machine with a merged /usr
    return {f"/usr{path}" if path.startswith("/lib") else path for path in paths if path}


def link(tar: tarfile.TarFile, name: str, target: str) -> None:
    """A symbolic link to *target*, or a directory where there is none."""
    member = tarfile.TarInfo(name)
    member.type = tarfile.SYMTYPE if target else tarfile.DIRTYPE
    member.linkname, member.mode = target, 0o755
    tar.addfile(member)


def write(tar: tarfile.TarFile, name: str, text: str, *, mode: int = 0o644) -> None:
    """A file with *text* in it."""
    member = tarfile.TarInfo(name)
    octets = text.encode()
    member.size, member.mode = len(octets), mode
    tar.addfile(member, io.BytesIO(octets))


if __name__ == "__main__":
    make(sys.argv[1])
