"""TLS 1.2's hellos and versions: negotiation, downgrade, what must be there and what must not (RFC 5246 §7.4.1)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import certs
import pytest
from harness import (
    HANDSHAKE,
    Pair,
    client_config,
    credential,
    expect,
    framed,
    on_message,
    on_type,
    record,
    refused,
    server_config,
)

from fasttls.crypto.signatures import DEFAULT_SCHEMES
from fasttls.handshake.config import PeerCertificate
from fasttls.native._wire import Writer
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import (
    Alert,
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    InappropriateFallback,
    InsufficientSecurity,
    ProtocolVersionAlert,
    TLSError,
    UnsupportedExtension,
)
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup
from fasttls.wire.messages import CertificateVerify, ClientHello, ServerHello
from fasttls.wire.messages12 import SignedParams, read_dhe, read_ecdhe

X = ExtensionType
ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
RANGES = [(0x0303, 0x0303), (0x0303, 0x0304), (0x0304, 0x0304)]


@pytest.mark.parametrize("ours", RANGES)
@pytest.mark.parametrize("theirs", RANGES)
def test_every_combination_of_versions(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    """The highest that both speak, or protocol_version."""
    client = client_config(minimum_version=ours[0], maximum_version=ours[1])
    server = server_config(minimum_version=theirs[0], maximum_version=theirs[1])
    common = min(ours[1], theirs[1])
    pair = Pair(client, server)
    if common < max(ours[0], theirs[0]):
        failure = expect(pair, pair.server, ProtocolVersionAlert, pair.run)
        assert "the client speaks TLSv1." in str(failure)
        return
    pair.connect()
    assert pair.client.negotiated is not None
    assert pair.server.negotiated is not None
    assert pair.client.negotiated.version == pair.server.negotiated.version == common
    # RFC 8446 §4.1.3: the sentinel is there when the server could have spoken more, and then alone.
    marked = pair.client.negotiated.server_random[-8:] == b"DOWNGRD\x01"
    assert marked is (common == 0x0303 and theirs[1] == 0x0304)


@pytest.mark.parametrize("ours", RANGES[:2])
@pytest.mark.parametrize("sentinel", [b"DOWNGRD\x01", b"DOWNGRD\x00", b"DOWNGRD\x02"])
def test_the_downgrade_sentinel_is_checked(ours: tuple[int, int], sentinel: bytes) -> None:
    """RFC 8446 §4.1.3: by a client that offered more than the server selects."""

    def random(size: int) -> bytes:
        return os.urandom(size - 8) + sentinel if size == 32 else os.urandom(size)

    pair = Pair(client_config(minimum_version=ours[0], maximum_version=ours[1]), server_config(**ONLY12, random=random))
    if ours[1] == 0x0304 and sentinel != b"DOWNGRD\x02":
        expect(pair, pair.client, IllegalParameter, pair.run, "INAPPROPRIATE_FALLBACK")
    else:
        pair.connect()


def test_an_attacker_who_strips_tls13_is_seen() -> None:
    def strip(message: ClientHello) -> None:
        del message.extensions[X.SUPPORTED_VERSIONS]

    pair = Pair(client_alters=on_message(ClientHello, strip))
    expect(pair, pair.client, IllegalParameter, pair.run, "INAPPROPRIATE_FALLBACK")


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303])
def test_a_fallback_that_was_not_needed(version: int) -> None:
    """RFC 7507 §3."""

    def fall_back(message: ClientHello) -> None:
        message.extensions.pop(X.SUPPORTED_VERSIONS, None)
        message.legacy_version = version
        message.cipher_suites += (CipherSuite.TLS_FALLBACK_SCSV,)

    error = InappropriateFallback if version == 0x0303 else ProtocolVersionAlert
    refused("server", error, alter=on_message(ClientHello, fall_back))
    pair = Pair(client_config(**ONLY12), server_config(**ONLY12), client_alters=on_message(ClientHello, fall_back))
    if version == 0x0303:
        pair.connect()


OLD = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1"}


@pytest.mark.parametrize("version", OLD)
def test_an_old_client_is_named(version: int) -> None:
    writer = Writer()
    writer.u16(version)
    writer.raw(bytes(32))
    writer.vector(1, b"")
    writer.u16_vector(2, (0x002F, 0x0035))
    writer.vector(1, b"\0")
    pair = Pair()
    data = record(HANDSHAKE, framed(1, writer.finish()), min(version, 0x0301))
    failure = expect(pair, pair.server, ProtocolVersionAlert, lambda: pair.server.receive(data))
    assert OLD[version] in str(failure)


@pytest.mark.parametrize("version", OLD)
def test_an_old_server_is_named(version: int) -> None:
    pair = Pair()
    pair.client.start()
    answer = ServerHello(bytes(32), b"", 0x002F, {}, version)
    data = record(HANDSHAKE, answer.encode(), version)
    failure = expect(pair, pair.client, ProtocolVersionAlert, lambda: pair.client.receive(data), readable=False)
    assert f"the server speaks {OLD[version]}, we speak TLSv1.2 to TLSv1.3" in str(failure)


@pytest.mark.parametrize(
    ("suites", "words"),
    [
        ((0xC023, 0xC009, 0x002F), "CBC and RC4 suites are not spoken here"),
        ((0x0005, 0xC011), "CBC and RC4 suites are not spoken here"),
        ((0xC02B, 0x00FF), "no cipher suite in common"),
    ],
)
def test_a_client_without_a_suite_in_common_is_named(suites: tuple[int, ...], words: str) -> None:
    def offer(message: ClientHello) -> None:
        message.cipher_suites = suites

    server = server_config(suites=(0xC030,)) if suites[0] == 0xC02B else server_config(**ONLY12)
    client = client_config(**ONLY12)
    failure = refused("server", HandshakeFailure, "NO_SHARED_CIPHER", alter=on_message(ClientHello, offer),
                      server=server, client=client)  # fmt: skip
    assert words in str(failure)
    assert CipherSuite(suites[0]).name in str(failure)


def extension(code: int, value: object) -> Callable[[Any], None]:
    """Set an extension, or leave it out when value is None and it is there."""

    def change(message: Any) -> None:
        if value is None and code in message.extensions:
            del message.extensions[code]
        else:
            message.extensions[code] = value

    return change


CLIENT_HELLOS: list[tuple[str, Callable[[Any], object], type[TLSError], str | None]] = [
    ("without extended_master_secret", extension(X.EXTENDED_MASTER_SECRET, None), HandshakeFailure,
     "EXTENDED_MASTER_SECRET_MISSING"),
    ("renegotiation_info that is not empty", extension(X.RENEGOTIATION_INFO, b"x"), HandshakeFailure,
     "RENEGOTIATION_MISMATCH"),
    ("no uncompressed points", extension(X.EC_POINT_FORMATS, (1, 2)), IllegalParameter, None),
    ("compression alone", lambda m: setattr(m, "legacy_compression_methods", b"\1"), IllegalParameter, None),
    ("without signature_algorithms", extension(X.SIGNATURE_ALGORITHMS, None), HandshakeFailure,
     "NO_SUITABLE_SIGNATURE_ALGORITHM"),
    ("SHA-1 signatures alone", extension(X.SIGNATURE_ALGORITHMS, (0x0203, 0x0201)), HandshakeFailure,
     "NO_SUITABLE_SIGNATURE_ALGORITHM"),
]  # fmt: skip


@pytest.mark.parametrize("groups", [(0x0013,), (0x11EC,)])
def test_no_curve_in_common(groups: tuple[int, ...]) -> None:
    alter = on_message(ClientHello, extension(X.SUPPORTED_GROUPS, groups))
    refused("server", HandshakeFailure, "NO_SUITABLE_GROUPS", alter=alter, client=client_config(**ONLY12),
            server=server_config("rsa", **ONLY12))  # fmt: skip


def test_a_client_that_names_no_curves_gets_p256() -> None:
    """RFC 8422 §4: the choice is the server's."""
    alter = on_message(ClientHello, extension(X.SUPPORTED_GROUPS, None))
    pair = Pair(client_config(**ONLY12), server_config(**ONLY12), client_alters=alter).connect()
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.group == NamedGroup.SECP256R1


def test_a_curve_that_is_not_the_certificates() -> None:
    """RFC 8422 §5.1: supported_groups is for the curve of an ECDSA certificate too."""
    alter = on_message(ClientHello, extension(X.SUPPORTED_GROUPS, (29,)))
    server = server_config(**ONLY12, credentials=tuple(map(credential, map(certs.server_credential, ("p256", "rsa")))))
    refused("server", HandshakeFailure, "NO_SUITABLE_SIGNATURE_ALGORITHM", alter=alter, client=client_config(**ONLY12),
            server=server_config(**ONLY12))  # fmt: skip
    only = client_config(**ONLY12, groups=(29,), key_shares=(29,))
    pair = Pair(only, server).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.peer_chain[0] == certs.server_credential("rsa").der


@pytest.mark.parametrize(
    ("change", "error", "reason"), [c[1:] for c in CLIENT_HELLOS], ids=[c[0] for c in CLIENT_HELLOS]
)
def test_client_hello(change: Callable[[Any], object], error: type[TLSError], reason: str | None) -> None:
    alter = on_message(ClientHello, change)
    refused("server", error, reason, alter=alter, client=client_config(**ONLY12))


SERVER_HELLOS: list[tuple[str, Callable[[Any], object], type[TLSError], str | None]] = [
    ("without extended_master_secret", extension(X.EXTENDED_MASTER_SECRET, None), HandshakeFailure,
     "EXTENDED_MASTER_SECRET_MISSING"),
    ("without renegotiation_info", extension(X.RENEGOTIATION_INFO, None), HandshakeFailure,
     "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
    ("renegotiation_info that is not empty", extension(X.RENEGOTIATION_INFO, b"x"), HandshakeFailure,
     "RENEGOTIATION_MISMATCH"),
    ("no uncompressed points", extension(X.EC_POINT_FORMATS, (1,)), IllegalParameter, None),
    ("compression", lambda m: setattr(m, "legacy_compression_method", 1), IllegalParameter, None),
    ("a suite that was not offered", lambda m: setattr(m, "cipher_suite", 0x009C), IllegalParameter, None),
    ("a suite of TLS 1.3", lambda m: setattr(m, "cipher_suite", 0x1301), IllegalParameter, None),
    ("a CBC suite", lambda m: setattr(m, "cipher_suite", 0xC009), IllegalParameter, "WRONG_CIPHER_RETURNED"),
    ("an unsolicited extension", extension(X.SESSION_TICKET, None), UnsupportedExtension, None),
    ("an unknown extension", extension(0x7777, b""), UnsupportedExtension, None),
    ("ALPN that was not offered", extension(X.ALPN, b"h2"), UnsupportedExtension, None),
    ("supported_versions of TLS 1.2", extension(X.SUPPORTED_VERSIONS, 0x0303), IllegalParameter, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error", "reason"), [c[1:] for c in SERVER_HELLOS], ids=[c[0] for c in SERVER_HELLOS]
)
def test_server_hello(change: Callable[[Any], object], error: type[TLSError], reason: str | None) -> None:
    refused("client", error, reason, alter=on_message(ServerHello, change), server=server_config(**ONLY12))


@pytest.mark.parametrize("value", [b"\0\4\0\x17\0\x1d", b"", b"\0\3\0"], ids=["a list", "nothing", "no list"])
def test_an_echo_of_the_groups_is_not_looked_at(value: bytes) -> None:
    """Some load balancers send it, and OpenSSL takes it; it says nothing, though RFC 8422 §4 does not have it there."""
    alter = on_message(ServerHello, extension(X.SUPPORTED_GROUPS, value))
    pair = Pair(client_config(), server_config(**ONLY12), server_alters=alter).connect()
    assert pair.client.negotiated is not None


def test_a_resumption_of_the_session_that_was_made_up() -> None:
    """RFC 8446 Appendix D.4: the session id that is sent for middleboxes names no session."""
    pair = Pair(client_config(), server_config(**ONLY12))
    pair.client.start()
    echoed = pair.client._machine.state.hello.legacy_session_id

    def echo(message: ServerHello) -> None:
        message.legacy_session_id_echo = echoed

    pair.server._machine.alter = on_message(ServerHello, echo)  # type: ignore[union-attr]
    expect(pair, pair.client, IllegalParameter, pair.run, "INVALID_SESSION_ID")


def test_a_peer_without_extended_master_secret_may_be_allowed() -> None:
    """RFC 7627 §5.3; exporters and tls-unique are not to be had then."""
    drop = {"require_extended_master_secret": False, "require_secure_renegotiation": False}
    alter = on_message(ServerHello, extension(X.RENEGOTIATION_INFO, None))

    def without(message: ClientHello) -> None:
        del message.extensions[X.EXTENDED_MASTER_SECRET]

    pair = Pair(
        client_config(**ONLY12, **drop),
        server_config(**ONLY12, **drop),
        client_alters=on_message(ClientHello, without),
        server_alters=alter,
    ).connect()
    for end in (pair.client, pair.server):
        assert end.negotiated is not None
        assert not end.negotiated.extended_master_secret
        assert end.negotiated.tls_unique is None
        with pytest.raises(ValueError, match="extended master secret"):
            end.export_keying_material(b"x", 16)


class TestServerKeyExchange:
    """RFC 5246 §7.4.3, RFC 8422 §5.4."""

    @staticmethod
    def refused(change: Callable[[bytes], bytes], error: type[TLSError], reason: str | None = None) -> None:
        refused("client", error, reason, alter=on_type(12, change), client=client_config(**ONLY12))

    @staticmethod
    def params(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        """Alter the parameters and leave the signature."""

        def altered(body: bytes) -> bytes:
            _, signed = read_ecdhe(body)
            return SignedParams(change(signed.params), signed.algorithm, signed.signature).encode()

        return altered

    @pytest.mark.parametrize("change", [lambda b: b + b"\0", lambda b: b[:-1], lambda b: b"", lambda b: b[:4]])
    def test_malformed(self, change: Callable[[bytes], bytes]) -> None:
        self.refused(change, DecodeError)

    def test_an_explicit_curve(self) -> None:
        self.refused(lambda body: b"\1" + body[1:], IllegalParameter, "WRONG_CURVE")

    @pytest.mark.parametrize("group", [0x0013, 0x11EC, 0x0100, 0xFFFF])
    def test_a_curve_that_was_not_offered_and_a_wrong_signature(self, group: int) -> None:
        self.refused(self.params(lambda p: p[:1] + group.to_bytes(2, "big") + p[3:]), DecryptError, "BAD_SIGNATURE")

    @pytest.mark.parametrize(("group", "public"), [(0x11EC, bytes(255)), (29, bytes(32)), (23, b"\4" + bytes(64))])
    def test_a_signed_share_that_is_bad(self, group: int, public: bytes) -> None:
        """The server itself is the attacker: what it signs is checked too."""
        signer = credential(certs.server_credential()).signer
        pair = Pair(client_config(**ONLY12), server_config(**ONLY12))
        randoms: list[bytes] = []

        def alter(message: bytes) -> tuple[bytes, ...]:
            if message[0] == 2:
                randoms.extend((pair.observed["client"][0][2][6:38], message[6:38]))
            if message[0] != 12:
                return (message,)
            params = b"\3" + group.to_bytes(2, "big") + bytes([len(public)]) + public
            signature = signer.sign(0x0403, b"".join(randoms) + params)
            return (framed(12, SignedParams(params, 0x0403, signature).encode()),)

        pair.server._machine.alter = alter  # type: ignore[union-attr]
        expect(pair, pair.client, IllegalParameter, pair.run)

    def test_a_signature_over_other_randoms(self) -> None:
        """Replayed from another handshake."""
        kept: list[bytes] = []

        def keep(body: bytes) -> bytes:
            kept.append(body)
            return body

        Pair(client_config(**ONLY12), server_config(**ONLY12), server_alters=on_type(12, keep)).connect()
        self.refused(lambda body: kept[0], DecryptError, "BAD_SIGNATURE")

    @pytest.mark.parametrize("scheme", [0x0201, 0x0203, 0x0807, 0x0804, 0x1234])
    def test_a_scheme_that_does_not_fit(self, scheme: int) -> None:
        def change(body: bytes) -> bytes:
            _, signed = read_ecdhe(body)
            return SignedParams(signed.params, scheme, signed.signature).encode()

        self.refused(change, IllegalParameter)

    def test_another_digest_fits_any_curve_in_tls12(self) -> None:
        """RFC 8422 §5.10: the scheme names the digest."""
        only = {**ONLY12, "signature_algorithms": (0x0503, 0x0603)}
        assert Pair(client_config(**only), server_config(**ONLY12)).connect().client.connected


CERTIFICATES: list[tuple[str, Callable[[bytes], bytes | None], type[TLSError]]] = [
    ("none", lambda body: b"\0\0\0", DecodeError),
    ("an empty one", lambda body: b"\0\0\3\0\0\0", DecodeError),
    ("trailing bytes", lambda body: body + b"\0", DecodeError),
    ("garbage", lambda body: b"\0\0\6\0\0\3abc", Alert),
]


@pytest.mark.parametrize(("change", "error"), [c[1:] for c in CERTIFICATES], ids=[c[0] for c in CERTIFICATES])
def test_server_certificate(change: Callable[[bytes], bytes], error: type[TLSError]) -> None:
    refused("client", error, alter=on_type(11, change), client=client_config(**ONLY12))


@pytest.mark.parametrize(("kind", "suite"), [("rsa", 0xC02B), ("p256", 0xC02F), ("ed25519", 0xC02F)])
def test_a_certificate_of_the_wrong_kind_for_the_suite(kind: str, suite: int) -> None:
    real = 0xC02F if kind == "rsa" else 0xC02B

    def pretend(message: ServerHello) -> None:
        message.cipher_suite = suite

    client = client_config(**ONLY12, suites=(suite, real))
    server = server_config(kind, **ONLY12, suites=(real,))
    alter = on_message(ServerHello, pretend)
    refused("client", IllegalParameter, "WRONG_CERTIFICATE_TYPE", alter=alter, client=client, server=server)


@pytest.mark.parametrize("bit", ["digital_signature", "key_encipherment"])
def test_key_usage_is_that_of_the_key_exchange(bit: str) -> None:
    """RFC 5246 §7.4.2: signing for ephemeral exchanges, encipherment for RSA key transport."""
    from cryptography import x509

    bits = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    usage = x509.KeyUsage(**{**bits, bit: True})
    made = certs.test_root().issue("localhost", key_type="rsa", extensions=((usage, True),))
    for suite, needed in ((0xC02F, "digital_signature"), (0x009C, "key_encipherment")):
        client = client_config(**ONLY12, suites=(suite,))
        server = server_config(**ONLY12, suites=(suite,), credentials=(credential(made),))
        if needed == bit:
            Pair(client, server).connect()
        else:
            pair = Pair(client, server)
            expect(pair, pair.client, CertificateRejected, pair.run)


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda b: b[:-1], DecodeError, "BAD_DIGEST_LENGTH"),
        (lambda b: b + b"\0", DecodeError, "BAD_DIGEST_LENGTH"),
        (lambda b: b"", DecodeError, "BAD_DIGEST_LENGTH"),
        (lambda b: bytes(12), DecryptError, "DIGEST_CHECK_FAILED"),
    ],
)
def test_finished(side: str, change: Callable[[bytes], bytes], error: type[TLSError], reason: str) -> None:
    """RFC 5246 §7.4.9."""
    refused(side, error, reason, alter=on_type(20, change), client=client_config(**ONLY12),
            readable=side == "client")  # fmt: skip


class TestClientCertificate:
    """RFC 5246 §7.4.4, §7.4.6, §7.4.8."""

    SERVER = server_config(**ONLY12, peer_certificate=PeerCertificate.REQUIRED)

    @staticmethod
    def client() -> Any:
        return client_config(**ONLY12, credentials=(credential(certs.client_credential()),))

    def test_missing(self) -> None:
        failure = refused("server", HandshakeFailure, "PEER_DID_NOT_RETURN_A_CERTIFICATE",
                          client=client_config(**ONLY12), server=self.SERVER)  # fmt: skip
        assert failure.alert_sent == 40

    @pytest.mark.parametrize("kind", certs.KEY_TYPES)
    def test_of_every_kind(self, kind: str) -> None:
        client = client_config(**ONLY12, credentials=(credential(certs.client_credential(kind)),))
        pair = Pair(client, self.SERVER).connect()
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain[0] == certs.client_credential(kind).der

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (lambda m: setattr(m, "signature", m.signature[:-1] + bytes([m.signature[-1] ^ 1])), DecryptError),
            (lambda m: setattr(m, "algorithm", 0x0203), IllegalParameter),
            (lambda m: setattr(m, "algorithm", 0x0401), IllegalParameter),
        ],
    )
    def test_a_bad_certificate_verify(self, change: Callable[[Any], object], error: type[TLSError]) -> None:
        alter = on_message(CertificateVerify, change)
        refused("server", error, alter=alter, client=self.client(), server=self.SERVER, readable=False)

    def test_types_and_authorities_reach_the_client(self) -> None:
        names = (certs.test_root().certificate.subject.public_bytes(),)
        server = server_config(**ONLY12, peer_certificate=PeerCertificate.REQUIRED, certificate_authorities=names)
        pair = Pair(self.client(), server).connect()
        assert pair.client.negotiated is not None
        assert pair.client.negotiated.peer_authorities == names
        assert pair.client.negotiated.client_certificate_requested

    def test_no_certificate_fits(self) -> None:
        schemes = tuple(code for code in DEFAULT_SCHEMES if code in (0x0804, 0x0401))
        server = server_config("rsa", **ONLY12, peer_certificate=PeerCertificate.OPTIONAL, signature_algorithms=schemes)
        pair = Pair(self.client(), server).connect()
        assert pair.server.negotiated is not None
        assert pair.server.negotiated.peer_chain == ()


@pytest.mark.parametrize("bits", [1, 2047])
def test_a_diffie_hellman_group_below_2048_bits(bits: int) -> None:
    """RFC 7919: refused, before anything is computed with it."""

    def shrink(body: bytes) -> bytes:
        params, signed = read_dhe(body)
        prime = (1 << bits) - 1
        small = params._replace(prime=prime.to_bytes((bits + 7) // 8, "big"))
        return SignedParams(small.encode(), signed.algorithm, signed.signature).encode()

    only = {**ONLY12, "suites": (0x009E,)}
    refused("client", DecryptError, alter=on_type(12, shrink), client=client_config(**only),
            server=server_config("rsa", **only))  # fmt: skip


@pytest.mark.parametrize("value", [0, 1, -1, 0x10000])
def test_a_diffie_hellman_value_out_of_range(value: int) -> None:
    """RFC 7919 §5.1: 1 < Y < p - 1, from the client."""
    from fasttls.crypto.dhe import _prime

    prime = _prime(2048, ffdhe=True)
    number = {-1: prime - 1, 0x10000: prime}.get(value, value)
    encoded = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    only = {**ONLY12, "suites": (0x009E,)}
    alter = on_type(16, lambda body: len(encoded).to_bytes(2, "big") + encoded)
    refused("server", IllegalParameter, "BAD_DH_VALUE", alter=alter, client=client_config(**only),
            server=server_config("rsa", **only), readable=False)  # fmt: skip


@pytest.mark.parametrize("group", [NamedGroup.FFDHE2048, NamedGroup.FFDHE3072])
def test_a_client_that_names_diffie_hellman_groups_gets_one_of_them(group: int) -> None:
    """RFC 7919 §4."""

    def name(message: ClientHello) -> None:
        message.extensions[X.SUPPORTED_GROUPS] = (NamedGroup.X25519, group)

    only = {**ONLY12, "suites": (0x009E,)}
    pair = Pair(client_config(**only), server_config("rsa", **only), client_alters=on_message(ClientHello, name))
    assert pair.connect().client.negotiated.group == group  # type: ignore[union-attr]


def test_unknown_diffie_hellman_groups_alone_are_a_failure() -> None:
    def name(message: ClientHello) -> None:
        message.extensions[X.SUPPORTED_GROUPS] = (0x01FC,)

    only = {**ONLY12, "suites": (0x009E,)}
    refused("server", InsufficientSecurity, "NO_SUITABLE_GROUPS", alter=on_message(ClientHello, name),
            client=client_config(**only), server=server_config("rsa", **only))  # fmt: skip


def test_both_sides_agree_on_everything() -> None:
    pair = Pair(client_config(**ONLY12, alpn=(b"h2",)), server_config(alpn=(b"h2",))).connect()
    ours, theirs = pair.client.negotiated, pair.server.negotiated
    assert ours is not None
    assert theirs is not None
    for name in ("version", "suite", "group", "alpn", "client_random", "server_random", "tls_unique"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.tls_unique is not None
    assert len(ours.tls_unique) == 12
    for context in (None, b"", b"context"):
        exported = pair.client.export_keying_material(b"EXPORTER-x", 40, context)
        assert exported == pair.server.export_keying_material(b"EXPORTER-x", 40, context)
    without, empty = (pair.client.export_keying_material(b"x", 16, context) for context in (None, b""))
    assert without != empty  # RFC 5705 §4
    with pytest.raises(ValueError, match="reserved"):
        pair.client.export_keying_material(b"key expansion", 16)
