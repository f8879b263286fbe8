"""What is too weak to be relied on: the defaults, and OpenSSL's security levels as `ssl` applies them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence

import pytest
from certs import CLIENT
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from trust.forge import ECDSA_SHA1, HOST, Entity, fields, intermediate, leaf, root, spare_key, tlv
from trust.judges import OPENSSL_3_0, Case, Verdict, _give_certificate, judging_context
from trust.lists import judged
from trust.test_caches import store_of

import fasttls
from fasttls.handshake.config import Config
from fasttls.trust import CertificateRejected, Strength, verify_chain

LEVELS = (0, 1, 2)
RSA_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
RSA_MD5 = bytes.fromhex("300d06092a864886f70d0101040500")


# The defaults.


def test_defaults_are_those_of_level_2() -> None:
    assert Strength() == Strength.of_level(2) == Config().strength
    assert (Strength().rsa_bits, Strength().ec_bits) == (2048, 224)
    assert Strength().refused_digests == {"md5", "sha1"}


def test_strength_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Strength().rsa_bits = 0  # type: ignore[misc]
    assert isinstance(Strength().refused_digests, frozenset)


def test_each_level_asks_for_more() -> None:
    for lower, higher in zip(LEVELS, (*LEVELS[1:], 3), strict=True):
        one, other = Strength.of_level(lower), Strength.of_level(higher)
        assert one.rsa_bits < other.rsa_bits
        assert one.ec_bits < other.ec_bits
        assert one.refused_digests <= other.refused_digests


def test_lowest_level_asks_for_nothing() -> None:
    assert Strength.of_level(0) == Strength(0, 0, frozenset())


@pytest.mark.parametrize("level", [-1, 4, 5, 80])
def test_level_that_does_not_exist_is_a_value_error(level: int) -> None:
    with pytest.raises(ValueError, match="security levels"):
        Strength.of_level(level)


def code(chain: Sequence[Entity | bytes], trusted: Entity, strength: Strength | None) -> int:
    try:
        ders = [one if isinstance(one, bytes) else one.der for one in chain]
        verify_chain(ders, store_of(trusted), HOST, strength=strength)
    except CertificateRejected as refused:
        return refused.verify_code
    return 0


@pytest.mark.parametrize(
    ("strength", "expected"), [(Strength(2048), 0), (Strength(2049), 66), (Strength(2047), 0), (None, 0)]
)
def test_bits_that_are_asked_for_are_enough(strength: Strength | None, expected: int) -> None:
    top = root()
    assert code([leaf(top, key=spare_key(0, "rsa-2048"))], top, strength) == expected


def test_keys_without_bits_are_not_too_small() -> None:
    strength = Strength(rsa_bits=100_000, ec_bits=100_000)
    top = root(key=spare_key(0, "ed448"))
    assert code([leaf(top, key=spare_key(0, "ed25519"))], top, strength) == 0


@pytest.mark.parametrize(("digest", "expected"), [("sha1", 0), ("sha256", 68), ("sha512", 0), ("sha2", 0)])
def test_digest_is_refused_by_its_name(digest: str, expected: int) -> None:
    top = root()
    assert code([leaf(top)], top, Strength(refused_digests=frozenset({digest}))) == expected


def test_key_of_every_certificate_counts_and_the_signature_on_the_trusted_one_does_not() -> None:
    top = root(digest=hashes.SHA384())
    middle = intermediate("Middle", top, key=spare_key(0, "p384"), digest=hashes.SHA512())
    end = leaf(middle, key=spare_key(0, "p521"))
    assert code([end, middle], top, Strength(ec_bits=256)) == 0
    assert code([end, middle], top, Strength(ec_bits=257)) == 67
    assert code([end, middle], top, Strength(refused_digests=frozenset({"sha512"}))) == 68
    assert code([leaf(top)], top, Strength(refused_digests=frozenset({"sha384"}))) == 0


# Levels, as `ssl` has them.


def resigned(subject: Entity, issuer: Entity, algorithm: bytes, digest: hashes.HashAlgorithm) -> bytes:
    """Return subject's certificate signed anew by an RSA key with some digest."""
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    version, serial, _, *rest = fields(subject.der)
    tbs = tlv(0x30, version, serial, algorithm, *rest)
    return tlv(0x30, tbs, algorithm, tlv(3, b"\0", issuer.key.sign(tbs, padding.PKCS1v15(), digest)))


def with_sha1(subject: Entity, issuer: Entity) -> bytes:
    if isinstance(issuer.key, rsa.RSAPrivateKey):
        return resigned(subject, issuer, RSA_SHA1, hashes.SHA1())
    return issuer.signs(lambda tbs: [*tbs[:2], ECDSA_SHA1, *tbs[3:]], subject, sha1=True)


def of_leaf(key: str) -> Case:
    top = root()
    return Case([leaf(top, key=spare_key(1, key))], [top])


def of_root(key: str, digest: hashes.HashAlgorithm | None = None) -> Case:
    top = root(key=spare_key(1, key))
    return Case([leaf(top, digest=digest)], [top])


def of_intermediate(key: str) -> Case:
    top = root()
    middle = intermediate("Middle", top, key=spare_key(1, key))
    return Case([leaf(middle), middle], [top])


def sha1_leaf(key: str = "p256") -> Case:
    top = root(key=spare_key(1, key))
    end = leaf(top)
    return Case([with_sha1(end, top)], [top], key=end.key)


def sha1_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top)
    return Case([leaf(middle), with_sha1(middle, top)], [top])


def sha1_root(*, sent: bool) -> Case:
    top = root()
    weak = with_sha1(top, top)
    return Case([leaf(top), *([weak] if sent else [])], [weak])


def sha1_self_signed() -> Case:
    alone = leaf(None)
    weak = with_sha1(alone, alone)
    return Case([weak], [weak], key=alone.key)


def sha1_trusted_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top)
    weak = with_sha1(middle, top)
    return Case([leaf(middle), weak], [weak], flags=ssl.VERIFY_X509_PARTIAL_CHAIN)


def sha1_of_a_client() -> Case:
    top = root()
    end = leaf(top, purposes=(CLIENT,))
    return Case([with_sha1(end, top)], [top], key=end.key, client_certificate=True)


def small_client() -> Case:
    top = root()
    return Case([leaf(top, key=spare_key(1, "rsa-1024"), purposes=(CLIENT,))], [top], client_certificate=True)


def both_too_weak() -> Case:
    top = root(key=spare_key(1, "rsa-1024"))
    end = leaf(top, key=spare_key(2, "rsa-1024"))
    return Case([with_sha1(end, top)], [top], key=end.key)


def md5_leaf() -> Case:
    top = root(key=spare_key(1, "rsa-2048"))
    end = leaf(top)
    return Case([resigned(end, top, RSA_MD5, hashes.MD5())], [top], key=end.key)


CASES: dict[str, tuple[Callable[[], Case], tuple[int, int, int]]] = {
    "good": (lambda: of_root("p256"), (0, 0, 0)),
    "RSA-1024 leaf": (lambda: of_leaf("rsa-1024"), (0, 0, 66)),
    "RSA-1024 intermediate": (lambda: of_intermediate("rsa-1024"), (0, 0, 67)),
    "RSA-1024 root": (lambda: of_root("rsa-1024"), (0, 0, 67)),
    "RSA-1024 client": (small_client, (0, 0, 66)),
    "RSA-2048 leaf": (lambda: of_leaf("rsa-2048"), (0, 0, 0)),
    "RSA-2048 root": (lambda: of_root("rsa-2048"), (0, 0, 0)),
    "RSA-3072 root": (lambda: of_root("rsa-3072"), (0, 0, 0)),
    "P-192 root": (lambda: of_root("p192"), (0, 0, 67)),
    "P-224 root": (lambda: of_root("p224"), (0, 0, 0)),
    "P-521 root": (lambda: of_root("p521"), (0, 0, 0)),
    "Ed25519 root": (lambda: of_root("ed25519"), (0, 0, 0)),
    "Ed448 root": (lambda: of_root("ed448"), (0, 0, 0)),
    "SHA-224": (lambda: of_root("p256", hashes.SHA224()), (0, 0, 0)),
    "SHA-1 on the leaf": (sha1_leaf, (0, 68, 68)),
    "SHA-1 on the leaf, with RSA": (lambda: sha1_leaf("rsa-2048"), (0, 68, 68)),
    "SHA-1 on a client": (sha1_of_a_client, (0, 68, 68)),
    "SHA-1 on an intermediate": (sha1_intermediate, (0, 68, 68)),
    "SHA-1 on the root": (lambda: sha1_root(sent=False), (0, 0, 0)),
    "SHA-1 on the root, which is sent": (lambda: sha1_root(sent=True), (0, 0, 0)),
    "SHA-1 on a leaf that is trusted itself": (sha1_self_signed, (0, 0, 0)),
    "SHA-1 on an intermediate that is trusted itself": (sha1_trusted_intermediate, (0, 0, 0)),
    "SHA-1 and RSA-1024": (both_too_weak, (0, 68, 66)),
}
"""The code that both libraries give at each level."""


def judge_at(library: type[ssl.SSLContext], case: Case, ciphers: str) -> Verdict:
    """Return the verdict of a library with a cipher string, after a handshake with `ssl` that shows the chain."""
    context = judging_context(library, case)
    context.set_ciphers(ciphers)
    _give_certificate(context, case)
    return judged(context, case)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", CASES)
def test_both_judge_alike_at_a_level(name: str, level: int) -> None:
    make, codes = CASES[name]
    case, ciphers = make(), f"DEFAULT:@SECLEVEL={level}"
    ours, theirs = judge_at(fasttls.SSLContext, case, ciphers), judge_at(ssl.SSLContext, case, ciphers)
    assert ours.code == codes[level]
    assert ours.accepted == theirs.accepted
    if OPENSSL_3_0:
        assert (ours.code, ours.words) == (theirs.code, theirs.words)


@pytest.mark.parametrize("level", LEVELS)
def test_md5_is_refused_at_every_level(level: int) -> None:
    # `ssl` takes it at level 0; `cryptography` does not know the algorithm any more.
    assert judge_at(fasttls.SSLContext, md5_leaf(), f"DEFAULT:@SECLEVEL={level}").code == 76
    assert judge_at(ssl.SSLContext, md5_leaf(), f"DEFAULT:@SECLEVEL={level}").accepted == (level == 0)


# Cipher strings.


STRINGS = [
    "DEFAULT:@SECLEVEL=0",
    "DEFAULT:@SECLEVEL=1",
    "DEFAULT:@SECLEVEL=2",
    "DEFAULT@SECLEVEL=0",
    "ALL:!aNULL:@SECLEVEL=0",
    "ECDHE+AESGCM:@SECLEVEL=1",
    "ECDHE+AESGCM@SECLEVEL=2",
    "DEFAULT:@SECLEVEL=0:@SECLEVEL=1",
    "DEFAULT:@SECLEVEL=2:!aNULL:@SECLEVEL=0",
]


@pytest.mark.parametrize("string", STRINGS)
def test_level_of_a_cipher_string_is_that_of_ssl(string: str) -> None:
    levels = []
    for library in (ssl, fasttls):
        context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers(string)
        levels.append(context.security_level)
    assert levels[0] == levels[1]


def test_level_stays_until_another_string_names_one() -> None:
    told = []
    for library in (ssl, fasttls):
        context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        steps = []
        for string in ("DEFAULT:@SECLEVEL=0", "DEFAULT", "ECDHE+AESGCM", "DEFAULT:@SECLEVEL=1", "HIGH:!aNULL"):
            context.set_ciphers(string)
            steps.append(context.security_level)
        told.append(steps)
    assert told[0] == told[1] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("string", ["NOTHING:@SECLEVEL=0", "@SECLEVEL=0:DEFAULT", "@SECLEVEL=0", ""])
def test_string_that_is_refused_leaves_the_level(string: str) -> None:
    for library in (ssl, fasttls):
        context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers("DEFAULT:@SECLEVEL=1")
        with pytest.raises(ssl.SSLError):
            context.set_ciphers(string)
        if library is fasttls:
            assert context.security_level == 1


def test_first_level_is_2_and_cannot_be_assigned() -> None:
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context.security_level == 2
    assert fasttls.create_default_context().security_level == 2
    for library in (ssl, fasttls):
        with pytest.raises(AttributeError):
            library.SSLContext(ssl.PROTOCOL_TLS_CLIENT).security_level = 1


@pytest.mark.parametrize("level", [3, 4, 5])
def test_level_above_2_is_not_supported(level: int) -> None:
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    before = context.get_ciphers()
    for string in (
        f"DEFAULT:@SECLEVEL={level}",
        f"@SECLEVEL={level}:DEFAULT",
        f"DEFAULT:@SECLEVEL={level}:@SECLEVEL=1",
    ):
        with pytest.raises(NotImplementedError, match="level"):
            context.set_ciphers(string)
    assert context.security_level == 1
    assert context.get_ciphers() == before


def test_level_is_of_one_context() -> None:
    one, other = (fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2))
    one.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert (one.security_level, other.security_level) == (0, 2)


def test_connection_that_was_wrapped_before_keeps_its_level() -> None:
    case = CASES["SHA-1 on the leaf"][0]()
    context = judging_context(fasttls.SSLContext, case)
    assert judged(context, case).code == 68
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert judged(context, case).accepted
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    assert judged(context, case).code == 68


@pytest.mark.parametrize("level", LEVELS)
def test_own_certificate_that_is_too_weak_for_the_level(level: int) -> None:
    # SSL_CTX_set_security_level(3): a certificate that the level forbids cannot be used at all.
    from certs import Credential

    weak = leaf(root(), key=spare_key(1, "rsa-1024"))
    pem = Credential(weak.certificate, weak.key)
    outcomes = []
    for library in (ssl, fasttls):
        context = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
        outcomes.append(loaded(context, pem.chain_pem, pem.key_pem))
    assert outcomes[1] == outcomes[0]


def loaded(context: ssl.SSLContext, chain: str, key: str) -> str | None:
    """Load a certificate from a file; return the reason why it cannot be used, or None."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "both.pem")
        file.write_text(chain + key)
        try:
            context.load_cert_chain(file)
        except ssl.SSLError as error:
            return error.reason
    return None
