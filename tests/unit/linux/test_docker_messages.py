"""Are the words of engines understood, from 20.10 to 29? Those marked *seen* came from real ones."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.linux.docker_messages import dialled, verdict

V6 = "[2001:db8::1]:5000"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param("invalid reference format", "invalid-reference", id="seen-20.10-literal"),
        pytest.param(
            "invalid reference format: repository name must be lowercase",
            "invalid-reference",
            id="seen-20.10-upper-case",
        ),
        pytest.param(
            "manifest for localhost:5000/nosuch:latest not found: manifest unknown: manifest unknown",
            "not-found",
            id="seen-20.10-nosuch",
        ),
        pytest.param(
            'failed to resolve reference "localhost:5000/nosuch:latest": localhost:5000/nosuch:latest: not found',
            "not-found",
            id="seen-29-nosuch",
        ),
        pytest.param(
            f'failed to resolve reference "{V6}/alpine:latest": failed to do request: Head '
            f'"https://{V6}/v2/alpine/manifests/latest": dial tcp {V6}: connect: network is unreachable',
            "no-route",
            id="seen-29-no-route",
        ),
        pytest.param(
            'Get "http://localhost:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused',
            "refused",
            id="seen-20.10-refused",
        ),
        pytest.param(
            'Get "https://nosuch.example/v2/": dial tcp: lookup nosuch.example on 10.255.255.53:53: '
            "dial udp 10.255.255.53:53: connect: network is unreachable",
            "resolver-no-route",
            id="seen-20.10-no-resolver",
        ),
        pytest.param(
            'Get "https://r.example/v2/": dial tcp: lookup r.example: no such host', "nxdomain", id="nxdomain"
        ),
        pytest.param(
            'Get "https://r/v2/": x509: certificate has expired or is not yet valid: current time',
            "tls-expired",
            id="expired",
        ),
        pytest.param(
            'Get "https://r/v2/": tls: failed to verify certificate: x509: certificate is valid for a, not r',
            "tls-name-mismatch",
            id="mismatch",
        ),
        pytest.param(
            'Get "https://r/v2/": x509: certificate signed by unknown authority', "tls-untrusted", id="untrusted"
        ),
        pytest.param(
            'Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client', "plain-http", id="plain"
        ),
        pytest.param(
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
            "https://auth.example/token: 401 Unauthorized",
            "token-refused",
            id="token",
        ),
        pytest.param(
            'failed to authorize: failed to fetch anonymous token: Get "https://auth.example/token": '
            "dial tcp 192.0.2.1:443: connect: network is unreachable",
            "no-route",
            id="token-host-without-ipv6",
        ),
        pytest.param("no basic auth credentials", "unauthorised", id="no-credentials"),
        pytest.param(
            "pull access denied for a, repository does not exist or may require 'docker login'",
            "unauthorised",
            id="denied",
        ),
        pytest.param(
            "filesystem layer verification failed for digest sha256:00", "digest-mismatch", id="digest-20.10"
        ),
        pytest.param(
            "failed commit on ref: unexpected commit digest sha256:00, expected sha256:11: failed precondition",
            "digest-mismatch",
            id="digest-29",
        ),
        pytest.param("no matching manifest for linux/arm64/v8 in the manifest list entries", "no-such-platform", id="platform"),
        pytest.param("toomanyrequests: You have reached your pull rate limit", "rate-limited", id="rate"),
        pytest.param("net/http: TLS handshake timeout", "tls-unanswered", id="handshake"),
        pytest.param("timed-out: no end within 5.0 s", "timed-out", id="ours"),
        pytest.param("the moon is full", "failed", id="unknown"),
    ],
)  # fmt: skip
def test_the_verdict_on_an_engines_words(error, expected):
    assert verdict(error) == expected


@pytest.mark.parametrize(
    ("error", "address"),
    [
        (f"dial tcp {V6}: connect: network is unreachable", "2001:db8::1"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "192.0.2.1"),
        ("read tcp [fd00::2]:5->[fd00::1]:443: read: connection reset by peer", "fd00::1"),
    ],
)
def test_the_address_that_was_gone_to_is_read(error, address):
    assert dialled(error) == ip_address(address)


@pytest.mark.parametrize("error", ["", "dial tcp: lookup r: no such host", "dial tcp :::::1: x"])
def test_where_none_is_named_there_is_none(error):
    assert dialled(error) is None


@given(st.text(max_size=300))
def test_any_words_have_a_verdict(error):
    assert verdict(error).replace("-", "").isalpha()
    assert dialled(error) is None or dialled(error)
