"""How does this machine get what no package of its has? `BUILDS`, built into the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pytest_v6probe.errors import LabError
from pytest_v6probe.lab import compiler
from pytest_v6probe.lab.builds import BUILDS, Build
from pytest_v6probe.wait import eventually

MODULES = Path(__file__).with_name("modules")
UNDEBUGGED = ("-gcflags", "all=-dwarf=false")
"""The linker would leave debug information out (``-w``): compilers that do not make it take an eighth
less time.
"""
BUILD_S = 3600.0
ASK_S = 10.0


def directory(name: str) -> Path:
    """The directory that the programs of *name* are in, once built."""
    build = BUILDS[name]
    return _cache() / f"{name}-{build.version}" / "bin"


def share(name: str) -> Path:
    """The directory of what the programs of *name* read, beside the one that they are in."""
    return directory(name).with_name("share")


def installed(name: str) -> bool:
    """Whether all is there. `install` puts the directories there whole, or not at all."""
    kept = (share(name) / Path(file).name for file in BUILDS[name].files)
    programs = (directory(name) / program for program in BUILDS[name].programs)
    return all(place.exists() for place in (*programs, *kept))


def found(name: str) -> Mapping[str, Path]:
    """Where each program of *name* is: all of them in the cache, else all of them on PATH and of a
    release that serves, else none.
    """
    if installed(name):
        return {program: directory(name) / program for program in BUILDS[name].programs}
    return _on_path(BUILDS[name])


def programs(name: str) -> Mapping[str, Path]:
    """As `found`. Raises LabError that says how to get them if there is none."""
    places = found(name)
    if not places:
        raise LabError(f"{BUILDS[name].title} is not built for this user: {cure(name)}")
    return places


def cure(name: str) -> str:
    """The command that builds *name*."""
    return f"v6probe lab install {name}"


def install(name: str) -> Path:
    """Build *name*, unless it is in the cache; the directory of its programs. One build at a time,
    whoever else asks for one waits. Raises LabError that says what is in the way.
    """
    build, target = BUILDS[name], directory(name)
    if installed(name):
        return target
    try:
        _cache().mkdir(parents=True, exist_ok=True)
        with _alone():
            if not installed(name):
                _renew(build, target.parent)
    except OSError as why:
        raise LabError(f"cannot install {build.title} in {target.parent}: {why}") from why
    return target


def _renew(build: Build, target: Path) -> None:
    for left in _cache().glob("building-*"):  # of one that was killed: nobody else builds
        shutil.rmtree(left, ignore_errors=True)
    go = compiler.go(build.least_go, _cache())
    with tempfile.TemporaryDirectory(prefix="building-", dir=_cache()) as made:
        new = Path(made, "new")
        source = _build(go, build, into=new / "bin", scratch=Path(made))
        _keep(go, build, source, into=new / "share")
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)


def _build(go: str, build: Build, *, into: Path, scratch: Path) -> Path:
    """Where it was built."""
    source = _downloaded(go, build) if build.module else _copied(build, scratch / "module")
    into.mkdir(parents=True)
    tags = ("-tags", build.tags) if build.tags else ()
    flags = ("-v", *tags, *UNDEBUGGED, "-ldflags", build.ldflags, "-o", f"{into}/")
    compiler.run(
        (go, "build", *flags, *build.packages),
        cwd=source,
        timeout_s=BUILD_S,
        doing=f"building {build.title}",
        settings={**compiler.SETTINGS, "GOTMPDIR": str(scratch)},
    )
    return source


def _keep(go: str, build: Build, built_in: Path, *, into: Path) -> None:
    """Copy the files of *build* out of their module, which the build has downloaded."""
    if not build.files:
        return
    into.mkdir()
    argv = (go, "list", "-m", "-f", "{{.Dir}}", build.source)
    home = compiler.run(argv, cwd=built_in, timeout_s=ASK_S).strip()
    for file in build.files:
        shutil.copyfile(Path(home, file), into / Path(file).name)


def _copied(build: Build, into: Path) -> Path:
    into.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(MODULES / build.name / name, into / name)
    return into


def _downloaded(go: str, build: Build) -> Path:
    """The directory of *build*'s own module, checked against its checksum. Raises LabError."""
    argv = (go, "mod", "download", "-json", f"{build.module}@{build.version}")
    doing = f"downloading {build.title}"
    printed = compiler.run(argv, cwd=Path("/"), timeout_s=compiler.DOWNLOAD_S, doing=doing)
    said = json.loads(printed or "{}")
    if said.get("Sum") != build.checksum:
        raise LabError(
            f"{build.module} {build.version} is not what it was: "
            f"its checksum is {said.get('Sum')}, not {build.checksum}"
        )
    return Path(said["Dir"])


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """While this holds no other process of this user builds. Raises LabError if one does for too
    long.
    """
    with (_cache() / "lock").open("a", encoding="ascii") as lock:

        def taken() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not taken():
            sys.stderr.write(f"another process builds into {_cache()}: waiting for it\n")
            sys.stderr.flush()
            if not eventually(taken, until=bool, within_s=BUILD_S):
                raise LabError(f"another process has built into {_cache()} for {BUILD_S:g} s")
        yield


def _on_path(build: Build) -> Mapping[str, Path]:
    places = {program: shutil.which(program) for program in build.programs}
    there = {program: Path(place) for program, place in places.items() if place}
    if not build.least_on_path or len(there) < len(places):
        return {}
    return there if _release(there[build.programs[0]]) >= build.least_on_path else {}


@cache
def _release(program: Path) -> tuple[int, ...]:
    """The version that *program* says it is, in numbers; none if it does not say."""
    try:
        said = compiler.run((str(program), "--version"), cwd=Path("/"), timeout_s=ASK_S)
    except LabError:
        return ()
    version = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(map(int, version.group().split("."))) if version else ()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "v6probe")
