"""What do `v6probe lab …` and `v6probe doctor` do? A function a command; it returns the status."""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import doctor as checks
from pytest_v6probe.lab import environment_file, names, process
from pytest_v6probe.lab import install as installs
from pytest_v6probe.lab import shapes as shapes_
from pytest_v6probe.lab.builds import BUILDS
from pytest_v6probe.lab.clouds.clusters import PLANS
from pytest_v6probe.lab.faults import FAULTS
from pytest_v6probe.lab.up import bring_up
from pytest_v6probe.transport.netns import Keeper
from pytest_v6probe.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OK, FAILED = 0, 1
CHANGE_TIMEOUT_S = 60.0
DOWN_S = 10.0


def doctor(*shapes: str, fix: bool = False) -> int:
    """Say what is missing for labs of *shapes* (none: aws) on this machine; with *fix* install it.
    Raises LabError if that fails.
    """
    for shape in shapes:
        shapes_.check(shape)
    lacks = checks.lacking(*shapes)
    if fix and lacks:
        checks.fix(lacks)
        lacks = checks.lacking(*shapes)
    print(checks.report(lacks, *shapes))
    return FAILED if lacks else OK


def install(what: str) -> int:
    """Install *what*, which no package of this machine has. Raises LabError."""
    if what not in BUILDS:
        raise LabError(f"there is nothing called {what!r} to install; there is {', '.join(BUILDS)}")
    title = BUILDS[what].title
    if installs.installed(what):
        print(f"{title} is in {installs.directory(what)} already")
        return OK
    print(f"building {title}; this takes minutes", flush=True)
    print(f"it is in {installs.install(what)}")
    return OK


def up(shape: str, *, name: str | None = None, env: Path | None = None, **options: str) -> int:
    """Bring a lab up, with *options* of its shape, and leave it running; write its inventory to
    *env*. Raises LabError, DaemonNotReady.
    """
    shape = shapes_.word(shape, options)
    kind = shapes_.kind(shape)
    name = name or kind
    began = time.monotonic()
    keeper = bring_up(shape, name=name)
    print(f"the lab {name} is up, after {time.monotonic() - began:.1f} s")
    if env is not None:
        environment_file.write(keeper, env, timeout_s=CHANGE_TIMEOUT_S)
        print(f"its inventory is in {env}: pytest scenarios --v6-env {env}")
        if kind in PLANS:
            print(
                f"its kubeconfig, for who is inside the lab, is in {environment_file.beside(env)}"
            )
    keeper.close()
    print(
        "v6probe lab shell HOST, lab break FAULT, lab status; lab down"
        f"{'' if name == kind else f' --name {name}'}"
    )
    return OK


def down(*, name: str | None = None) -> int:
    """End a lab, and wait until its name is free. Raises LabError if there is none, or more than
    one to choose from.
    """
    name = _chosen(name)
    keeper = Keeper.connect(name)
    keeper.request({"do": "down"})
    keeper.close()
    left = eventually(names.up, until=lambda labs: name not in labs, within_s=DOWN_S, every_s=0.02)
    if name in left:
        raise LabError(f"the lab {name} has been told to end, and has not within {DOWN_S:g} s")
    print(f"the lab {name} is down")
    return OK


def status(*, name: str | None = None, as_json: bool = False) -> int:
    """Say which labs of this user are up, and how each is; exit status 1 if there is none."""
    found = [_asked(lab, {"do": "status"}) for lab in ((name,) if name else names.mine())]
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(map(_line, found)) or "no lab is up")
    return OK if found else FAILED


def break_(fault: str, *, name: str | None = None) -> int:
    """Break a lab: the fault has taken effect when this returns. Raises LabError."""
    name = _chosen(name)
    _asked(name, {"do": "break", "fault": fault})
    print(f"the lab {name} has the fault {fault}: {FAULTS[fault].summary}")
    return OK


def mend(fault: str, *, name: str | None = None) -> int:
    """Mend a lab: it is healthy again when this returns. Raises LabError."""
    name = _chosen(name)
    _asked(name, {"do": "mend", "fault": fault})
    print(f"the lab {name} is mended")
    return OK


def faults(*, as_json: bool = False) -> int:
    """Print every fault, what it breaks, and the tests it turns red."""
    if as_json:
        print(
            json.dumps(
                [
                    {
                        "name": fault.name,
                        "summary": fault.summary,
                        "region": fault.region,
                        "red": [
                            {
                                "test": red.test,
                                "verdict": red.verdict,
                                "layer": red.layer or "",
                                "at": list(red.at),
                            }
                            for red in fault.red
                        ],
                    }
                    for fault in FAULTS.values()
                ],
                indent=2,
            )
        )
        return OK
    width = max(map(len, FAULTS))
    for fault in FAULTS.values():
        print(f"{fault.name:{width}}  {fault.summary}")
        for red in fault.red:
            print(f"{'':{width}}    {red.test}: {red.verdict} ({red.layer or 'unobserved'})")
    return OK


def shell(host: str, *, name: str | None = None) -> NoReturn:
    """Become a shell on *host* (``region/name``, or ``name`` if only one is called so). Raises
    LabError.
    """
    name = _chosen(name)
    node, pid = _anchor(_asked(name, {"do": "status"}), host)
    outside = names.outside_pid(names.keeper_pid(name), pid)
    own = process.environment()
    bash = shutil.which("bash", path=own["PATH"])
    program = (bash, "--norc", "--noprofile", "-i") if bash else ("/bin/sh", "-i")
    user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    os.chdir("/")
    os.execve(  # noqa: S606  the shell is nsenter's to start
        process.program("nsenter"),
        (
            "nsenter",
            f"--target={outside}",
            *user,
            "--pid",
            "--mount",
            "--net",
            "--uts",
            "--",
            *program,
        ),
        {**own, "PS1": f"[{name}:{node}]# "},
    )


def _line(lab: dict[str, Any]) -> str:
    ill = [f"{daemon} {state}" for daemon, state in lab["daemons"].items() if state != "running"]
    size = f"{len(lab['nodes'])} nodes, {len(lab['daemons'])} daemons"
    fault = [f"fault: {lab['fault']}"] if lab["fault"] else []
    return f"{lab['name']}: {', '.join([lab['shape'], lab['state'], size, *fault, *ill])}"


def _chosen(name: str | None) -> str:
    """The lab that is meant: the one that is named, or the only one. Raises LabError."""
    labs = names.mine()
    if name is None and len(labs) == 1:
        return labs[0]
    if not labs:
        raise LabError("no lab is up; bring one up: v6probe lab up aws")
    if name not in labs:
        raise LabError(
            f"{'there is no lab ' + name if name else 'several labs are up'}: "
            f"say which by --name: {', '.join(labs)}"
        )
    return name


def _asked(name: str, message: dict[str, Any]) -> dict[str, Any]:
    keeper = Keeper.connect(name)
    try:
        return keeper.request(message, timeout_s=CHANGE_TIMEOUT_S)[0]
    finally:
        keeper.close()


def _anchor(lab: dict[str, Any], host: str) -> tuple[str, int]:
    nodes = lab["nodes"]
    fitting = {node: pid for node, pid in nodes.items() if host in {node, node.rpartition("/")[2]}}
    if len(fitting) != 1:
        choice: Sequence[str] = sorted(fitting or nodes)
        raise LabError(
            f"{'which' if fitting else 'there is no'} {host}{'?' if fitting else ' in this lab.'} "
            f"There is {', '.join(choice)}"
        )
    return next(iter(fitting.items()))
