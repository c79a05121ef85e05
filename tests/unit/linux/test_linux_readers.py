"""Do the readers of /proc and /etc read what Linux writes, and refuse the rest?"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux import if_inet6, resolv_conf, sockets, sysctl
from pytest_v6probe.linux.addresses import InterfaceAddress
from pytest_v6probe.linux.resolv_conf import ResolvConf
from pytest_v6probe.linux.sockets import Socket
from pytest_v6probe.linux.sysctl import InterfaceSysctls, accepts_ra
from pytest_v6probe.result import Endpoint

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fe80000000000000080000fffe000001 02 40 20 80     ens5
26001f18000df70a820477887feb7892 02 80 00 48     ens5
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0000000000000000 100 0 0 10 0
   1: 181F00260AF70D00887704829278EB7F:0016 B80D0120000000000000000001000000:C000 01 00000000:00000000 02:000A0000 00000000  1000        0 2222 2 0000000000000000 20 4 30 10 -1
"""
HOST = "2600:1f18:d:f70a:8204:7788:7feb:7892"


def test_if_inet6_lists_addresses_with_scope_and_flags():
    assert if_inet6.read(IF_INET6)[2] == InterfaceAddress(
        address=ip_address(HOST), prefix_length=128, interface="ens5", index=2, scope="global",
        flags=frozenset({"tentative", "dadfailed"}),
    )  # fmt: skip
    assert [(a.scope, a.usable) for a in if_inet6.read(IF_INET6)] == [
        ("host", True), ("link", True), ("global", False),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["garbage", "zz" * 16 + " 01 80 10 80 lo", "00 01 80 10 80 lo"])
def test_another_format_than_if_inet6_is_a_value_error(text):
    with pytest.raises(ValueError):
        if_inet6.read(text)


def test_an_optimistic_address_is_usable_until_detection_fails():
    def usable(*flags):
        return InterfaceAddress(
            address=ip_address(HOST), prefix_length=64, interface="e", index=1, scope="global",
            flags=frozenset(flags),
        ).usable  # fmt: skip

    assert usable("tentative", "optimistic")
    assert not usable("tentative", "optimistic", "dadfailed")
    assert not usable("tentative")
    assert not usable("deprecated", "optimistic")


def test_tcp6_lists_sockets_with_their_state():
    assert sockets.read_tcp6(TCP6) == (
        Socket(
            local=Endpoint(ip_address("::"), 22), remote=Endpoint(ip_address("::"), 0), state="listen",
            uid=0, inode=1111,
        ),
        Socket(
            local=Endpoint(ip_address(HOST), 22), remote=Endpoint(ip_address("2001:db8::1"), 49152),
            state="established", uid=1000, inode=2222,
        ),
    )  # fmt: skip


def test_udp6_states_are_connected_or_not():
    text = TCP6.replace(" 0A ", " 07 ")
    assert [socket.state for socket in sockets.read_udp6(text)] == ["unconnected", "connected"]


@pytest.mark.parametrize("line", ["0: short", TCP6.splitlines()[1].replace(":0016", ""), "a " * 12])
def test_another_format_than_tcp6_is_a_value_error(line):
    with pytest.raises(ValueError):
        sockets.read_tcp6("header\n" + line)


@pytest.mark.parametrize(
    ("accept_ra", "forwarding", "accepted"),
    [
        (0, 0, False),
        (0, 1, False),
        (1, 0, True),
        (1, 1, False),
        (2, 0, True),
        (2, 1, True),
        (1, 2, False),
    ],
)
def test_accept_ra_two_beats_forwarding(accept_ra, forwarding, accepted):
    assert accepts_ra(accept_ra, forwarding) is accepted


def files(**values):
    return {
        f"/proc/sys/net/ipv6/conf/eth0.100/{key}": f"{value}\n".encode()
        for key, value in values.items()
    }


def test_sysctls_of_an_interface_are_read():
    seen = files(accept_ra=2, forwarding=1, accept_ra_defrtr=1) | {
        "/proc/sys/net/ipv6/conf/all/forwarding": b"1\n"
    }
    found = sysctl.read(seen, interface="eth0.100")
    assert found == InterfaceSysctls(
        interface="eth0.100", accept_ra=2, forwarding=1, accept_ra_defrtr=1
    )
    assert (found.accepts_ra, found.takes_default_route) == (True, True)
    assert sysctl.read(seen, interface="all").forwarding == 1


def test_what_a_kernel_does_not_say_is_none_and_not_false():
    found = sysctl.read(files(forwarding=1), interface="eth0.100")
    assert (found.accept_ra, found.accepts_ra, found.takes_default_route) == (None, None, None)


def test_a_value_that_is_not_a_number_is_a_value_error():
    with pytest.raises(ValueError, match="invalid literal"):
        sysctl.read(files(accept_ra="yes"), interface="eth0.100")


def test_resolv_conf_is_read_as_glibc_does():
    text = """\
# made by hand
; so is this
domain old.example
nameserver fd00:ec2::253
nameserver fe80::1%ens5#comment
 nameserver 192.0.2.1
nameserver not-an-address
search ec2.internal example.com
options edns0 trust-ad
options timeout:1
sortlist 192.0.2.0
frobnicate
nameserver
"""
    assert resolv_conf.parse(text) == ResolvConf(
        nameservers=(ip_address("fd00:ec2::253"), ip_address("fe80::1%ens5")),
        search=("ec2.internal", "example.com"),
        options=("edns0", "trust-ad", "timeout:1"),
        ignored=("nameserver 192.0.2.1", "nameserver not-an-address", "frobnicate", "nameserver"),
    )


@pytest.mark.parametrize(
    ("servers", "local"),
    [
        (["127.0.0.53"], True),
        (["::1", "127.0.0.1"], True),
        (["127.0.0.53", "fd00:ec2::253"], False),
        ([], False),
    ],
)
def test_a_resolver_on_the_machine_itself_is_recognised(servers, local):
    text = "".join(f"nameserver {server}\n" for server in servers)
    assert resolv_conf.parse(text).is_local_stub is local


@given(st.text(max_size=300))
def test_any_text_is_a_resolv_conf(text):
    assert isinstance(resolv_conf.parse(text), ResolvConf)


@given(st.text(max_size=200))
@pytest.mark.parametrize("reader", [if_inet6.read, sockets.read_tcp6, sockets.read_udp6])
def test_any_text_is_read_or_a_value_error(reader, text):
    try:
        found = reader(text)
    except ValueError:
        found = ()
    assert isinstance(found, tuple)
