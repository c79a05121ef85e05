"""Are addresses, logins and URLs read as they are meant, and refused where they are not?"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.inventory import literals
from pytest_v6probe.inventory.model import Login, Namespace

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
USERS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z](\.[a-z]{2,4}){0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("ec2-user@2600:1f18::1", "ec2-user", "2600:1f18::1", 0),
        ("ec2-user@[2600:1f18::1]", "ec2-user", "2600:1f18::1", 0),
        ("ec2-user@[2600:1f18::1]:2222", "ec2-user", "2600:1f18::1", 2222),
        ("[fe80::1%eth0]:22", "", "fe80::1%eth0", 22),
        ("2600::1:22", "", "2600::1:22", 0),
        ("::1", "", "::1", 0),
        ("root@192.0.2.1:65535", "root", "192.0.2.1", 65535),
        ("192.0.2.1", "", "192.0.2.1", 0),
        ("bastion.example.com:1", "", "bastion.example.com", 1),
        ("my_alias", "", "my_alias", 0),
        ("u@example.com.", "u", "example.com.", 0),
    ],
)
def test_a_login_is_read(text, user, host, port):
    try:
        expected = ip_address(host)
    except ValueError:
        expected = host
    assert literals.login(text) == Login(host=expected, user=user, port=port)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the host is missing"),
        ("user@", "the host is missing"),
        ("@host", "'' is not a user name"),
        ("-oProxyCommand=x@host", "is not a user name"),
        ("a b@host", "is not a user name"),
        ("[2001:db8::1", "no closing bracket"),
        ("[2001:db8::1]22", "':port' is wanted"),
        ("[2001:db8::1]:", "'' is not a port"),
        ("[2001:db8::1]:0", "'0' is not a port"),
        ("[2001:db8::1]:65536", "not a port"),
        ("[2001:db8::1]:+22", "not a port"),
        ("[2001:db8::1]:٢٢", "not a port"),
        ("[192.0.2.1]:22", "only IPv6 literals are bracketed"),
        ("[example.com]:22", "'example.com' is not an IPv6 address"),
        ("2001:db8:::1", r"written \[address\]:port"),
        ("2001:db8:0:0:0:0:0:1:22", r"written \[address\]:port"),
        ("300.1.1.1", "not an IPv4 address"),
        ("-host", "neither a host name nor an address"),
        ("ssh://host", "is not a port"),
        ("ho st", "neither"),
        ("a" * 64, "neither"),
    ],
)
def test_a_login_that_is_none_says_what_is_wrong(text, why):
    with pytest.raises(ValueError, match=why):
        literals.login(text)


@given(st.one_of(ADDRESSES, NAMES), st.one_of(st.just(""), USERS), st.integers(1, 65535))
def test_what_is_spelled_is_read_back(host, user, port):
    login = Login(host=host, user=user, port=port)
    assert literals.login(literals.spell_login(login)) == login


@given(st.text(max_size=60))
@pytest.mark.parametrize("reader", [literals.login, literals.namespace, literals.web_host])
def test_any_text_is_read_or_a_value_error(reader, text):
    try:
        found = reader(text)
    except ValueError as error:
        found = str(error)
    assert found


def test_a_namespace_is_read():
    assert literals.namespace("netns:us-east-1/web-1") == Namespace(name="us-east-1/web-1")


@pytest.mark.parametrize("text", ["client", "netns:", "netns:a/b/c", "netns:../x", "netns:a b"])
def test_what_is_no_namespace_is_refused(text):
    with pytest.raises(ValueError, match="is not netns:NAME"):
        literals.namespace(text)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://Example.COM./x", "example.com", 80),
        ("https://example.com:8443", "example.com", 8443),
        ("https://[2001:DB8::1]/", "2001:db8::1", 443),
        ("http://192.0.2.1/", "192.0.2.1", 80),
    ],
)
def test_the_host_and_port_of_a_url_are_read(url, host, port):
    assert (str(literals.web_host(url)), literals.web_port(url)) == (host, port)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "http or https is wanted"),
        ("example.com", "the scheme is 'missing'"),
        ("http:///x", "the host is missing"),
        ("http://me:secret@example.com/", "a user or password"),
        ("http://example.com/#top", "fragment"),
        ("http://example.com/a b", "no blanks"),
        ("http://example.com/\r\nHost: x", "no blanks"),
        ("http://[fe80::1%25eth0]/", "no scope"),
        ("http://2001:db8::1/", "bracketed"),
        ("http://example.com:99999/", "not a port"),
        ("http://[::1/", "Invalid IPv6 URL"),
    ],
)
def test_a_url_that_is_none_of_a_site_says_what_is_wrong(url, why):
    with pytest.raises(ValueError, match=why):
        literals.web_host(url)
