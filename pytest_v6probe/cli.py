"""What does the command ``v6probe`` do? It reads its arguments and hands over; what a command needs
loads with it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, FAILED, INTERRUPTED, USAGE = 0, 1, 2, 4
"""Exit statuses, as pytest's: done, not well, Ctrl-C, a mistake in the arguments or the inventory.
"""

BUILT = "docker, kubernetes, coredns, metallb, kube-router or istio"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. An error is one message on standard error, never a traceback."""
    from pytest_v6probe.errors import InventoryError, V6ProbeError  # noqa: PLC0415  # --help loads nothing

    options = _parser().parse_args(argv)
    try:
        status = _run(options)
        sys.stdout.flush()
    except InventoryError as why:
        return _complain(why, USAGE)
    except V6ProbeError as why:
        return _complain(why, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read along has seen enough (`v6probe payload | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return status


def _complain(why: Exception, status: int) -> int:
    print(f"v6probe: {why}", file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """Ends with the status of a usage error; argparse's own, 2, is an interruption here."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="v6probe", description="Does this cloud really work over IPv6, and what is broken?"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor", help="what this machine lacks for a lab, and how it is installed"
    )
    doctor.add_argument("shapes", nargs="*", metavar="SHAPE", help="for which lab: aws, or docker")
    doctor.add_argument("--fix", action="store_true", help="install it")
    lab = commands.add_parser("lab", help="a small cloud of network namespaces and real daemons")
    _add_lab(lab.add_subparsers(dest="lab_command", required=True, metavar="COMMAND"))
    check = commands.add_parser(
        "check", help="read an inventory as a run would, and say what is in it"
    )
    check.add_argument("file", type=Path, metavar="FILE")
    commands.add_parser("payload", help="print the program that runs at a vantage")
    _add_clean(
        commands.add_parser("clean", help="remove from clusters what runs that were killed left")
    )
    return parser


def _add_clean(clean: argparse.ArgumentParser) -> None:
    clean.add_argument(
        "--env", type=Path, required=True, metavar="FILE", help="the inventory of the clusters"
    )
    clean.add_argument(
        "--older-than-s",
        type=int,
        default=3600,
        metavar="SECONDS",
        help="spare what is younger: its run may still go on (3600)",
    )
    clean.add_argument(
        "--all", dest="older_than_s", action="store_const", const=0, help="spare nothing"
    )


def _add_lab(commands: argparse._SubParsersAction[_Parser]) -> None:
    up = commands.add_parser("up", help="bring a lab up and leave it running")
    up.add_argument(
        "shape",
        metavar="SHAPE",
        help="which lab: aws, docker, registry, kind, kind-ipv4, kind-ipv6, metallb, policies, "
        "eks, aks, gke, or kubernetes, of which more can be said",
    )
    for option, choice, help_ in (
        ("family", "dual|ipv6|ipv4", "kubernetes: the families of pods and services (dual)"),
        ("primary", "ipv6|ipv4", "kubernetes: which of two comes first (ipv6)"),
        ("nodes", "N", "kubernetes: how many nodes (2)"),
        ("proxy", "nftables|iptables", "kubernetes: the mode of kube-proxy (nftables)"),
    ):
        up.add_argument(f"--{option}", metavar=choice, help=help_)
    up.add_argument(
        "--env",
        type=Path,
        metavar="FILE",
        help="write its inventory there, for pytest --v6-env FILE",
    )
    commands.add_parser("down", help="end a lab; nothing of it stays")
    status = commands.add_parser("status", help="which labs are up, and how they are")
    for name, help_ in (
        ("break", "break one thing; `lab faults` lists them"),
        ("mend", "undo a fault"),
    ):
        commands.add_parser(name, help=help_).add_argument("fault", metavar="FAULT")
    shell = commands.add_parser("shell", help="a shell on one of the lab's hosts")
    shell.add_argument("host", metavar="HOST", help="region/name, or name")
    for command in commands.choices.values():
        command.add_argument("--name", metavar="NAME", help="which lab, where several are up")
    install = commands.add_parser("install", help="build what no package of this machine has")
    install.add_argument("what", metavar="WHAT", help=BUILT)
    faults = commands.add_parser(
        "faults", help="everything that can be broken, and what must then turn red"
    )
    for command in (status, faults):
        command.add_argument("--json", action="store_true", help="for programs")


def _run(options: argparse.Namespace) -> int:
    """Hand over to the command; each imports what it needs."""
    match options.command:
        case "doctor":
            from pytest_v6probe.lab import commands  # noqa: PLC0415  # only this command

            return commands.doctor(*options.shapes, fix=options.fix)
        case "lab":
            return _install(options.what) if options.lab_command == "install" else _lab(options)
        case "check":
            from pytest_v6probe.inventory import check, toml  # noqa: PLC0415  # only this command

            print(check.summary(toml.load(options.file)), end="")
        case "payload":
            from pytest_v6probe.agent import bootstrap  # noqa: PLC0415  # only this command

            print(bootstrap.payload().decode("utf-8"))
        case "clean":
            from pytest_v6probe.clean import clean  # noqa: PLC0415  # only this command

            return clean(options.env, older_than_s=options.older_than_s)
    return OK


def _lab(options: argparse.Namespace) -> int:
    from pytest_v6probe.lab import commands  # noqa: PLC0415  # only this command

    match options.lab_command:
        case "up":
            asked = {key: getattr(options, key) for key in ("family", "primary", "nodes", "proxy")}
            said = {key: value for key, value in asked.items() if value is not None}
            return commands.up(options.shape, name=options.name, env=options.env, **said)
        case "status":
            return commands.status(name=options.name, as_json=options.json)
        case "faults":
            return commands.faults(as_json=options.json)
        case "shell":
            return commands.shell(options.host, name=options.name)
        case "down":
            return commands.down(name=options.name)
        case _:
            change = commands.break_ if options.lab_command == "break" else commands.mend
            return change(options.fault, name=options.name)


def _install(what: str) -> int:
    from pytest_v6probe.lab import commands  # noqa: PLC0415  # only this command

    return commands.install(what)
