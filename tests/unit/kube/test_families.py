"""Are families told apart, and ranges asked only about their own?"""

from ipaddress import ip_address, ip_network

from pytest_v6probe.kube import families
from pytest_v6probe.result import Family

SIX, FOUR = ip_address("2001:db8::1"), ip_address("192.0.2.1")


def test_each_family_is_named_once_in_order():
    assert families.of_all((FOUR, SIX, FOUR)) == (Family.IPV4, Family.IPV6)


def test_an_address_is_outside_only_where_its_family_has_a_range():
    only_six = (ip_network("2001:db8:1::/64"),)
    assert families.outside((SIX, FOUR), only_six) == (SIX,)
    assert families.outside((SIX, FOUR), ()) == ()
    assert families.outside((SIX,), (*only_six, ip_network("2001:db8::/64"))) == ()


def test_families_are_written_as_people_read_them():
    assert families.listed(("ipv6", "ipv4")) == "IPv6 and IPv4"
    assert families.listed(()) == "none"
