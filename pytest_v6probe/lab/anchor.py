"""What holds a node's namespaces open? A process that made them, laid out its /etc, and sleeps."""

from __future__ import annotations

import os
import socket
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.lab import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_v6probe.lab.topology import Node

HOME = "/run/v6probe"
MACHINE_ETC = Path(HOME, "machine-etc")
AUTHORITY = f"{HOME}/authority.pem"
"""The certificate of the lab's authority, once a daemon has one of its."""
CGROUPS = Path("/sys/fs/cgroup")
BORROWED = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "services",
    "ssl",
    "ca-certificates",
    "pki",
    "crypto-policies",
    "terminfo",
)
"""What of the machine's own /etc a node sees: what programs need to run, nothing that says how this
machine is set up.
"""

LOGIN = "ec2-user"
LOGIN_ID = 1000
PASSWD = f"""root:x:0:0:root:/root:/bin/sh
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
{LOGIN}:*:{LOGIN_ID}:{LOGIN_ID}:EC2 Default User:{HOME}/home/{LOGIN}:/bin/sh
nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = f"root:x:0:\n{LOGIN}:x:{LOGIN_ID}:\nnogroup:x:65534:\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"


def directory(node: str) -> Path:
    """Where the files of *node* are, as every process of the lab sees them."""
    return Path(HOME, "nodes", node)


def lay_out(node: Node) -> None:
    """Write the /etc of *node*, in the keeper, before its anchor starts."""
    etc = directory(node.name) / "etc"
    etc.mkdir(parents=True)
    short = node.hostname.split(".", 1)[0]
    files = {
        "passwd": PASSWD,
        "group": GROUP,
        "nsswitch.conf": NSSWITCH,
        "hostname": f"{node.hostname}\n",
        "hosts": f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {short}\n",
        "resolv.conf": "",
        **node.etc,
    }
    for name, text in files.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text(text, encoding="utf-8")
    if Path("/usr/lib/os-release").exists():
        (etc / "os-release").symlink_to("/usr/lib/os-release")
    if node.trusts_authority:
        (etc / "ssl" / "certs").mkdir(parents=True)
        (etc / "ssl" / "certs" / "ca-certificates.crt").symlink_to(AUTHORITY)
        (etc / "ssl" / "openssl.cnf").symlink_to(MACHINE_ETC / "ssl" / "openssl.cnf")
    for name in BORROWED:
        if (MACHINE_ETC / name).exists() and not (etc / name).exists():
            (etc / name).symlink_to(MACHINE_ETC / name)


def start(node: Node) -> tuple[int, int]:
    """Fork the anchor of *node*: its pid, and a pipe that ends when it stands, or carries what went
    wrong.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        os.setsid()
        _enter(node)
        name = f"v6probe-node:{node.name}"
        os.execv("/bin/sleep", (name, "infinity"))  # noqa: S606  no shell is wanted
    except BaseException:
        os.write(writer, traceback.format_exc(limit=3)[-2000:].encode())
        os._exit(1)
        raise
    return 0, -1


def _enter(node: Node) -> None:
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS)
    socket.sethostname(node.hostname)
    kernel.mount(str(directory(node.name) / "etc"), Path("/etc"), flags=kernel.MS_BIND)
    if node.engine:
        _make_room_for_containers()
    else:
        _mount_sys()
    for name, value in sysctls(node):
        Path("/proc/sys/net", name).write_text(value, encoding="ascii")


def _mount_sys() -> None:
    """Show this namespace's links in /sys; where that is forbidden, /sys stays the machine's."""
    try:
        kernel.mount("sysfs", Path("/sys"), kind="sysfs", flags=kernel.MS_RDONLY)
    except PermissionError:
        return


def _make_room_for_containers() -> None:
    """A /sys of this namespace with the machine's cgroups in it, and the places where an engine
    keeps its sockets and its images.
    """
    cgroups, home = (os.open(place, os.O_PATH | os.O_CLOEXEC) for place in (CGROUPS, HOME))
    kernel.mount("sysfs", Path("/sys"), kind="sysfs")
    kernel.mount(f"/proc/self/fd/{cgroups}", CGROUPS, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("tmpfs", Path("/run"), kind="tmpfs", data="mode=0755")
    kernel.mount("tmpfs", Path("/var/lib"), kind="tmpfs", data="mode=0755")
    kernel.mount("tmpfs", Path("/var/log"), kind="tmpfs", data="mode=0755")
    for place in (HOME, "/run/sshd"):
        Path(place).mkdir(mode=0o755)
    kernel.mount(f"/proc/self/fd/{home}", Path(HOME), flags=kernel.MS_BIND | kernel.MS_REC)
    os.close(cgroups)
    os.close(home)


def sysctls(node: Node) -> Iterator[tuple[str, str]]:
    """The settings below /proc/sys/net that make a namespace what *node* says, whatever this
    machine's own are.
    """
    yield "ipv4/ip_forward", str(int(node.forwarding))
    yield "ipv4/conf/all/rp_filter", "0"
    yield "ipv4/conf/default/rp_filter", "0"
    yield "ipv4/ping_group_range", f"0 {_last_group()}"  # systemd: sysctl.d/50-default.conf
    yield "ipv6/conf/all/disable_ipv6", "0"
    yield "ipv6/conf/default/disable_ipv6", "0"
    yield "ipv6/conf/all/forwarding", str(int(node.forwarding))
    yield "ipv6/conf/default/accept_ra", "0" if node.fabric else str(node.accept_ra)
    if node.fabric:
        yield "ipv6/conf/all/accept_dad", "0"  # off only if both are (kernel: addrconf_dad_begin)
        yield "ipv6/conf/default/accept_dad", "0"
        yield "ipv4/icmp_ratelimit", "0"  # several tests a second ask for errors from one router
        yield "ipv6/icmp/ratelimit", "0"


def _last_group() -> int:
    """The largest group id that exists in this user namespace, at most what systemd sets."""
    ranges = [
        line.split() for line in Path("/proc/self/gid_map").read_text(encoding="ascii").splitlines()
    ]
    return min(2147483647, max(int(first) + int(count) - 1 for first, _, count in ranges))
