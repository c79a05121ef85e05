"""Is a certificate read as `cryptography` reads it?"""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pytest_v6probe.rfc.rfc5280 import Certificate, parse

KEY = ec.generate_private_key(ec.SECP256R1())
EXPIRES = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def made(subject, issuer="an authority", expires=EXPIRES, oid=x509.NameOID.COMMON_NAME) -> bytes:
    names = [
        x509.Name([x509.NameAttribute(oid, text)] if text else []) for text in (subject, issuer)
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(expires - timedelta(days=90))
        .not_valid_after(expires)
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        (
            made("r.example"),
            Certificate(subject="r.example", issuer="an authority", expires=EXPIRES),
        ),
        (
            made("Ü GmbH", "", oid=x509.NameOID.ORGANIZATION_NAME),
            Certificate(subject="Ü GmbH", issuer="", expires=EXPIRES),
        ),
        (
            made("r", expires=datetime(2051, 1, 1, tzinfo=UTC)),
            Certificate(
                subject="r", issuer="an authority", expires=datetime(2051, 1, 1, tzinfo=UTC)
            ),
        ),
        (
            made("a\x1b[2Jb"),
            Certificate(subject="a[2Jb", issuer="an authority", expires=EXPIRES),
        ),
    ],
    ids=("common-name", "organisation", "after-2050", "unprintable"),
)
def test_the_fields_are_those_of_the_certificate(der, expected):
    assert parse(der) == expected


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x80", b"\x30\x85", b"\x30\x00", bytes(70000)])
def test_what_is_no_certificate_is_refused(der):
    with pytest.raises(ValueError, match=r"."):
        parse(der)


WHOLE = made("r.example")


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused(data):
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parse(bytes(der[: data.draw(st.integers(0, len(der)))]))
    except ValueError:
        return
    assert found.subject.isprintable()
