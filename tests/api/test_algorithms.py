"""Algorithms of one's own choice: Diffie-Hellman parameters, signature algorithms; and chains that are completed."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from types import ModuleType

import certs
import pytest
from api.peers import Bios, client_context, each_library, server_context

import fasttls
from fasttls.crypto import dhe

CLIENT, SERVER = ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER


# Diffie-Hellman parameters and signature algorithms.


def _dh_file(path: Path, prime: int, generator: int = 2) -> Path:
    """Write PKCS #3 parameters."""

    def der(tag: int, body: bytes) -> bytes:
        size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
        return bytes([tag]) + size + body

    def integer(value: int) -> bytes:
        return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    text = base64.encodebytes(der(0x30, integer(prime) + integer(generator))).decode()
    path.write_text(f"-----BEGIN DH PARAMETERS-----\n{text}-----END DH PARAMETERS-----\n")
    return path


@pytest.mark.parametrize("ffdhe", [True, False], ids=["RFC 7919", "RFC 3526"])
@pytest.mark.parametrize("bits", [2048, 3072])
@each_library
def test_dh_parameters_of_known_groups(
    library: ModuleType, bits: int, ffdhe: bool, folder: Path, tmp_path: Path
) -> None:
    context = fasttls.SSLContext(SERVER)
    certs.server_credential("rsa").write(tmp_path, "rsa")
    context.load_cert_chain(tmp_path / "rsa-chain.pem", tmp_path / "rsa-key.pem")
    context.load_dh_params(_dh_file(tmp_path / "dh.pem", dhe._prime(bits, ffdhe=ffdhe)))
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    client = client_context(library, folder)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    pair = Bios(client, context).handshake()
    assert pair.client.cipher() == ("DHE-RSA-AES128-GCM-SHA256", "TLSv1.2", 128)
    assert pair.server.group() == f"ffdhe{bits}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("prime", "generator"),
    [(dhe._prime(2048, ffdhe=True) - 2, 2), (dhe._prime(2048, ffdhe=True), 5), ((1 << 1023) + 1155, 2)],
    ids=["another prime", "another generator", "too small"],
)
def test_dh_parameters_that_nobody_knows_are_refused(prime: int, generator: int, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError, match="none of RFC 7919 or RFC 3526") as caught:
        fasttls.SSLContext(SERVER).load_dh_params(_dh_file(tmp_path / "dh.pem", prime, generator))
    assert caught.value.reason == "BAD_DH_VALUE"


def test_signature_algorithms_that_can_be_set() -> None:
    names = fasttls.get_sigalgs()
    assert {"ed25519", "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"} <= set(names)
    for context in (fasttls.SSLContext(CLIENT), fasttls.SSLContext(SERVER)):
        context.set_client_sigalgs(":".join(names))
        context.set_server_sigalgs("ECDSA+SHA256:RSA-PSS+SHA256")
        for setting in (context.set_client_sigalgs, context.set_server_sigalgs):
            with pytest.raises(ssl.SSLError, match="'none' is not known"):
                setting("ed25519:none")


@each_library
def test_server_signs_with_what_the_client_asks_for(library: ModuleType, folder: Path, tmp_path: Path) -> None:
    certs.server_credential("rsa").write(tmp_path, "rsa")
    server = library.SSLContext(SERVER)
    server.load_cert_chain(tmp_path / "rsa-chain.pem", tmp_path / "rsa-key.pem")
    client = client_context(fasttls, folder)
    client.set_server_sigalgs("rsa_pss_rsae_sha512:ecdsa_secp256r1_sha256")
    pair = Bios(client, server).handshake()
    assert pair.client.server_sigalg() == "rsa_pss_rsae_sha512"  # type: ignore[attr-defined]
    assert pair.client.client_sigalg() is None  # type: ignore[attr-defined]


def test_server_signs_with_what_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    certs.server_credential("rsa").write(tmp_path, "rsa")
    server = fasttls.SSLContext(SERVER)
    server.load_cert_chain(tmp_path / "rsa-chain.pem", tmp_path / "rsa-key.pem")
    server.set_server_sigalgs("rsa_pss_rsae_sha384")
    for library in (fasttls, ssl):
        Bios(client_context(library, folder), server).handshake()
    pair = Bios(client_context(fasttls, folder), server).handshake()
    assert pair.client.server_sigalg() == pair.server.server_sigalg() == "rsa_pss_rsae_sha384"  # type: ignore[attr-defined]
    client = client_context(fasttls, folder)
    client.set_server_sigalgs("rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256")
    with pytest.raises(ssl.SSLError):
        Bios(client, server).handshake()


def test_client_signs_with_what_both_sides_allow(folder: Path, tmp_path: Path) -> None:
    certs.server_credential("rsa").write(tmp_path, "rsa")  # good for a client too
    server = server_context(fasttls, folder)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.pem")
    server.set_client_sigalgs("rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:ecdsa_secp256r1_sha256")
    client = client_context(fasttls, folder)
    client.load_cert_chain(tmp_path / "rsa-chain.pem", tmp_path / "rsa-key.pem")
    client.set_client_sigalgs("rsa_pss_rsae_sha384")
    pair = Bios(client, server).handshake()
    assert pair.client.client_sigalg() == pair.server.client_sigalg() == "rsa_pss_rsae_sha384"  # type: ignore[attr-defined]


# Chains that are completed.


@each_library
def test_issuers_that_are_trusted_are_sent_with_a_certificate_alone(library: ModuleType, tmp_path: Path) -> None:
    """OpenSSL does so, and servers rely on it that load their certificate alone."""
    middle = certs.Authority("Middle", parent=certs.test_root())
    issued = middle.issue("localhost")
    (tmp_path / "own.pem").write_text(issued.certificate_pem + issued.key_pem)
    server = library.SSLContext(SERVER)
    server.load_verify_locations(cadata=middle.pem)
    server.load_cert_chain(tmp_path / "own.pem")
    client = fasttls.SSLContext(CLIENT)
    client.load_verify_locations(cadata=certs.test_root().pem)
    pair = Bios(client, server).handshake()
    assert pair.client.get_unverified_chain() == [issued.der, middle.der]  # type: ignore[attr-defined]
    late = library.SSLContext(SERVER)
    late.load_cert_chain(tmp_path / "own.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        Bios(client, late).handshake()
    late.load_verify_locations(cadata=middle.pem)
    Bios(client, late).handshake()
