"""What is a recording, and how does one ask for it? The operations that outlive their agent.

A recorder is a process of its own, in a session of its own: it goes on when the channel closes, the
connection is cut or the agent is killed. It ends when it is asked to, after its time, or when its
file is full; ``ended`` is then ``asked``, ``deadline`` or ``full``, or ``died`` if it could say
nothing (it was killed, as by a logind that has KillUserProcesses=yes), and ``""`` while it runs. The
file lies in a directory that only its user can read, below /run, /tmp, /var/tmp or /dev/shm; it is
deleted when that is asked for, else when something is recorded an hour after its end. At most 32
are kept.

*flight* is lines of JSON, each with ``kind`` and ``t_s``: seconds since the start, on the monotonic
clock. Octets are base64.

==============  ====================================================================================
``start``       ``up_s`` (CLOCK_BOOTTIME), ``clock_s`` (Unix), ``raw`` (advertisements are heard, not
                only counted), ``links``, ``addresses``, ``routes`` (the kernel's IPv6 dumps, default
                routes first, each in at most a sixth of the file), ``sysctls`` (path to text)
``netlink``     ``payload``: one multicast datagram about a link, an IPv6 address, an IPv6 route or
                netconf; ``port``: nlmsg_pid of its first message, who caused it (0: the kernel)
``sysctl``      ``name`` (path), ``value``: its new text, or that of a new interface. Watched are
                forwarding, accept_ra, accept_ra_defrtr and keep_addr_on_down of all, default and
                every interface, 64 of them each 0.1 s, and all when netconf tells of a change
``ra``          ``from``, ``interface``, ``hop_limit``, and the ICMPv6 ``payload``, which is absent
                if it is that of this router's last one on this interface
``ra-counted``  without CAP_NET_RAW: ``interface``, and ``count``: how many more the kernel counted;
                looked at every second
``lost``        the kernel had no room for some netlink messages
``end``         ``why`` (as ``ended``), ``lost``, ``routes``, ``sysctls`` (both empty if they did not
                fit); absent if the recorder died, and the last line may then be cut short
==============  ====================================================================================

*packets* is a classic pcap file with microseconds in the vantage's byte order, LINKTYPE_RAW (101):
every IP packet of every interface, in and out (one that is forwarded is there more than once).
"""

from __future__ import annotations

from base64 import b64encode

from pytest_v6probe.agent.wire import Operation


def record(
    kind: str,
    *,
    for_s: float,
    max_bytes: int,
    filter: bytes = b"",  # noqa: A002  what the kernel, tcpdump and their users call it
    snap_bytes: int = 0,
    timeout_s: float = 10.0,
) -> Operation:
    """Start a recorder of *kind* (``flight`` or ``packets``) for at most *for_s* seconds (a day)
    and *max_bytes* (64 KiB to 256 MiB).

    ``fields["recording"]`` is its id, returned when it listens. Of packets, *filter* is a classic
    BPF program (octets of struct sock_filter[]; empty: all are taken) that sees them from their IP
    header on and is in the kernel before the first is taken; of each, the first *snap_bytes* are
    kept (0: all). ``not-permitted``: packets without CAP_NET_RAW, or no directory to write to;
    ``error``: 32 run already, or no directory has twice *max_bytes* left.
    """
    return {
        "op": "record",
        "kind": kind,
        "for_s": for_s,
        "max_bytes": max_bytes,
        "filter": b64encode(filter).decode("ascii"),
        "snap_bytes": snap_bytes,
        "timeout_s": timeout_s,
    }


def recorded(
    recording: str, *, offset: int = 0, max_bytes: int = 512 << 10, timeout_s: float = 10.0
) -> Operation:
    """Read a recording from *offset*, while it goes on or afterwards; any agent of the same user
    may.

    ``payload``: its octets, at most *max_bytes* and 1 MiB. ``fields``: ``size_bytes``, ``ended``,
    and ``lost``: once it ended, how many packets (of flight: how often netlink messages) the kernel
    had no room for. ``error`` ENOENT: there is none of that id; ``not-permitted``: another user's.
    """
    return {
        "op": "recorded",
        "recording": recording,
        "offset": offset,
        "max_bytes": max_bytes,
        "timeout_s": timeout_s,
    }


def stop_recording(recording: str, *, remove: bool = False, timeout_s: float = 10.0) -> Operation:
    """End a recorder, if it runs, and wait for its end; with *remove* delete the file then.

    ``fields`` as `recorded`'s. ``timed-out``: it did not end in time.
    """
    return {
        "op": "stop_recording",
        "recording": recording,
        "remove": remove,
        "timeout_s": timeout_s,
    }
