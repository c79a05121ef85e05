"""Which time servers is a machine told to use? chrony.conf(5) and timesyncd.conf(5), with what they
include.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_v6probe.result import Address

MAIN_PATHS = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
"""Debian's and Red Hat's compiled-in place of the configuration; Amazon Linux follows Red Hat."""

PATTERNS = (
    *MAIN_PATHS,
    "/etc/chrony.d/*",
    "/etc/chrony/conf.d/*.conf",
    "/etc/chrony/sources.d/*.sources",
    "/run/chrony-dhcp/*.sources",
    "/run/chrony.d/*",
    "/etc/systemd/timesyncd.conf",
    "/etc/systemd/timesyncd.conf.d/*.conf",
    "/run/systemd/timesyncd.conf.d/*.conf",
)
"""The files that `parse` wants."""

_KINDS = frozenset({"server", "pool", "peer"})
_DIRECTORY_SUFFIXES = {"confdir": ".conf", "sourcedir": ".sources"}
_TIMESYNCD = {"NTP": "server", "FallbackNTP": "fallback"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSource:
    """One time source as configured."""

    address_or_name: Address | str
    kind: str
    """``server``, ``pool``, ``peer``; for timesyncd's FallbackNTP ``fallback``."""
    options: tuple[str, ...] = ()
    daemon: str = "chrony"
    """``chrony`` or ``timesyncd``: whose file it is."""
    file: str = ""


def parse(files: Mapping[str, str]) -> tuple[TimeSource, ...]:
    """The time sources in *files* (path to text), in the order in which the daemon comes upon them.

    Each file is read once, however often it is included. An include of a file that is not among
    *files* is passed over, as is a line that says nothing of time sources.
    """
    main = next((path for path in MAIN_PATHS if path in files), None)
    chrony = _chrony(files, main, seen=set()) if main is not None else iter(())
    return (*chrony, *_timesyncd(files))


def _chrony(files: Mapping[str, str], path: str, *, seen: set[str]) -> Iterator[TimeSource]:
    seen.add(path)
    for line in files[path].splitlines():
        directive, *words = line.split() or [""]
        directive = directive.lower()  # "The directives are not case-sensitive"
        if not words or directive[0] in "!;#%":
            continue
        if directive in _KINDS:
            address, *options = words
            kind, host = directive, _address(address)
            yield TimeSource(address_or_name=host, kind=kind, options=tuple(options), file=path)
            continue
        for included in _included(files, directive, words):
            if included not in seen:
                yield from _chrony(files, included, seen=seen)


def _included(files: Mapping[str, str], directive: str, words: list[str]) -> list[str]:
    """The files that an ``include``, ``confdir`` or ``sourcedir`` directive names, in the order
    chrony reads them.
    """
    if directive == "include":
        return sorted(path for path in files if _matches(path, words[0]))
    if directive not in _DIRECTORY_SUFFIXES:
        return []
    chosen: dict[str, str] = {}
    # Of two files of one name, the one in the directory named first is read: chrony.conf(5), confdir.
    for directory in words:
        for path in map(PurePosixPath, files):
            here = path.parent == PurePosixPath(directory)
            if here and path.suffix == _DIRECTORY_SUFFIXES[directive]:
                chosen.setdefault(path.name, str(path))
    return [chosen[name] for name in sorted(chosen)]


def _matches(path: str, pattern: str) -> bool:
    """Whether glob(7) finds *path*: a wildcard does not match a slash."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _timesyncd(files: Mapping[str, str]) -> Iterator[TimeSource]:
    """The lists of systemd: a later assignment adds, an empty one starts anew; drop-ins follow the
    main file by name.
    """
    found: dict[str, list[TimeSource]] = {key: [] for key in _TIMESYNCD}
    paths = [path for path in files if "/timesyncd.conf" in path]
    for path in sorted(paths, key=lambda path: (".d/" in path, PurePosixPath(path).name)):
        for line in files[path].splitlines():
            key, equals, value = (part.strip() for part in line.partition("="))
            if not equals or key not in found:
                continue
            if not value:
                found[key].clear()
            kind = _TIMESYNCD[key]
            hosts = [_address(word) for word in value.split()]
            found[key] += [
                TimeSource(address_or_name=host, kind=kind, daemon="timesyncd", file=path)
                for host in hosts
            ]
    for sources in found.values():
        yield from sources


def _address(word: str) -> Address | str:
    try:
        return ip_address(word)
    except ValueError:
        return word
