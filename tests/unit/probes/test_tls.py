"""Does the judge of a handshake say what was agreed, and if nothing, how it failed?"""

import pytest

from pytest_v6probe.agent.wire import Reply
from pytest_v6probe.probes.tls import Tls, judge, tls
from pytest_v6probe.result import Endpoint, Layer, Path
from tests.unit.probes.seen import HOST, LOCAL, VANTAGE, seen

REMOTE = Endpoint(HOST, 443)
AGREED = {
    "connect_s": 0.01,
    "tls_s": 0.02,
    "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
}


@pytest.mark.parametrize(
    ("reply", "verdict", "what"),
    [
        (
            Reply("answered", b"", LOCAL, REMOTE, fields=AGREED),
            "verified",
            {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
        ),
        (
            Reply("tls-error", b"", LOCAL, REMOTE, fields={"detail": "CERTIFICATE_VERIFY_FAILED"}),
            "tls-error",
            {},
        ),
        (Reply("timed-out", b"", LOCAL, REMOTE, fields={"connect_s": 0.01}), "tls-unanswered", {}),
        (Reply("timed-out", b"", LOCAL, REMOTE), "timed-out", {}),
        (Reply("answered", b"", LOCAL, REMOTE, fields={"tls": "junk"}), "verified", {}),
    ],
)
def test_judge(reply, verdict, what):
    assert judge(seen(reply), host="x.example", port=443) == Tls(
        vantage=VANTAGE,
        asked="TLS x.example:443",
        verdict=verdict,
        name_asked="x.example",
        local=LOCAL,
        remote=REMOTE,
        path=Path.NATIVE,
        **what,
    )


def test_the_layer_is_that_of_the_failure():
    failed = {
        outcome: judge(seen(Reply(outcome)), host=HOST, port=443).broken_layer
        for outcome in ("tls-error", "refused", "no-route")
    }
    assert failed == {"tls-error": Layer.TLS, "refused": Layer.TCP, "no-route": Layer.ROUTE}


def test_the_certificate_is_verified_for_the_name():
    (operation,) = tls.ask(HOST, server_name="x.example").operations
    assert operation["tls"] == {"server_name": "x.example", "alpn": [], "ca": ""}
