"""RSASSA-PSS keys with parameters sign and are verified by those alone (RFC 8446 §4.2.3, RFC 4055 §1.2, §3)."""

from __future__ import annotations

import datetime
import ssl
from functools import cache

import pytest
from certs import CLIENT, SERVER
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from harness import Pair, client_config, expect, on_type, server_config
from rfc5246.test_odd_keys import certificate
from trust.forge import Entity, elements, fields, inside, intermediate, leaf, sign_fields, spare_key, tlv
from trust.lists import top

from fasttls.api.keyfile import credential_of
from fasttls.crypto.signatures import KeySigner, PublicKey
from fasttls.handshake.config import Credential, PeerCertificate
from fasttls.native._x509 import pss_parameters
from fasttls.trust import CertificateRejected, TrustStore, verify_chain
from fasttls.trust.certificate import Certificate
from fasttls.trust.crl import Crl
from fasttls.trust.signing import SignatureAlgorithm
from fasttls.trust.verdicts import VerifyCode
from fasttls.wire.alerts import BadCertificate, HandshakeFailure, IllegalParameter
from fasttls.wire.iana import HandshakeType, SignatureScheme

PSS = (
    SignatureScheme.RSA_PSS_PSS_SHA256,
    SignatureScheme.RSA_PSS_PSS_SHA384,
    SignatureScheme.RSA_PSS_PSS_SHA512,
)
SHA256, SHA384, SHA512 = PSS

RSASSA_PSS, MGF1 = bytes.fromhex("06092a864886f70d01010a"), bytes.fromhex("06092a864886f70d010108")
SPECIFIED = bytes.fromhex("06092a864886f70d010109")  # id-pSpecified, which is no mask generation function
NULL = b"\5\0"
SPKI = 6
"""The place of a TBSCertificate's subjectPublicKeyInfo."""

DIGESTS = {
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha224": bytes.fromhex("0609608648016503040204"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
    "sha3-256": bytes.fromhex("0609608648016503040208"),
}

VERSIONS = (0x0303, 0x0304)
every_version = pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])


def only(version: int) -> dict[str, int]:
    """Return the settings of one version."""
    return {"minimum_version": version, "maximum_version": version}


# Parameters (RFC 4055 §3.1).


def digest(name: str, *, null: bool = True) -> bytes:
    """Return the AlgorithmIdentifier of a digest; RFC 4055 §2.1: with NULL or nothing behind it."""
    return tlv(0x30, DIGESTS[name], NULL if null else b"")


def hashed(name: str, *, null: bool = True) -> bytes:
    """Return the field hashAlgorithm."""
    return tlv(0xA0, digest(name, null=null))


def masked(name: str, *, null: bool = True) -> bytes:
    """Return the field maskGenAlgorithm: MGF1 with a digest."""
    return tlv(0xA1, tlv(0x30, MGF1, digest(name, null=null)))


def salted(size: int) -> bytes:
    """Return the field saltLength."""
    return tlv(0xA2, tlv(2, bytes([size])))


def parameters(name: str, salt: int, *, null: bool = True) -> bytes:
    """Return RSASSA-PSS-params of one digest."""
    return tlv(0x30, hashed(name, null=null), masked(name, null=null), salted(salt))


CASES: dict[str, tuple[bytes, tuple[SignatureScheme, ...]]] = {
    "absent": (b"", PSS),
    "SHA-256": (parameters("sha256", 32), (SHA256,)),
    "SHA-256 without NULL": (parameters("sha256", 32, null=False), (SHA256,)),
    "SHA-256, shorter salt": (parameters("sha256", 16), (SHA256,)),
    "SHA-256, salt by default": (tlv(0x30, hashed("sha256"), masked("sha256")), (SHA256,)),
    "SHA-384": (parameters("sha384", 48), (SHA384,)),
    "SHA-512": (parameters("sha512", 64), (SHA512,)),
    # RFC 8446 §4.2.3: the salt is as long as the digest, and the key wants a longer one.
    "SHA-256, longer salt": (parameters("sha256", 64), ()),
    # RFC 8446 §4.2.3: the digest of MGF1 is that of the content.
    "MGF1 with another digest": (tlv(0x30, hashed("sha256"), masked("sha384"), salted(32)), ()),
    "MGF1 by default": (tlv(0x30, hashed("sha256"), salted(32)), ()),
    "another mask": (tlv(0x30, hashed("sha256"), tlv(0xA1, tlv(0x30, SPECIFIED, digest("sha256"))), salted(32)), ()),
    "SHA-1, by default": (tlv(0x30), ()),
    "SHA-224": (parameters("sha224", 28), ()),
    "SHA3-256": (parameters("sha3-256", 32), ()),
}
"""Parameters of a key, and the schemes that they allow."""

every_case = pytest.mark.parametrize("name", CASES)


# Certificates.


def pss_key(der: bytes, given: bytes) -> bytes:
    """Return an RSA key's SubjectPublicKeyInfo as one for RSASSA-PSS alone, with parameters."""
    return tlv(0x30, tlv(0x30, RSASSA_PSS, given), elements(inside(der))[1])


def restricted(one: Entity, given: bytes) -> bytes:
    """Return a certificate of the root whose RSA key is for RSASSA-PSS alone, with parameters."""
    tbs = fields(one.der)
    tbs[SPKI] = pss_key(tbs[SPKI], given)
    return sign_fields(tbs, top().key)


@cache
def owner(purpose: x509.ObjectIdentifier = SERVER) -> Entity:
    """Return an RSA key with a certificate that says no more of it."""
    return leaf(top(), key=spare_key(1, "rsa-2048"), purposes=(purpose,))


def restricted_leaf(name: str, purpose: x509.ObjectIdentifier = SERVER) -> bytes:
    """Return a certificate whose key has the parameters of a case."""
    return restricted(owner(purpose), CASES[name][0])


def reckless(name: str, purpose: x509.ObjectIdentifier = SERVER) -> Credential:
    """Return the certificate of a case with a key that signs with every scheme all the same."""
    return Credential((restricted_leaf(name, purpose),), KeySigner(owner(purpose).key, pss_only=True))


def store() -> TrustStore:
    """Return a store with the root."""
    found = TrustStore()
    found.add(top().der)
    return found


# What is accepted of a peer.


@every_version
@pytest.mark.parametrize("scheme", PSS, ids=lambda scheme: scheme.name)
@every_case
def test_server_signs_with_a_scheme(name: str, scheme: SignatureScheme, version: int) -> None:
    server = server_config(**only(version), credentials=(reckless(name),), signing_algorithms=(scheme,))
    pair = Pair(client_config(**only(version), trust=store()), server)
    if scheme in CASES[name][1]:
        pair.connect()
    else:
        failure = expect(pair, pair.client, IllegalParameter, pair.run)
        assert scheme.name in str(failure)


@every_version
@pytest.mark.parametrize("scheme", PSS, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("name", ["absent", "SHA-256", "SHA-384", "SHA-256, longer salt", "SHA-1, by default"])
def test_client_signs_with_a_scheme(name: str, scheme: SignatureScheme, version: int) -> None:
    client = client_config(**only(version), credentials=(reckless(name, CLIENT),), signing_algorithms=(scheme,))
    server = server_config(**only(version), peer_certificate=PeerCertificate.REQUIRED, trust=store())
    pair = Pair(client, server)
    if scheme in CASES[name][1]:
        pair.connect()
    else:
        expect(pair, pair.server, IllegalParameter, pair.run)


@every_case
def test_parameters_are_told_of_a_certificate(name: str) -> None:
    given, allowed = CASES[name]
    public = Certificate(restricted_leaf(name)).public_key
    assert public.pss_only
    assert public.schemes() == allowed
    assert (public.pss is None) == (given == b"")


def test_key_of_the_other_kind_has_none() -> None:
    public = Certificate(owner().der).public_key
    assert (public.pss_only, public.pss) == (False, None)
    assert not set(public.schemes()) & set(PSS)


# What this side offers.


@every_case
def test_own_key_signs_with_what_its_certificate_allows(name: str) -> None:
    allowed = CASES[name][1]
    if not allowed:
        with pytest.raises(ssl.SSLError) as refusal:
            credential_of(restricted_leaf(name), owner().key)
        assert refusal.value.reason == "UNKNOWN_CERTIFICATE_TYPE"
        return
    signer = credential_of(restricted_leaf(name), owner().key).signer
    assert (signer.schemes, signer.schemes12) == (allowed, allowed)
    assert signer.decrypt is None


class Device:
    """A key elsewhere, which would sign with every scheme."""

    schemes = PSS

    def sign(self, scheme: int, data: bytes) -> bytes:
        return KeySigner(owner().key, pss_only=True).sign(scheme, data)


@pytest.mark.parametrize("name", [name for name, (_, allowed) in CASES.items() if allowed])
def test_key_elsewhere_signs_with_what_its_certificate_allows(name: str) -> None:
    signer = credential_of(restricted_leaf(name), Device()).signer
    assert (signer.schemes, signer.schemes12) == (CASES[name][1], CASES[name][1])


@every_version
@pytest.mark.parametrize("name", ["SHA-256", "SHA-384", "SHA-512"])
def test_server_takes_the_scheme_of_its_key(name: str, version: int) -> None:
    """The client would rather have another one."""
    (allowed,) = CASES[name][1]
    made = credential_of(restricted_leaf(name), owner().key)
    others = tuple(scheme for scheme in PSS if scheme != allowed)
    server = server_config(**only(version), credentials=(made,))
    more = (SignatureScheme.ECDSA_SECP256R1_SHA256,)  # for the signature of the root
    Pair(
        client_config(**only(version), trust=store(), signature_algorithms=(*others, allowed, *more)), server
    ).connect()
    pair = Pair(client_config(**only(version), trust=store(), signature_algorithms=(*others, *more)), server)
    expect(pair, pair.server, HandshakeFailure, pair.run)


# What it signs as an authority.


@cache
def authority(name: str) -> Entity:
    """Return an intermediate whose key has the parameters of a case."""
    one = intermediate("Authority", top(), key=spare_key(2, "rsa-2048"))
    return Entity(one.name, one.key, x509.load_der_x509_certificate(restricted(one, CASES[name][0])))


@cache
def issued(name: str, algorithm: str, *, pss: bool) -> bytes:
    """Return a certificate of such an authority, signed with a digest."""
    made = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[algorithm]
    return leaf(authority(name), digest=made, pss=pss).der


def verify(der: bytes, issuer: Entity) -> None:
    verify_chain([der, issuer.der], store(), "localhost")


ISSUED = [
    ("absent", "sha256", True),
    ("absent", "sha384", True),
    ("absent", "sha512", True),
    ("SHA-256", "sha256", True),
    ("SHA-384", "sha384", True),
    ("SHA-512", "sha512", True),
]
REFUSED = [
    # RFC 4055 §1.2: a key of this identifier is for RSASSA-PSS.
    *((name, "sha256", False) for name in CASES),
    # RFC 4055 §3.3: the parameters of the signature are those of the key.
    ("SHA-256", "sha384", True),
    ("SHA-256", "sha512", True),
    ("SHA-384", "sha256", True),
    ("SHA-512", "sha384", True),
    ("MGF1 with another digest", "sha256", True),
    ("MGF1 with another digest", "sha384", True),
    ("MGF1 by default", "sha256", True),
    ("SHA-1, by default", "sha256", True),
    ("SHA-224", "sha256", True),
    ("SHA3-256", "sha256", True),
]
"""An authority's parameters, the digest of its signature, and whether that is RSASSA-PSS."""


@pytest.mark.parametrize(("name", "algorithm", "pss"), ISSUED)
def test_authority_signs_by_its_parameters(name: str, algorithm: str, pss: bool) -> None:
    der = issued(name, algorithm, pss=pss)
    assert Certificate(der).signed_by(Certificate(authority(name).der))
    verify(der, authority(name))


@pytest.mark.parametrize(("name", "algorithm", "pss"), REFUSED)
def test_authority_signs_by_nothing_else(name: str, algorithm: str, pss: bool) -> None:
    der = issued(name, algorithm, pss=pss)
    with pytest.raises(ValueError, match="RSASSA-PSS key"):
        Certificate(der).signed_by(Certificate(authority(name).der))
    with pytest.raises(CertificateRejected) as refusal:
        verify(der, authority(name))
    assert refusal.value.verify_code == VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM
    assert refusal.value.depth == 0


def test_signature_that_was_verified_under_a_key_is_not_taken_under_its_namesake() -> None:
    """The same numbers with and without parameters are two keys to whoever remembers what held."""
    der = issued("absent", "sha384", pss=True)
    verify(der, authority("absent"))
    with pytest.raises(CertificateRejected):
        verify(der, authority("SHA-256"))
    verify(der, authority("SHA-384"))


@every_version
def test_chain_by_another_scheme_is_refused_in_a_handshake(version: int) -> None:
    key = spare_key(3)
    for algorithm, taken in (("sha384", False), ("sha256", True)):
        digest_of = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[algorithm]
        one = leaf(authority("SHA-256"), key=key, digest=digest_of, pss=True)
        made = Credential((one.der, authority("SHA-256").der), KeySigner(key))
        pair = Pair(client_config(**only(version), trust=store()), server_config(**only(version), credentials=(made,)))
        if taken:
            pair.connect()
        else:
            expect(pair, pair.client, CertificateRejected, pair.run)


# What is malformed.

MALFORMED: dict[str, bytes] = {
    # RFC 4055 §1.2: absent or RSASSA-PSS-params, and no NULL as beside rsaEncryption.
    "NULL": NULL,
    "OCTET STRING": tlv(4, b"ab"),
    "INTEGER": tlv(2, b"\1"),
    "cut short": parameters("sha256", 32)[:-1],
    "more behind": parameters("sha256", 32) + NULL,
    "more inside": tlv(0x30, hashed("sha256"), NULL),
    "twice": tlv(0x30, hashed("sha256"), hashed("sha256")),
    "in another order": tlv(0x30, salted(32), hashed("sha256")),
    "no digest": tlv(0x30, tlv(0xA0)),
    "a digest of no identifier": tlv(0x30, tlv(0xA0, tlv(0x30))),
    "a digest that is an INTEGER": tlv(0x30, tlv(0xA0, tlv(2, b"\1"))),
    "more than a digest": tlv(0x30, tlv(0xA0, digest("sha256"), NULL)),
    "MGF1 without a digest": tlv(0x30, hashed("sha256"), tlv(0xA1, tlv(0x30, MGF1))),
    "no mask": tlv(0x30, hashed("sha256"), tlv(0xA1)),
    "a salt of no bytes": tlv(0x30, hashed("sha256"), masked("sha256"), tlv(0xA2, tlv(2))),
    "a salt below zero": tlv(0x30, hashed("sha256"), masked("sha256"), tlv(0xA2, tlv(2, b"\xff"))),
    "a salt past all counting": tlv(0x30, hashed("sha256"), masked("sha256"), tlv(0xA2, tlv(2, b"\x7f" * 20))),
    "a salt that is the default, and said": parameters("sha256", 20),  # X.690 §11.5
    "a salt that is a BOOLEAN": tlv(0x30, hashed("sha256"), masked("sha256"), tlv(0xA2, tlv(1, b"\xff"))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_parameters(name: str) -> None:
    der = restricted(owner(), MALFORMED[name])
    with pytest.raises(ValueError, match=r".+"):
        Certificate(der)
    with pytest.raises(BadCertificate):
        verify_chain([der], store(), "localhost")
    with pytest.raises(ssl.SSLError, match="PEM lib: the certificate"):
        credential_of(der, owner().key)


@every_version
@pytest.mark.parametrize("peer_certificate", [PeerCertificate.UNCHECKED, PeerCertificate.REQUIRED])
@pytest.mark.parametrize("name", ["NULL", "no digest", "a salt below zero", "a salt past all counting"])
def test_malformed_parameters_in_a_handshake(name: str, peer_certificate: PeerCertificate, version: int) -> None:
    """An alert, also from a client that verifies nothing."""
    shown = certificate(version, restricted(owner(), MALFORMED[name]))
    client = client_config(**only(version), trust=store(), peer_certificate=peer_certificate)
    alters = on_type(HandshakeType.CERTIFICATE, lambda _: shown)
    pair = Pair(client, server_config("rsa", **only(version)), server_alters=alters)
    expect(pair, pair.client, BadCertificate, pair.run)


def test_parameters_of_which_a_byte_is_another_allow_no_more() -> None:
    """A change of one byte makes another restriction, or what is malformed: never a key for everything."""
    der, given = restricted_leaf("SHA-256"), CASES["SHA-256"][0]
    start = der.index(given)
    for position in range(start, start + len(given)):
        for change in (0x01, 0x02, 0x04, 0x20, 0x80, 0xFF):
            spoilt = bytearray(der)
            spoilt[position] ^= change
            try:
                public = Certificate(bytes(spoilt)).public_key
            except ValueError:
                continue
            assert public.pss_only
            assert public.pss is not None
            assert len(public.schemes()) <= 1


@pytest.mark.parametrize(("needed", "salt", "taken"), [(32, 32, True), (20, 32, True), (32, 20, False), (32, 0, False)])
def test_salt_is_at_least_as_long_as_the_authoritys_key_asks(needed: int, salt: int, taken: bool) -> None:
    """RFC 4055 §3.3, as OpenSSL has it."""
    key = spare_key(2, "rsa-2048")
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256()
    algorithm = SignatureAlgorithm(rsa.RSAPublicKey, "sha256", scheme, ("sha256", salt))
    public = PublicKey(key.public_key(), True, ("sha256", needed))
    signature = key.sign(b"a list", *scheme)
    if taken:
        assert algorithm.verify_by(public, signature, b"a list")
    else:
        with pytest.raises(ValueError, match="RSASSA-PSS key"):
            algorithm.verify_by(public, signature, b"a list")
    assert algorithm.verify_by(PublicKey(key.public_key()), signature, b"a list"), (
        "a key of the other kind asks nothing"
    )


@pytest.mark.parametrize(("trailer", "wrong"), [(1, False), (2, True), (0, True)])
def test_trailer_is_the_one_there_is(trailer: int, wrong: bool) -> None:
    given = tlv(0x30, hashed("sha256"), masked("sha256"), salted(32), tlv(0xA3, tlv(0x02, bytes((trailer,)))))
    algorithm = tlv(0x30, RSASSA_PSS, given)
    if wrong:
        with pytest.raises(ValueError, match="trailer"):
            pss_parameters(algorithm)
    else:
        assert pss_parameters(algorithm) == (DIGESTS["sha256"][2:], DIGESTS["sha256"][2:], 32)


def test_list_by_another_scheme_than_the_keys_does_not_count() -> None:
    one = authority("SHA-256")
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(one.name)
        .last_update(datetime.datetime(2026, 1, 1))
        .next_update(datetime.datetime(2036, 1, 1))
    )
    pss = {
        name: padding.PSS(padding.MGF1(digest), digest.digest_size)
        for name, digest in (("sha256", hashes.SHA256()), ("sha384", hashes.SHA384()))
    }
    issuer = Certificate(one.der)
    right = builder.sign(one.key, hashes.SHA256(), rsa_padding=pss["sha256"])
    assert Crl(right.public_bytes(Encoding.DER)).signed_by(issuer)
    for wrong in (
        builder.sign(one.key, hashes.SHA256()),
        builder.sign(one.key, hashes.SHA384(), rsa_padding=pss["sha384"]),
    ):
        with pytest.raises(ValueError, match="RSASSA-PSS key"):
            Crl(wrong.public_bytes(Encoding.DER)).signed_by(issuer)
