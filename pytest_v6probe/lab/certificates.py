"""Whom does a TLS client of the lab trust? An authority that is made anew for each lab, here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from pytest_v6probe.result import Address

AUTHORITY_NAME = "v6probe lab"
AGE_DAYS = 60
"""How long ago each certificate became valid."""
LIFE_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate is to say: for a server the DNS names and the addresses it is for, for a
    client of Kubernetes who it is; and in how many days it expires (below 0: it has expired).
    """

    name: str
    days: int = LIFE_DAYS
    addresses: tuple[Address, ...] = ()
    aliases: tuple[str, ...] = ()
    """More DNS names."""
    organisation: str = ""
    """A client's group: then *name* is that of a user, and of no server."""

    @property
    def dns_names(self) -> tuple[str, ...]:
        """Every DNS name that it is for."""
        return self.aliases if self.organisation else (self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Authority:
    """An authority. Its key is nowhere but in this object."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """Its certificate, for who is to trust it."""
        return _pem(self.certificate)

    def issue(self, wanted: Certificate, file: Path) -> None:
        """Write a certificate as *wanted*, followed by its new key, to *file*, which only its owner
        may read.
        """
        from cryptography import x509  # noqa: PLC0415  the keeper loads it while hosts get addresses
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  as above
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415  as above

        key = _new_key()
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        names = [*map(x509.DNSName, wanted.dns_names), *map(x509.IPAddress, wanted.addresses)]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] if names else []
        usages += [ExtendedKeyUsageOID.CLIENT_AUTH] if wanted.organisation else []
        made = (
            _builder(key, wanted)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(issuer, critical=False)
        )
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        file.touch(mode=0o600)
        file.write_text(
            _pem(made.sign(self.key, hashes.SHA256()))
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode("ascii"),
            encoding="ascii",
        )


def authority() -> Authority:
    """A new authority. Its first use loads `cryptography`, which takes a tenth of a second."""
    from cryptography import x509  # noqa: PLC0415  the keeper loads it while hosts get addresses
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above

    key = _new_key()
    made = (
        _builder(key, Certificate(name=AUTHORITY_NAME))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=made, key=key)


def signer(pem: str) -> Callable[[bytes], bytes]:
    """What signs octets with the key in *pem*, as a JSON Web Token wants it: ES256, the two numbers
    one after the other (RFC 7518 §3.4).
    """
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  as above

    key = serialization.load_pem_private_key(_last_block(pem), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("only keys as `Authority.issue` makes them sign tokens")
    octets = (key.curve.key_size + 7) // 8

    def sign(said: bytes) -> bytes:
        pair = utils.decode_dss_signature(key.sign(said, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(octets, "big") for number in pair)

    return sign


def _last_block(pem: str) -> bytes:
    return pem[pem.rindex("-----BEGIN") :].encode("ascii")


def _new_key() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  as in `authority`

    return ec.generate_private_key(ec.SECP256R1())


def _builder(key: ec.EllipticCurvePrivateKey, wanted: Certificate) -> x509.CertificateBuilder:
    """What every certificate says (RFC 5280 §4.1.2, §4.2.1.2)."""
    from cryptography import x509  # noqa: PLC0415  as in `authority`

    now = datetime.now(UTC)
    common, group = x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME
    own = [x509.NameAttribute(group, wanted.organisation)] if wanted.organisation else []
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([*own, x509.NameAttribute(common, wanted.name)]))
        .issuer_name(x509.Name([x509.NameAttribute(common, AUTHORITY_NAME)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=AGE_DAYS))
        .not_valid_after(now + timedelta(days=wanted.days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool = False) -> x509.KeyUsage:
    """Signing certificates for an *authority*, else signing handshakes (RFC 5280 §4.2.1.3)."""
    from cryptography import x509  # noqa: PLC0415  as in `authority`

    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  as in `authority`

    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
