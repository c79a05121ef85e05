"""Does OpenSSL take the certificates of the lab's authority, and refuse those that are meant to be
refused?
"""

from __future__ import annotations

import ssl
import subprocess
import sys
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pytest_v6probe.lab.certificates import Authority, Certificate, authority

NAME = "ipv6.google.com"


@pytest.fixture(scope="module")
def lab() -> Authority:
    return authority()


def client_says(pem: str, file: Path, name: str = NAME) -> str:
    """What a strict client that trusts *pem* and wants *name* says to a server with the certificate
    in *file*.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cadata=pem)
    server.load_cert_chain(file)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_hostname=name),
        server.wrap_bio(there, back, server_side=True),
    )
    for end in ends * 2:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as why:
            return why.verify_message
    return "verified"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Certificate(name=NAME), "verified"),
        (Certificate(name=NAME, days=-1), "certificate has expired"),
        (
            Certificate(name="www.google.com"),
            "Hostname mismatch, certificate is not valid for 'ipv6.google.com'.",
        ),
    ],
    ids=["good", "expired", "of-another-name"],
)
def test_a_strict_client_says_of_a_certificate_what_is_wrong_with_it(
    lab, tmp_path, wanted, expected
):
    lab.issue(wanted, tmp_path / "site.pem")
    assert client_says(lab.pem, tmp_path / "site.pem") == expected


def test_a_certificate_is_for_the_addresses_it_names_and_no_others(lab, tmp_path):
    for addresses in ((), (IPv6Address("2001:db8::1"),)):
        lab.issue(Certificate(name=NAME, addresses=addresses), tmp_path / f"{len(addresses)}.pem")
    said = [client_says(lab.pem, tmp_path / f"{n}.pem", "2001:db8::1") for n in (0, 1)]
    refused = "IP address mismatch, certificate is not valid for '2001:db8::1'."
    assert said == [refused, "verified"]


def test_a_client_is_known_by_its_name_and_group_and_a_server_by_its_aliases_too(lab, tmp_path):
    file = tmp_path / "node.pem"
    node = Certificate(name="system:node:a", organisation="system:nodes", aliases=("a.test",))
    lab.issue(node, file)
    made = x509.load_pem_x509_certificate(file.read_bytes())
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert made.subject.rfc4514_string() == "CN=system:node:a,O=system:nodes"
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert client_says(lab.pem, file, "a.test") == "verified"
    lab.issue(Certificate(name="somebody", organisation="readers"), file)
    made = x509.load_pem_x509_certificate(file.read_bytes())
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_certificate_of_another_lab_is_not_trusted(lab, tmp_path):
    authority().issue(Certificate(name=NAME), tmp_path / "site.pem")
    assert client_says(lab.pem, tmp_path / "site.pem") != "verified"


def test_only_the_owner_may_read_a_key_and_the_authority_s_is_not_written(lab, tmp_path):
    lab.issue(Certificate(name=NAME), tmp_path / "site.pem")
    text = (tmp_path / "site.pem").read_text()
    assert (tmp_path / "site.pem").stat().st_mode & 0o777 == 0o600
    assert (text.count("PRIVATE KEY-----"), text.count("BEGIN CERTIFICATE")) == (2, 1)
    assert "PRIVATE KEY" not in lab.pem


def test_a_certificate_that_is_issued_again_takes_the_place_of_the_old_one(lab, tmp_path):
    file = tmp_path / "site.pem"
    lab.issue(Certificate(name=NAME, days=-1), file)
    lab.issue(Certificate(name=NAME), file)
    assert client_says(lab.pem, file) == "verified"


def test_cryptography_is_not_loaded_before_an_authority_is_made():
    code = "import sys; from pytest_v6probe.lab import keeper; print('cryptography' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
