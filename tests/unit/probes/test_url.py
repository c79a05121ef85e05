"""Is a URL taken apart as a request needs it?"""

from ipaddress import IPv6Address

import pytest

from pytest_v6probe.probes.url import Url, parse

LITERAL = IPv6Address("64:ff9b::2cd2:6b5d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "http://www.google.com",
            Url(
                host="www.google.com", port=80, target="/", authority="www.google.com", secure=False
            ),
        ),
        (
            "https://www.google.com:8443/a/b?c=d",
            Url(
                host="www.google.com",
                port=8443,
                target="/a/b?c=d",
                authority="www.google.com:8443",
                secure=True,
            ),
        ),
        (
            "http://[64:ff9b::2cd2:6b5d]/",
            Url(host=LITERAL, port=80, target="/", authority="[64:ff9b::2cd2:6b5d]", secure=False),
        ),
        (
            "http://[64:ff9b::2cd2:6b5d]:8080/",
            Url(
                host=LITERAL,
                port=8080,
                target="/",
                authority="[64:ff9b::2cd2:6b5d]:8080",
                secure=False,
            ),
        ),
    ],
)
def test_parse(text, expected):
    assert parse(text) == expected


def test_only_a_name_has_a_name():
    assert parse("http://www.google.com/").name == "www.google.com"
    assert parse("http://[::1]/").name == ""
