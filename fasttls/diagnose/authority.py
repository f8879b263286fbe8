"""A certification authority for demonstrations, made on the spot and gone with the process."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)
_PURPOSES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class DemoFiles(NamedTuple):
    """PEM files: the root to trust, the chain of a server or client and its private key."""

    root: Path
    chain: Path
    key: Path


def make_demo_files(folder: Path, kind: str = "P-256") -> DemoFiles:
    """Make a root, an intermediate and a certificate for localhost and the loopback addresses.

    It is for servers and for clients. All keys are of one kind, "P-256" or "RSA-2048". They are valid for a week. The
    private key is written for its owner alone to read.
    """
    root_key, middle_key, key = (_make_key(kind) for _ in range(3))
    root = _ca("fasttls demo root", root_key, "fasttls demo root", root_key, path_length=1)
    middle = _ca("fasttls demo intermediate", middle_key, "fasttls demo root", root_key, path_length=0)
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    leaf = (
        _builder("localhost", key, "fasttls demo intermediate", middle_key)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(signs_certificates=False), True)
        .add_extension(names, False)
        .add_extension(x509.ExtendedKeyUsage(_PURPOSES), False)
        .sign(middle_key, hashes.SHA256())
    )
    files = DemoFiles(folder / "root.pem", folder / "server.pem", folder / "server-key.pem")
    files.root.write_bytes(root.public_bytes(Encoding.PEM))
    files.chain.write_bytes(leaf.public_bytes(Encoding.PEM) + middle.public_bytes(Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _make_key(kind: str) -> _Key:
    match kind:
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "RSA-2048":
            return rsa.generate_private_key(65537, 2048)
    raise ValueError(f"no kind of key is called {kind!r}")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(name: str, key: _Key, issuer: str, issuer_key: _Key) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 7 * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )


def _ca(
    name: str,
    key: _Key,
    issuer: str,
    issuer_key: _Key,
    *,
    path_length: int,
) -> x509.Certificate:
    return (
        _builder(name, key, issuer, issuer_key)
        .add_extension(x509.BasicConstraints(True, path_length), True)
        .add_extension(_usage(signs_certificates=True), True)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
