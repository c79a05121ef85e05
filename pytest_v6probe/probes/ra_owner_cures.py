"""How is each owner of router advertisements told to keep handling them, or to leave them alone?

Sources: kernel ip-sysctl.rst (accept_ra), systemd.network(5) (IPv6AcceptRA=, IPv6Forwarding=),
nm-settings-nmcli(5) (ipv6.method), interfaces(5) of Debian, dhcpcd.conf(5) (ipv6rs); that
accept_ra=2 beside systemd-networkd makes two owners: bottlerocket-os/bottlerocket PR 3438.
"""

from __future__ import annotations

KERNEL = frozenset({"kernel", "ifupdown"})


def keep(owner: str, interface: str) -> str:
    """The command that makes *owner* handle advertisements on *interface* while forwarding is on."""
    return {
        "systemd-networkd": (
            f"in the .network file of {interface}, [Network]: IPv6AcceptRA=yes, then: "
            f"networkctl reload && networkctl reconfigure {interface}  (never accept_ra=2 beside it)"
        ),
        "NetworkManager": (
            f"nmcli device modify {interface} ipv6.method auto  (and the same of its connection: "
            "nmcli connection modify; never accept_ra=2 beside it)"
        ),
        "ifupdown": (
            f"in /etc/network/interfaces, under `iface {interface} inet6 …`: accept_ra 2, then: "
            f"sysctl -w net.ipv6.conf.{interface}.accept_ra=2"
        ),
        "dhcpcd": (
            f"in /etc/dhcpcd.conf: `interface {interface}` and `ipv6rs`, then: "
            f"dhcpcd --rebind {interface}  (never accept_ra=2 beside it)"
        ),
    }.get(owner, _sysctl(interface, 2))


def release(owner: str, interface: str) -> str:
    """The command that makes *owner* leave advertisements on *interface* alone."""
    return {
        "systemd-networkd": (
            f"in the .network file of {interface}, [Network]: IPv6AcceptRA=no, then: networkctl reload"
        ),
        # "managed no" alone leaves its routes, which never expire; "ignore" puts accept_ra back
        "NetworkManager": (
            f"nmcli device modify {interface} ipv6.method ignore && nmcli device set {interface} "
            f"managed no && sysctl -w net.ipv6.conf.{interface}.accept_ra=0  (and for the next "
            f"boot, in /etc/NetworkManager/conf.d/90-unmanaged.conf, [keyfile]: "
            f"unmanaged-devices=interface-name:{interface})"
        ),
        "ifupdown": (
            f"in /etc/network/interfaces, under `iface {interface} inet6 …`: accept_ra 0, then: "
            f"sysctl -w net.ipv6.conf.{interface}.accept_ra=0"
        ),
        # a restart would leave its routes (dhcpcd.conf(5), persistent), which never expire
        "dhcpcd": (
            f"in /etc/dhcpcd.conf: `interface {interface}` and `noipv6rs`, then: "
            f"dhcpcd --rebind {interface}"
        ),
    }.get(owner, _sysctl(interface, 0))


def two_owners(owners: tuple[str, ...], interface: str) -> tuple[str, str]:
    """Why two owners are harmful, and which of them is to let go: the kernel, or the last daemon."""
    first, second = owners[:2]
    goes = first if first in KERNEL else second
    cause = (
        f"{' and '.join(owners)} both handle router advertisements on {interface}: each writes "
        "default routes and addresses that the other does not know of"
    )
    return cause, release(goes, interface)


def nobody(manager: str, interface: str, *, accept_ra: int, forwarding: bool) -> tuple[str, str]:
    """Why nobody handles advertisements on *interface*, and how whoever configures it shall."""
    if accept_ra and forwarding:
        cause = (
            f"accept_ra={accept_ra} and forwarding=1 on {interface}: the kernel ignores router "
            "advertisements, and removed its default route when forwarding was turned on"
        )
        daemon = "" if manager in KERNEL else f"; {manager} manages {interface} and takes none"
        return f"{cause}{daemon}", keep(manager, interface)
    if manager not in KERNEL:
        cause = f"{manager} manages {interface} and takes no router advertisements"
        return cause, keep(manager, interface)
    cause = f"accept_ra={accept_ra} on {interface}, and no daemon handles router advertisements"
    hybrid = forwarding or manager == "ifupdown"  # it would write its own value at the next ifup
    return cause, keep(manager, interface) if hybrid else _sysctl(interface, 1)


def _sysctl(interface: str, value: int) -> str:
    setting = f"net.ipv6.conf.{interface}.accept_ra"
    return (
        f"sysctl -w {setting}={value} && echo {setting}={value} > /etc/sysctl.d/90-accept-ra.conf"
    )
