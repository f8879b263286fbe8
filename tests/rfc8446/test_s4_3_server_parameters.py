"""EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify and Finished (RFC 8446 §4.3, §4.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import certs
import pytest
from harness import (
    Alter,
    Pair,
    client_config,
    credential,
    expect,
    extension_block,
    on_message,
    on_type,
    read_block,
    refused,
    server_config,
    trust,
)

from fasttls.handshake.config import PeerCertificate
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import (
    AlertReceived,
    BadCertificate,
    CertificateRequired,
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    InternalError,
    MissingExtension,
    NoApplicationProtocol,
    TLSError,
    UnexpectedMessage,
    UnsupportedExtension,
)
from fasttls.wire.iana import ExtensionType, HandshakeType
from fasttls.wire.messages import (
    Certificate,
    CertificateEntry,
    CertificateRequest,
    CertificateVerify,
    EncryptedExtensions,
)

X, T = ExtensionType, HandshakeType
SERVER_AUTH = server_config(peer_certificate=PeerCertificate.REQUIRED)


def mutual_client() -> Any:
    """Return a client's configuration with a certificate."""
    return client_config(credentials=(credential(certs.client_credential()),))


def block(
    change: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]], at: int = 0
) -> Callable[[bytes], bytes]:
    """Alter the extension block that begins at a place of a body and ends it."""
    return lambda body: body[:at] + extension_block(change(read_block(body[at:])))


ENCRYPTED_EXTENSIONS: list[tuple[str, Alter, type[TLSError]]] = [
    ("trailing bytes", on_type(8, lambda b: b + b"\0"), DecodeError),
    ("cut short", on_type(8, lambda b: b[:-1]), DecodeError),
    ("unsolicited", on_type(8, block(lambda e: [*e, (0x7777, b"")])), UnsupportedExtension),
    ("duplicate", on_type(8, block(lambda e: [(X.SUPPORTED_GROUPS, b"\0\2\0\x17")] * 2)), IllegalParameter),
    ("key_share", on_type(8, block(lambda e: [(X.KEY_SHARE, b"\0\x1d\0\x20" + bytes(32))])), IllegalParameter),
    ("supported_versions", on_type(8, block(lambda e: [(X.SUPPORTED_VERSIONS, b"\3\4")])), IllegalParameter),
    ("signature_algorithms", on_type(8, block(lambda e: [(X.SIGNATURE_ALGORITHMS, b"\0\2\4\3")])), IllegalParameter),
    ("early_data", on_type(8, block(lambda e: [(X.EARLY_DATA, b"")])), UnsupportedExtension),
    ("an empty group list", on_type(8, block(lambda e: [(X.SUPPORTED_GROUPS, b"\0\0")])), DecodeError),
    ("an odd group list", on_type(8, block(lambda e: [(X.SUPPORTED_GROUPS, b"\0\3\0\x17\0")])), DecodeError),
    ("server_name with data", on_type(8, block(lambda e: [(X.SERVER_NAME, b"\0")])), DecodeError),
    ("ALPN that was not offered", on_type(8, block(lambda e: [(X.ALPN, b"\0\3\2h3")])), UnsupportedExtension),
]


@pytest.mark.parametrize(
    ("alter", "error"), [case[1:] for case in ENCRYPTED_EXTENSIONS], ids=[case[0] for case in ENCRYPTED_EXTENSIONS]
)
def test_encrypted_extensions(alter: Alter, error: type[TLSError]) -> None:
    refused("client", error, alter=alter)


ALPN: list[tuple[str, bytes, type[TLSError]]] = [
    ("another protocol", b"\0\3\2h3", IllegalParameter),
    ("two protocols", b"\0\6\2h2\2h2", DecodeError),
    ("no protocol", b"\0\0", DecodeError),
    ("an empty name", b"\0\1\0", DecodeError),
    ("a length too long", b"\0\4\2h2", DecodeError),
    ("a length too short", b"\0\2\2h2", DecodeError),
]


@pytest.mark.parametrize(("data", "error"), [case[1:] for case in ALPN], ids=[case[0] for case in ALPN])
def test_alpn(data: bytes, error: type[TLSError]) -> None:
    """RFC 7301 §3.1, §3.2."""
    alter = on_type(8, block(lambda e: [(X.ALPN, data)]))
    refused("client", error, alter=alter, client=client_config(alpn=(b"h2",)))


def test_alpn_without_overlap() -> None:
    """RFC 7301 §3.2: no_application_protocol, when the server insists; else none is selected."""
    ours = client_config(alpn=(b"h3",))
    refused("server", NoApplicationProtocol, client=ours, server=server_config(alpn=(b"h2",), alpn_required=True))
    pair = Pair(ours, server_config(alpn=(b"h2",))).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.alpn is None


REQUESTS: list[tuple[str, Alter, type[TLSError]]] = [
    ("with a context", on_message(CertificateRequest, lambda m: setattr(m, "certificate_request_context", b"x")),
     IllegalParameter),
    ("without signature_algorithms", on_type(13, block(lambda e: [(0x7777, b"")], 1)), MissingExtension),
    ("with an empty block", on_type(13, lambda b: b"\0\0\0"), MissingExtension),
    ("duplicate", on_type(13, block(lambda e: e * 2, 1)), IllegalParameter),
    ("key_share", on_type(13, block(lambda e: [*e, (X.KEY_SHARE, b"")], 1)), IllegalParameter),
    ("an empty list of algorithms", on_type(13, block(lambda e: [(X.SIGNATURE_ALGORITHMS, b"\0\0")], 1)), DecodeError),
    ("trailing bytes", on_type(13, lambda b: b + b"\0"), DecodeError),
]  # fmt: skip


@pytest.mark.parametrize(("alter", "error"), [c[1:] for c in REQUESTS], ids=[c[0] for c in REQUESTS])
def test_certificate_request(alter: Alter, error: type[TLSError]) -> None:
    refused("client", error, alter=alter, server=SERVER_AUTH, client=mutual_client())


def entries(change: Callable[[Any], Any]) -> Alter:
    """Alter the certificate list."""

    def on(message: Certificate) -> None:
        message.certificate_list = tuple(change(message.certificate_list))

    return on_message(Certificate, on)


LEAF_EXTENSIONS = CertificateEntry(certs.server_credential().der, {X.STATUS_REQUEST: b"response"})

SERVER_CERTIFICATES: list[tuple[str, Alter, type[TLSError]]] = [
    ("none", entries(lambda e: ()), DecodeError),
    ("with a context", on_message(Certificate, lambda m: setattr(m, "certificate_request_context", b"x")),
     IllegalParameter),
    ("an empty certificate", on_type(11, lambda b: b"\0\0\0\5\0\0\0\0\0"), DecodeError),
    ("garbage", entries(lambda e: (CertificateEntry(b"garbage", {}),)), BadCertificate),
    ("a truncated certificate", entries(lambda e: (CertificateEntry(e[0].cert_data[:-1], {}),)), BadCertificate),
    ("a certificate with a byte behind", entries(lambda e: (CertificateEntry(e[0].cert_data + b"\0", {}),)),
     BadCertificate),
    ("an unsolicited OCSP response", entries(lambda e: (LEAF_EXTENSIONS,)), UnsupportedExtension),
    ("an unknown extension", entries(lambda e: (CertificateEntry(e[0].cert_data, {0x7777: b""}),)),
     UnsupportedExtension),
    ("trailing bytes", on_type(11, lambda b: b + b"\0"), DecodeError),
    ("cut short", on_type(11, lambda b: b[:-1]), DecodeError),
    ("another server's", entries(lambda e: (CertificateEntry(OTHER.der, {}),)), CertificateRejected),
]  # fmt: skip

OTHER = certs.test_root().issue("other.example")


@pytest.mark.parametrize(
    ("alter", "error"), [c[1:] for c in SERVER_CERTIFICATES], ids=[c[0] for c in SERVER_CERTIFICATES]
)
def test_server_certificate(alter: Alter, error: type[TLSError]) -> None:
    refused("client", error, alter=alter)


def test_an_unknown_ca_is_told_as_such() -> None:
    failure = refused("client", CertificateRejected, client=client_config(trust=trust(certs.Authority("Other"))))
    assert failure.alert_sent == 48
    assert failure.reason == "CERTIFICATE_VERIFY_FAILED"


def verify(change: Callable[[CertificateVerify], object]) -> Alter:
    """Alter CertificateVerify."""
    return on_message(CertificateVerify, change)


def flip(message: CertificateVerify) -> None:
    """Alter the signature by a bit."""
    message.signature = message.signature[:-1] + bytes([message.signature[-1] ^ 1])


VERIFIES: list[tuple[str, Callable[[CertificateVerify], object], type[TLSError]]] = [
    ("a flipped bit", flip, DecryptError),
    ("no signature", lambda m: setattr(m, "signature", b""), DecryptError),
    ("garbage", lambda m: setattr(m, "signature", b"\x30\6\2\1\1\2\1\1"), DecryptError),
    ("PKCS#1", lambda m: setattr(m, "algorithm", 0x0401), IllegalParameter),
    ("SHA-1", lambda m: setattr(m, "algorithm", 0x0203), IllegalParameter),
    ("RSA-PSS from an ECDSA key", lambda m: setattr(m, "algorithm", 0x0804), IllegalParameter),
    ("another curve", lambda m: setattr(m, "algorithm", 0x0503), IllegalParameter),
    ("Ed25519 from an ECDSA key", lambda m: setattr(m, "algorithm", 0x0807), IllegalParameter),
    ("an unknown scheme", lambda m: setattr(m, "algorithm", 0x1234), IllegalParameter),
]


@pytest.mark.parametrize(("change", "error"), [c[1:] for c in VERIFIES], ids=[c[0] for c in VERIFIES])
@pytest.mark.parametrize("side", ["client", "server"])
def test_certificate_verify(side: str, change: Callable[[CertificateVerify], object], error: type[TLSError]) -> None:
    """RFC 8446 §4.4.3, by either side."""
    readable = side == "client"
    server = SERVER_AUTH if side == "server" else server_config()
    refused(side, error, alter=verify(change), client=mutual_client(), server=server, readable=readable)


def test_a_signature_over_another_transcript() -> None:
    """The attacker's signature is good, but for the messages as they were."""
    first = Pair(server_alters=verify(lambda m: kept.append(m)))
    kept: list[CertificateVerify] = []
    first.run()

    def replay(message: CertificateVerify) -> None:
        message.signature = kept[0].signature

    refused("client", DecryptError, "BAD_SIGNATURE", alter=verify(replay))


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    "change",
    [lambda b: bytes(len(b)), lambda b: b[:-1] + bytes([b[-1] ^ 1])],
    ids=["zeros", "one bit"],
)
def test_finished(side: str, change: Callable[[bytes], bytes]) -> None:
    """RFC 8446 §4.4.4: decrypt_error. One of another length is in test_s6_alerts.py."""
    refused(side, DecryptError, "DIGEST_CHECK_FAILED", alter=on_type(20, change), readable=side == "client")


def test_a_left_out_certificate_verify() -> None:
    refused("client", UnexpectedMessage, alter=on_type(15, lambda b: None))


def test_a_left_out_certificate() -> None:
    refused("client", UnexpectedMessage, alter=on_type(11, lambda b: None))


def test_a_client_that_leaves_out_certificate_verify() -> None:
    refused(
        "server",
        UnexpectedMessage,
        alter=on_type(15, lambda b: None),
        client=mutual_client(),
        server=SERVER_AUTH,
        readable=False,
    )


class TestClientCertificate:
    """RFC 8446 §4.4.2 on the server."""

    def test_required_and_missing(self) -> None:
        pair = Pair(client_config(), SERVER_AUTH)
        expect(pair, pair.server, CertificateRequired, pair.run)

    def test_optional_and_missing(self) -> None:
        pair = Pair(client_config(), server_config(peer_certificate=PeerCertificate.OPTIONAL)).connect()
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain == ()

    @pytest.mark.parametrize("mode", [PeerCertificate.OPTIONAL, PeerCertificate.REQUIRED])
    def test_verified(self, mode: PeerCertificate) -> None:
        pair = Pair(mutual_client(), server_config(peer_certificate=mode)).connect()
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain == (certs.client_credential().der,)
        assert pair.server.negotiated.verified_path[-1].der == certs.test_root().der

    @pytest.mark.parametrize("mode", [PeerCertificate.OPTIONAL, PeerCertificate.REQUIRED])
    def test_of_an_unknown_ca(self, mode: PeerCertificate) -> None:
        stranger = certs.Authority("Stranger").issue("client.example", usages=(certs.CLIENT,))
        pair = Pair(client_config(credentials=(credential(stranger),)), server_config(peer_certificate=mode))
        expect(pair, pair.server, CertificateRejected, pair.run)

    def test_for_servers_alone(self) -> None:
        wrong = certs.test_root().issue("client.example", usages=(certs.SERVER,))
        pair = Pair(client_config(credentials=(credential(wrong),)), SERVER_AUTH)
        expect(pair, pair.server, CertificateRejected, pair.run)

    def test_with_a_context(self) -> None:
        alter = on_message(Certificate, lambda m: setattr(m, "certificate_request_context", b"x"))
        refused("server", IllegalParameter, alter=alter, client=mutual_client(), server=SERVER_AUTH, readable=False)


class TestOwnCertificate:
    """A fault of this side's is internal_error or handshake_failure to the peer, and told to the caller."""

    def test_a_server_without_one(self) -> None:
        failure = refused("server", HandshakeFailure, "NO_CERTIFICATE_SET", server=server_config(credentials=()))
        assert failure.alert_sent == 40

    @pytest.mark.parametrize("side", ["client", "server"])
    def test_a_key_that_does_not_sign(self, side: str) -> None:
        class Broken:
            schemes = (0x0403,)
            schemes12 = (0x0403,)
            decrypt = None

            def sign(self, scheme: int, data: bytes) -> bytes:
                raise OSError("the token was pulled out")

        made = certs.server_credential() if side == "server" else certs.client_credential()
        broken = type(credential(made))((made.der,), Broken())
        client = mutual_client() if side == "server" else client_config(credentials=(broken,))
        server = server_config(credentials=(broken,)) if side == "server" else SERVER_AUTH
        failure = refused(side, InternalError, client=client, server=server, readable=side == "server")
        assert "pulled out" in str(failure)
        assert isinstance(failure.__cause__, OSError)

    def test_a_key_that_signs_wrongly_is_seen_by_the_peer(self) -> None:
        class Wrong:
            schemes = (0x0403,)
            schemes12 = (0x0403,)
            decrypt = None

            def sign(self, scheme: int, data: bytes) -> bytes:
                return b"\x30\6\2\1\1\2\1\1"

        broken = type(credential(certs.server_credential()))((certs.server_credential().der,), Wrong())
        refused("client", DecryptError, "BAD_SIGNATURE", server=server_config(credentials=(broken,)))

    def test_a_callback_that_raises_is_internal_error_to_the_peer_and_itself_to_the_caller(self) -> None:
        class Mine(Exception):
            pass

        def callback(offered: object) -> bytes:
            raise Mine

        pair = Pair(client_config(alpn=(b"h2",)), server_config(alpn_callback=callback))
        with pytest.raises(Mine):
            pair.run()
        with pytest.raises(AlertReceived) as received:
            pair.client.receive(pair.server.take_output())
        assert received.value.alert_received == 80


def test_several_certificates_are_chosen_by_what_the_client_can_verify() -> None:
    """RFC 8446 §4.4.2.2."""
    both = tuple(credential(certs.server_credential(kind)) for kind in ("rsa", "p256", "ed25519"))
    for scheme, kind in ((0x0403, "p256"), (0x0804, "rsa"), (0x0807, "ed25519")):
        client = client_config(signature_algorithms=(scheme,), signature_algorithms_cert=(0x0403,))
        pair = Pair(client, server_config(credentials=both)).connect()
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.peer_chain[0] == certs.server_credential(kind).der
        assert pair.client.negotiated.peer_signature_algorithm == scheme


def test_certificate_authorities_reach_the_peer() -> None:
    """RFC 8446 §4.2.4, in ClientHello and in CertificateRequest."""
    names = (certs.test_root().certificate.subject.public_bytes(),)
    pair = Pair(
        client_config(certificate_authorities=names, credentials=(credential(certs.client_credential()),)),
        server_config(certificate_authorities=names, peer_certificate=PeerCertificate.REQUIRED),
    ).connect()
    for end in (pair.client, pair.server):
        assert end.negotiated is not None
        assert end.negotiated.peer_authorities == names


def test_an_empty_message_body_for_every_type() -> None:
    for kind, error in ((8, DecodeError), (11, DecodeError), (15, DecodeError), (20, DecodeError)):
        refused("client", error, alter=on_type(kind, lambda b: b""))


def test_encrypted_extensions_may_say_what_was_offered() -> None:
    def more(message: EncryptedExtensions) -> None:
        message.extensions[X.SUPPORTED_GROUPS] = (29, 23)

    pair = Pair(server_alters=on_message(EncryptedExtensions, more)).connect()
    assert pair.client.connected
