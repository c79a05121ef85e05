"""Is daemon.json read as dockerd does, and is a broken one told by its place?"""

import json
from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux.daemon_json import DaemonJson, Malformed, Pool, parse

WHOLE = {
    "ipv6": True,
    "fixed-cidr-v6": "2001:db8:1::/64",
    "ip6tables": True,
    "experimental": True,
    "userland-proxy": False,
    "live-restore": True,
    "ip-forward-no-drop": True,
    "firewall-backend": "nftables",
    "default-address-pools": [
        {"base": "172.30.0.0/16", "size": 24},
        {"base": "fd00:1::/48", "size": 64},
    ],
    "registry-mirrors": ["https://mirror.example:5000"],
    "insecure-registries": ["reg.example:5000"],
    "log-opts": {"max-size": "5m"},
}


def test_every_key_that_matters_is_read():
    assert parse(json.dumps(WHOLE).encode()) == DaemonJson(
        ipv6=True,
        fixed_cidr_v6=IPv6Network("2001:db8:1::/64"),
        ip6tables=True,
        experimental=True,
        userland_proxy=False,
        live_restore=True,
        ip_forward_no_drop=True,
        firewall_backend="nftables",
        default_address_pools=(
            Pool(IPv4Network("172.30.0.0/16"), 24),
            Pool(IPv6Network("fd00:1::/48"), 64),
        ),
        registry_mirrors=("https://mirror.example:5000",),
        insecure_registries=("reg.example:5000",),
        keys=frozenset(WHOLE),
    )


@pytest.mark.parametrize("octets", [b"", b" \n", b"{}"])
def test_an_empty_file_says_nothing(octets):
    assert parse(octets) == DaemonJson()


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b'{\n  "ipv6": tru\n}', "line 2, column 11: Expecting value"),
        (b'{"ipv6": true,}', "line 1, column 15"),
        (b"[]", "line 1: an object was due"),
        (b'{"ipv6": "yes"}', "ipv6: true or false was due"),
        (b'{"fixed-cidr-v6": "2001:db8::/129"}', "fixed-cidr-v6: '2001:db8::/129' is no prefix"),
        (b'{"fixed-cidr-v6": "10.0.0.0/8"}', "fixed-cidr-v6: '10.0.0.0/8' is not IPv6"),
        (b'{"firewall-backend": 1}', "firewall-backend: a text was due"),
        (b'{"registry-mirrors": "x"}', "registry-mirrors: a list of texts was due"),
        (b'{"default-address-pools": {}}', "default-address-pools: a list was due"),
        (b'{"default-address-pools": [{"base": "x"}]}', "default-address-pools[0]: {base, size}"),
        (b'{"a": "\xff"}', "octet 7 is not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"1" * 10_000, "nested too deep, or a number too long"),
        (b" " * (1 << 20) + b"{", "more than 1048576 octets"),
    ],
)
def test_a_malformed_file_is_told_by_its_place(octets, said):
    with pytest.raises(Malformed) as caught:
        parse(octets)
    assert said in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON))
def test_any_object_is_read_or_malformed(said):
    try:
        outcome: int | str = len(parse(json.dumps(said).encode()).keys)
    except Malformed as why:
        outcome = str(why)
    assert outcome == len(said) or (isinstance(outcome, str) and len(outcome) < 300)
