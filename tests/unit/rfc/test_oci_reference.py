"""Is an image reference read as Docker reads it?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc.oci_reference import Reference, parse

DIGEST = "sha256:" + "ab" * 32
HUB = "docker.io"


@pytest.mark.parametrize(
    ("text", "expected", "authority"),
    [
        ("alpine", Reference(domain=HUB, repository="library/alpine", tag="latest"), "registry-1.docker.io"),
        ("alpine:3.20", Reference(domain=HUB, repository="library/alpine", tag="3.20"), "registry-1.docker.io"),
        ("docker.io/alpine", Reference(domain=HUB, repository="library/alpine", tag="latest"), "registry-1.docker.io"),
        ("index.docker.io/a/b", Reference(domain=HUB, repository="a/b", tag="latest"), "registry-1.docker.io"),
        ("grafana/loki", Reference(domain=HUB, repository="grafana/loki", tag="latest"), "registry-1.docker.io"),
        ("localhost/a", Reference(domain="localhost", repository="a", tag="latest"), "localhost"),
        ("r:5000/a:b", Reference(domain="r:5000", repository="a", tag="b"), "r:5000"),
        ("Registry/a", Reference(domain="Registry", repository="a", tag="latest"), "Registry"),
        (f"r.example/a/b__c@{DIGEST}", Reference(domain="r.example", repository="a/b__c", digest=DIGEST), "r.example"),
        (f"r.example/a:1@{DIGEST}", Reference(domain="r.example", repository="a", digest=DIGEST), "r.example"),
        (
            "[2001:db8::1]:5000/alpine",
            Reference(domain="[2001:db8::1]:5000", repository="alpine", tag="latest"),
            "[2001:db8::1]:5000",
        ),
    ],
)  # fmt: skip
def test_a_reference_is_normalised(text, expected, authority):
    assert parse(text) == expected
    assert expected.authority == authority


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "invalid reference format"),
        ("Alpine", "must be in lower case"),
        ("a" * 2000, "2000 characters"),
        ("ab" * 32, "image's id"),
        ("2001:db8::1/alpine", "written in brackets"),
        ("[fe80::1%eth0]:5000/a", "no zone"),
        ("[::ffff:1.2.3.4]/a", "not a registry's name"),
        ("[::ffff:102:304]/a", "1.2.3.4 inside"),
        ("[:::]/a", "not an IPv6 address"),
        ("r.example:0/a", "0 is not a port"),
        ("r.example:99999/a", "99999 is not a port"),
        ("r.example/a@sha256:abc", "is invalid"),
        ("r.example/a//b", "is invalid"),
        ("r.example/../b", "is invalid"),
        ("http://r.example/a", "not a registry's name"),
        ("-r.example/a", "not a registry's name"),
        (f"r.example/{'a' * 250}", "at most 255"),
    ],
)
def test_what_no_pull_takes_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        parse(text)


@given(st.text(max_size=80) | st.from_regex(r"\A[a-z0-9.:/@_\[\]-]{1,60}\Z"))
def test_whatever_is_accepted_says_itself_again(text):
    try:
        reference = parse(text)
    except ValueError:
        return
    assert parse(str(reference)) == reference
    assert reference.tag or reference.digest
