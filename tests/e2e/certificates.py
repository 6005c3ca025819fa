"""Certificates for one test session: an authority of its own, and whatever it signs, sound or not."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=2)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; clients that trust `certificate` accept them."""

    def __init__(self, directory: Path, name: str = "test authority") -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self._name = _distinguished(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(timezone.utc)
        built = (
            _builder(self._name, self._name, self._key, now - LIFETIME, now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = directory / f"{name.replace(' ', '-')}.crt"
        self.certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, *hosts: str, ends_in: timedelta = LIFETIME, password: str | None = None
    ) -> Certificate:
        """A certificate for these host names and addresses; with ends_in below zero it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        end = datetime.now(timezone.utc) + ends_in
        builder = _builder(_distinguished(name), self._name, key, end - 2 * LIFETIME, end).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(h) for h in hosts]), False)
        return _write(self.directory, name, builder.sign(self._key, hashes.SHA256()), key, password)


def self_signed(directory: Path, name: str, *hosts: str) -> Certificate:
    """A certificate that vouches for itself alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(timezone.utc)
    subject = _distinguished(name)
    built = (
        _builder(subject, subject, key, now - LIFETIME, now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    return _write(directory, name, built, key, None)


def _distinguished(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _write(
    directory: Path, name: str, built: x509.Certificate, key: ec.EllipticCurvePrivateKey, password: str | None
) -> Certificate:
    files = Certificate(directory / f"{name}.crt", directory / f"{name}.key")
    files.certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption(),
        )
    )
    return files
