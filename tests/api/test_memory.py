"""Certificates, keys, signers and authorities straight from memory, without a file."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import Bios, connected
from certs import CLIENT, DAY, NOW, Authority, Credential, distinguished_name, new_key, test_root
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import fasttls
from fasttls.crypto.signatures import SCHEMES12, ExternalSigner, PublicKey
from fasttls.wire.iana import SignatureScheme as Scheme

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PASSWORD = "päss"
MALFORMED = b"\x30\x03\x02\x01\x01"
NO_KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
NOT_BASE64 = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"

each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["TLSv1.2", "TLSv1.3"])
each_client = pytest.mark.parametrize("library", [fasttls, ssl], ids=["fasttls", "ssl"])


@cache
def middle() -> Authority:
    """Return an intermediate authority of the shared root."""
    return Authority("Middle", parent=test_root())


@cache
def own(key_type: str = "p256") -> Credential:
    """Return a certificate for localhost of the intermediate."""
    return middle().issue("localhost", key_type=key_type)


def chain_of(credential: Credential) -> list[bytes]:
    """Return the certificate and the intermediates, DER."""
    return [one.public_bytes(Encoding.DER) for one in (credential.certificate, *credential.intermediates)]


def server(chain: object = None, key: object = None, password: object = None) -> fasttls.SSLContext:
    """Return a server's context with a certificate from memory."""
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    if chain is not None:
        context.use_certificate(chain, key, password)
    return context


def client(library: ModuleType = fasttls, version: ssl.TLSVersion | None = None) -> Any:
    """Return a client's context that trusts the shared root."""
    context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=test_root().pem)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def shown(context: ssl.SSLContext) -> list[bytes]:
    """Return the chain that a server shows in a handshake."""
    pair = Bios(client(), context).handshake()
    return pair.client.get_unverified_chain()  # type: ignore[attr-defined,no-any-return]


# Chains.


CHAINS: dict[str, Callable[[Credential], object]] = {
    "PEM text": lambda one: one.chain_pem,
    "PEM bytes": lambda one: one.chain_pem.encode(),
    "PEM in a bytearray": lambda one: bytearray(one.chain_pem.encode()),
    "PEM with other text": lambda one: f"0 s:CN=localhost\n{one.chain_pem}the end\n",
    "PEM with other ends of lines": lambda one: one.chain_pem.replace("\n", "\r\n"),
    "PEM with the key": lambda one: one.key_pem + one.chain_pem,
    "DER": lambda one: b"".join(chain_of(one)),
    "DER in a memoryview": lambda one: memoryview(b"".join(chain_of(one))),
    "list of DER": chain_of,
    "tuple of DER": lambda one: tuple(chain_of(one)),
    "generator of DER": lambda one: (der for der in chain_of(one)),
    "list of PEM": lambda one: [one.certificate_pem, middle().pem],
    "list of cryptography's objects": lambda one: [one.certificate, *one.intermediates],
    "list of different kinds": lambda one: [one.certificate, middle().pem.encode()],
    "list of lists": lambda one: [[one.certificate], [middle().der]],
}


@pytest.mark.parametrize("form", CHAINS)
def test_chain_of_every_form_is_sent_whole(form: str) -> None:
    assert shown(server(CHAINS[form](own()), own().key)) == chain_of(own())


ALONE: dict[str, Callable[[Credential], object]] = {
    "PEM text": lambda one: one.certificate_pem,
    "PEM bytes": lambda one: one.certificate_pem.encode(),
    "DER": lambda one: one.der,
    "cryptography's object": lambda one: one.certificate,
    "list": lambda one: [one.certificate],
}


@pytest.mark.parametrize("form", ALONE)
def test_certificate_alone(form: str) -> None:
    one = test_root().issue("localhost")
    assert shown(server(ALONE[form](one), one.key)) == [one.der]


def test_pem_bytes_that_begin_with_a_digit_are_pem() -> None:
    # b"0" is 0x30, with which DER begins too.
    text = f"0 s:CN=localhost\n{own().chain_pem}"
    assert shown(server(text.encode(), own().key)) == shown(server(text, own().key)) == chain_of(own())


UNUSABLE: dict[str, Callable[[], object]] = {
    "no text": str,
    "no bytes": bytes,
    "empty list": list,
    "text that is no PEM": lambda: "nothing",
    "bytes that are no PEM": lambda: b"nothing",
    "malformed DER": lambda: MALFORMED,
    "DER that is cut short": lambda: own().der[:-1],
    "DER with a byte behind it": lambda: own().der + b"\0",
    "malformed DER behind the own certificate": lambda: [own().der, MALFORMED],
    "malformed DER before the own certificate": lambda: [MALFORMED, own().der],
    "PEM that is not base64": lambda: NOT_BASE64,
    "malformed PEM": lambda: ssl.DER_cert_to_PEM_cert(MALFORMED),
    "key": lambda: own().key_pem,
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_chain_that_cannot_be_used_is_an_ssl_error(what: str) -> None:
    with pytest.raises(ssl.SSLError):
        server().use_certificate(UNUSABLE[what](), own().key)


def test_malformed_certificate_behind_the_own_one_in_a_file_is_an_ssl_error(tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    file.write_text(own().certificate_pem + ssl.DER_cert_to_PEM_cert(MALFORMED) + own().key_pem)
    for library in (ssl, fasttls):
        with pytest.raises(ssl.SSLError):
            library.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file)


@pytest.mark.parametrize(
    "chain", [None, 5, object(), [5], [None], 1.5, {"a": 1}.values()], ids=lambda one: type(one).__name__
)
def test_chain_that_is_nothing_of_the_kind_is_a_type_error(chain: object) -> None:
    with pytest.raises(TypeError):
        server().use_certificate(chain, own().key)


# Keys.


def key_bytes(
    credential: Credential, encoding: Encoding, form: PrivateFormat = PrivateFormat.PKCS8, password: str | None = None
) -> bytes:
    locked = NoEncryption() if password is None else serialization.BestAvailableEncryption(password.encode())
    return credential.key.private_bytes(encoding, form, locked)


KEYS: dict[str, Callable[[Credential], object]] = {
    "PEM text": lambda one: key_bytes(one, Encoding.PEM).decode(),
    "PEM bytes": lambda one: key_bytes(one, Encoding.PEM),
    "PEM in a bytearray": lambda one: bytearray(key_bytes(one, Encoding.PEM)),
    "traditional PEM": lambda one: key_bytes(one, Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
    "DER": lambda one: key_bytes(one, Encoding.DER),
    "DER in a memoryview": lambda one: memoryview(key_bytes(one, Encoding.DER)),
    "traditional DER": lambda one: key_bytes(one, Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "PEM behind the chain": lambda one: one.chain_pem + key_bytes(one, Encoding.PEM).decode(),
    "cryptography's object": lambda one: one.key,
}


@pytest.mark.parametrize("key_type", ["p256", "rsa"])
@pytest.mark.parametrize("form", KEYS)
def test_key_of_every_form(form: str, key_type: str) -> None:
    one = own(key_type)
    assert shown(server(chain_of(one), KEYS[form](one))) == chain_of(one)


@pytest.mark.parametrize("key_type", ["p256", "p384", "p521", "rsa", "ed25519", "ed448"])
def test_key_of_every_type(key_type: str) -> None:
    one = own(key_type)
    for form in (Encoding.PEM, Encoding.DER):
        assert shown(server(chain_of(one), key_bytes(one, form))) == chain_of(one)


LOCKED: dict[str, Callable[[Credential], object]] = {
    "PEM text": lambda one: key_bytes(one, Encoding.PEM, password=PASSWORD).decode(),
    "PEM bytes": lambda one: key_bytes(one, Encoding.PEM, password=PASSWORD),
    "traditional PEM": lambda one: key_bytes(one, Encoding.PEM, PrivateFormat.TraditionalOpenSSL, PASSWORD),
    "DER": lambda one: key_bytes(one, Encoding.DER, password=PASSWORD),
}
PASSWORDS: dict[str, object] = {
    "str": PASSWORD,
    "bytes": PASSWORD.encode(),
    "bytearray": bytearray(PASSWORD.encode()),
    "function that returns str": lambda: PASSWORD,
    "function that returns bytes": lambda: PASSWORD.encode(),
    "function that returns a bytearray": lambda: bytearray(PASSWORD.encode()),
}


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("form", LOCKED)
def test_key_behind_a_password(form: str, password: str) -> None:
    assert shown(server(chain_of(own()), LOCKED[form](own()), PASSWORDS[password])) == chain_of(own())


@pytest.mark.parametrize("password", ["wrong", b"wrong", "", lambda: "wrong", None], ids=repr)
@pytest.mark.parametrize("form", LOCKED)
def test_wrong_password_is_an_ssl_error(form: str, password: object) -> None:
    # Without one, OpenSSL asks on the terminal, which a library must not.
    with pytest.raises(ssl.SSLError, match="private key"):
        server(chain_of(own()), LOCKED[form](own()), password)


class _Refusal(Exception):
    """Raised by a function that should return a password."""


def refuses() -> str:
    raise _Refusal


@pytest.mark.parametrize(
    ("password", "error"),
    [(5, TypeError), (lambda: 5, TypeError), (lambda: None, TypeError), (refuses, _Refusal),
     ("x" * 2000, ValueError), (lambda: b"x" * 2000, ValueError)],
    ids=["number", "function that returns a number", "function that returns None", "function that raises",
         "too long", "function that returns too much"],
)  # fmt: skip
@pytest.mark.parametrize("form", LOCKED)
def test_password_that_is_none_raises_as_in_ssl(form: str, password: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        server(chain_of(own()), LOCKED[form](own()), password)


@pytest.mark.parametrize("form", ["PEM text", "DER", "traditional DER"])
def test_password_of_a_key_that_has_none_does_not_matter(form: str) -> None:
    asked: list[int] = []
    for password in ("any", b"any", lambda: asked.append(1) or "any"):
        assert server(chain_of(own()), KEYS[form](own()), password)._credentials
    assert asked == []


UNREADABLE: dict[str, Callable[[], object]] = {
    "no text": str,
    "no bytes": bytes,
    "text that is no PEM": lambda: "nothing",
    "bytes that are no PEM": lambda: b"nothing",
    "malformed DER": lambda: MALFORMED,
    "DER that is cut short": lambda: key_bytes(own(), Encoding.DER)[:-1],
    "certificates": lambda: own().chain_pem,
    "PEM that is not base64": lambda: NOT_BASE64.replace("CERTIFICATE", "PRIVATE KEY"),
    "PEM that is cut short": lambda: own().key_pem[:60],
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_key_that_cannot_be_used_is_an_ssl_error(what: str) -> None:
    with pytest.raises(ssl.SSLError, match="private key"):
        server(chain_of(own()), UNREADABLE[what]())


@pytest.mark.parametrize(
    "key", [None, 5, object(), [], own().certificate, own().key.public_key()], ids=lambda one: type(one).__name__
)
def test_key_that_is_nothing_of_the_kind_is_a_type_error(key: object) -> None:
    with pytest.raises(TypeError):
        server(chain_of(own()), key)


@pytest.mark.parametrize("other", ["p256", "p384", "rsa", "ed25519", "ed448"])
@pytest.mark.parametrize("key_type", ["p256", "rsa", "ed25519"])
def test_key_of_another_certificate_says_so(key_type: str, other: str) -> None:
    key = new_key(other)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for form in (key, der):
        with pytest.raises(ssl.SSLError) as refused:
            server(chain_of(own(key_type)), form)
        assert (refused.value.library, refused.value.reason) == ("X509", "KEY_VALUES_MISMATCH")


def test_certificate_of_the_chain_that_the_key_is_for_comes_first() -> None:
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        server(chain_of(own())[::-1], own().key)


UNFIT: dict[str, Callable[[], Any]] = {
    "DSA": lambda: dsa.generate_private_key(1024),
    "X25519": x25519.X25519PrivateKey.generate,
    "ML-DSA": mldsa.MLDSA44PrivateKey.generate,
}


@pytest.mark.parametrize("kind", UNFIT)
def test_key_that_cannot_sign_a_handshake_is_an_ssl_error(kind: str) -> None:
    key = UNFIT[kind]()
    builder = x509.CertificateBuilder().subject_name(distinguished_name("x")).issuer_name(distinguished_name("x"))
    builder = builder.public_key(key.public_key()).serial_number(1).not_valid_before(NOW).not_valid_after(NOW + DAY)
    certificate = builder.sign(new_key("p256"), hashes.SHA256())
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CERTIFICATE_TYPE"):
        server(certificate, key)


def test_what_cannot_be_used_leaves_the_context_as_it_was() -> None:
    context = server(chain_of(own()), own().key)
    for chain, key in ((chain_of(own()), new_key("p256")), (MALFORMED, own().key), (chain_of(own()), "nothing")):
        with pytest.raises(ssl.SSLError):
            context.use_certificate(chain, key)
    assert shown(context) == chain_of(own())


def test_certificate_takes_effect_on_the_next_handshake() -> None:
    first, second = test_root().issue("localhost"), test_root().issue("localhost")
    context = server(first.der, first.key)
    assert shown(context) == [first.der]
    context.use_certificate(second.der, second.key)
    assert shown(context) == [second.der]


@pytest.mark.parametrize("kinds", [("p256", "p384"), ("p384", "p256"), ("rsa", "rsa"), ("ed25519", "ed25519")])
def test_certificate_of_the_same_key_type_is_replaced(kinds: tuple[str, str]) -> None:
    first, second = (test_root().issue("localhost", key_type=kind) for kind in kinds)
    context = server(first.der, first.key)
    context.use_certificate(second.der, second.key)
    assert shown(context) == [second.der]
    assert len(context._credentials) == 1


def test_certificate_of_another_key_type_is_added() -> None:
    context = server(chain_of(own("p256")), own("p256").key)
    context.use_certificate(chain_of(own("rsa")), own("rsa").key)
    assert len(context._credentials) == 2


def small_rsa() -> Credential:
    key = rsa.generate_private_key(65537, 1024)
    return test_root().issue("localhost", key=key)


def test_rsa_certificate_replaces_one_of_another_size() -> None:
    # As with SSL_CTX_use_certificate(3), which has one place for RSA; the small key has not all of the schemes.
    small, large = small_rsa(), test_root().issue("localhost", key_type="rsa")
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.use_certificate(small.der, small.key)
    context.use_certificate(large.der, large.key)
    assert shown(context) == [large.der]


def test_object_that_signs_replaces_the_key_of_the_same_type() -> None:
    first, second = test_root().issue("localhost"), test_root().issue("localhost")
    context = server(first.der, first.key)
    context.use_certificate(second.der, Module(second.key, (Scheme.ECDSA_SECP256R1_SHA256,)))
    assert shown(context) == [second.der]


# Objects that sign.


class Module:
    """A key that is somewhere else: it signs, and that is all that it does."""

    def __init__(self, key: Any, schemes: tuple[int, ...]) -> None:
        self._key = key
        self.schemes = schemes
        self.signed: list[int] = []
        self.fault: Exception | None = None

    def sign(self, scheme: int, data: bytes) -> bytes:
        if self.fault is not None:
            raise self.fault
        self.signed.append(scheme)
        return SCHEMES12[scheme].sign(self._key, data)


PKCS1 = (Scheme.RSA_PKCS1_SHA256, Scheme.RSA_PKCS1_SHA384, Scheme.RSA_PKCS1_SHA512)
PSS = (Scheme.RSA_PSS_RSAE_SHA256, Scheme.RSA_PSS_RSAE_SHA384, Scheme.RSA_PSS_RSAE_SHA512)
MODULES: dict[str, tuple[str, tuple[int, ...]]] = {
    "P-256": ("p256", (Scheme.ECDSA_SECP256R1_SHA256,)),
    "P-384": ("p384", (Scheme.ECDSA_SECP384R1_SHA384,)),
    "P-521": ("p521", (Scheme.ECDSA_SECP521R1_SHA512,)),
    "RSA": ("rsa", (*PSS, *PKCS1)),
    "RSA with PSS alone": ("rsa", PSS[1:]),
    "Ed25519": ("ed25519", (Scheme.ED25519,)),
    "Ed448": ("ed448", (Scheme.ED448,)),
}


@pytest.mark.parametrize("name", MODULES)
@each_version
@each_client
def test_server_whose_key_is_an_object_that_signs(name: str, version: ssl.TLSVersion, library: ModuleType) -> None:
    key_type, schemes = MODULES[name]
    module = Module(own(key_type).key, schemes)
    context = server(chain_of(own(key_type)), module)
    tried = len(module.signed)
    pair = Bios(client(library, version), context).handshake()
    assert pair.client.getpeercert(True) == own(key_type).der
    assert len(module.signed) == tried + 1
    assert set(module.signed) <= set(schemes)


@pytest.mark.parametrize("name", MODULES)
@each_version
@each_client
def test_client_whose_key_is_an_object_that_signs(name: str, version: ssl.TLSVersion, library: ModuleType) -> None:
    key_type, schemes = MODULES[name]
    one = test_root().issue("client", key_type=key_type, usages=(CLIENT,))
    module = Module(one.key, schemes)
    ours = client(fasttls, version)
    ours.use_certificate(one.der, module)
    theirs = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    use(theirs, own())
    theirs.load_verify_locations(cadata=test_root().pem)
    theirs.verify_mode = ssl.CERT_REQUIRED
    pair = Bios(ours, theirs).handshake()
    assert pair.server.getpeercert(True) == one.der
    assert len(module.signed) == 2


def use(context: ssl.SSLContext, credential: Credential) -> None:
    """Give a context of either library a certificate, which the standard library's takes from a file only."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*credential.write(Path(folder)))


def test_object_may_have_other_schemes_for_tls_12() -> None:
    class Older(Module):
        schemes12 = PKCS1[:1]

    module = Older(own("rsa").key, PSS)
    context = server(chain_of(own("rsa")), module)
    for version, scheme in ((TLS12, PKCS1[0]), (TLS13, PSS[0])):
        Bios(client(ssl, version), context).handshake()
        assert module.signed[-1] == scheme


def test_object_that_makes_no_scheme_of_tls_13_is_for_tls_12_alone() -> None:
    context = server(chain_of(own("rsa")), Module(own("rsa").key, PKCS1))
    Bios(client(ssl, TLS12), context).handshake()
    with pytest.raises(ssl.SSLError) as refused:
        Bios(client(ssl, TLS13), context).handshake()
    assert refused.value.reason in ("NO_SHARED_SIGNATURE_ALGORITHMS", "NO_SUITABLE_SIGNATURE_ALGORITHM")


def test_scheme_of_another_curve_is_not_used_in_tls_13() -> None:
    # RFC 8446 §4.2.3: ecdsa_secp384r1_sha384 is for P-384; in TLS 1.2 it is SHA-384 with any curve.
    schemes = (Scheme.ECDSA_SECP384R1_SHA384, Scheme.ECDSA_SECP256R1_SHA256)
    signer = ExternalSigner(Module(own().key, schemes), PublicKey(own().key.public_key()))
    assert signer.schemes12 == schemes
    assert signer.schemes == (Scheme.ECDSA_SECP256R1_SHA256,)


@each_client
def test_key_with_schemes_of_another_curve_alone_is_for_tls_12(library: ModuleType) -> None:
    context = server(chain_of(own()), Module(own().key, (Scheme.ECDSA_SECP384R1_SHA384,)))
    Bios(client(library, TLS12), context).handshake()
    with pytest.raises(ssl.SSLError) as refused:
        Bios(client(library, TLS13), context).handshake()
    assert refused.value.reason in ("NO_SHARED_SIGNATURE_ALGORITHMS", "NO_SUITABLE_SIGNATURE_ALGORITHM")


def test_object_that_decrypts_takes_part_in_rsa_key_transport() -> None:
    class Decrypting(Module):
        def decrypt(self, ciphertext: bytes) -> bytes:
            self.signed.append(0)
            return self._key.decrypt(ciphertext, padding.PKCS1v15())  # type: ignore[no-any-return]

    module = Decrypting(own("rsa").key, (*PSS, *PKCS1))
    context = server(chain_of(own("rsa")), module)
    context.set_ciphers("AES128-GCM-SHA256")
    theirs = client(ssl, TLS12)
    theirs.set_ciphers("AES128-GCM-SHA256")
    pair = Bios(theirs, context).handshake()
    assert pair.client.cipher()[0] == "AES128-GCM-SHA256"  # type: ignore[index]
    assert module.signed[-1] == 0


WRONG: dict[str, Callable[[Module], object]] = {
    "another key's signature": lambda module: setattr(module, "_key", new_key("p256")),
    "schemes of other keys": lambda module: setattr(module, "schemes", (Scheme.ED25519, *PSS)),
    "no scheme": lambda module: setattr(module, "schemes", ()),
    "schemes that do not exist": lambda module: setattr(module, "schemes", (0xFFFF, 0)),
    "nothing": lambda module: setattr(module, "sign", lambda scheme, data: b""),
    "no signature": lambda module: setattr(module, "sign", lambda scheme, data: bytes(70)),
    "other data": lambda module: setattr(
        module, "sign", lambda scheme, data: SCHEMES12[scheme].sign(own().key, data + b"\0")
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_object_that_signs_wrongly_is_refused_when_it_is_loaded(what: str) -> None:
    module = Module(own().key, (Scheme.ECDSA_SECP256R1_SHA256,))
    WRONG[what](module)
    with pytest.raises(ssl.SSLError) as refused:
        server(chain_of(own()), module)
    assert (refused.value.library, refused.value.reason) == ("X509", "KEY_VALUES_MISMATCH")


def test_object_that_signs_with_the_key_of_another_kind_is_refused() -> None:
    for key_type, schemes in MODULES.values():
        if key_type != "p256":
            with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
                server(chain_of(own()), Module(own(key_type).key, schemes))


def test_object_that_raises_when_it_is_loaded_says_so_itself() -> None:
    module = Module(own().key, (Scheme.ECDSA_SECP256R1_SHA256,))
    module.fault = ConnectionError("the module is gone")
    with pytest.raises(ConnectionError, match="the module is gone"):
        server(chain_of(own()), module)


def test_object_without_schemes_or_without_sign_is_a_type_error() -> None:
    class Silent:
        schemes = (Scheme.ECDSA_SECP256R1_SHA256,)

    class Nameless:
        def sign(self, scheme: int, data: bytes) -> bytes:
            return b""

    for module in (Silent(), Nameless()):
        with pytest.raises(TypeError, match="Signer"):
            server(chain_of(own()), module)


def failing(pair: Bios) -> tuple[Exception | None, Exception | None]:
    """Run a handshake that fails; return what the client and the server raise first."""
    errors: dict[str, Exception] = {}
    for _ in range(4):
        for name, side in (("client", pair.client), ("server", pair.server)):
            if name in errors:
                continue
            try:
                side.do_handshake()
                side.read(1)
            except ssl.SSLWantReadError:
                pass
            except Exception as exc:
                errors[name] = exc
    return errors.get("client"), errors.get("server")


@each_version
@each_client
def test_object_of_a_server_that_raises_is_an_internal_error_to_the_client(
    version: ssl.TLSVersion, library: ModuleType
) -> None:
    module = Module(own().key, (Scheme.ECDSA_SECP256R1_SHA256,))
    context = server(chain_of(own()), module)
    module.fault = ConnectionError("the module is gone")
    theirs, ours = failing(Bios(client(library, version), context))
    assert isinstance(theirs, ssl.SSLError)
    assert theirs.reason == "TLSV1_ALERT_INTERNAL_ERROR"
    assert "the module is gone" in str(ours)
    assert module.fault in causes(ours)
    module.fault = None
    Bios(client(library, version), context).handshake()


@each_version
@each_client
def test_object_of_a_client_that_raises_is_an_internal_error_to_the_server(
    version: ssl.TLSVersion, library: ModuleType
) -> None:
    one = test_root().issue("client", usages=(CLIENT,))
    module = Module(one.key, (Scheme.ECDSA_SECP256R1_SHA256,))
    context = client(fasttls, version)
    context.use_certificate(one.der, module)
    module.fault = ConnectionError("the module is gone")
    other = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    use(other, own())
    other.load_verify_locations(cadata=test_root().pem)
    other.verify_mode = ssl.CERT_REQUIRED
    ours, theirs = failing(Bios(context, other))
    assert isinstance(theirs, ssl.SSLError)
    assert theirs.reason == "TLSV1_ALERT_INTERNAL_ERROR"
    assert module.fault in causes(ours)


def causes(error: BaseException | None) -> list[BaseException]:
    """Return an error and all that it was raised from."""
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__
    return found


@each_version
@pytest.mark.parametrize("returned", [None, "text", 5])
def test_object_that_returns_no_bytes_is_an_internal_error_to_the_client(
    version: ssl.TLSVersion, returned: object
) -> None:
    module = Module(own().key, (Scheme.ECDSA_SECP256R1_SHA256,))
    context = server(chain_of(own()), module)
    module.sign = lambda scheme, data: returned  # type: ignore[assignment,method-assign,return-value]
    theirs, ours = failing(Bios(client(ssl, version), context))
    assert isinstance(theirs, ssl.SSLError)
    assert theirs.reason == "TLSV1_ALERT_INTERNAL_ERROR"
    assert ours is not None


@each_version
def test_object_that_signs_wrongly_later_is_found_out_by_the_client(version: ssl.TLSVersion) -> None:
    module = Module(own().key, (Scheme.ECDSA_SECP256R1_SHA256,))
    context = server(chain_of(own()), module)
    module._key = new_key("p256")
    theirs, ours = failing(Bios(client(fasttls, version), context))
    assert isinstance(theirs, ssl.SSLError)
    assert theirs.alert_sent == 51  # type: ignore[attr-defined]  # decrypt_error, RFC 8446 §4.4.3
    assert isinstance(ours, ssl.SSLError)
    assert ours.reason == "TLSV1_ALERT_DECRYPT_ERROR"


@pytest.mark.parametrize("returned", [bytes, bytearray, memoryview])
def test_object_may_return_bytes_of_any_kind(returned: type) -> None:
    class Other(Module):
        def sign(self, scheme: int, data: bytes) -> bytes:
            return returned(super().sign(scheme, data))  # type: ignore[no-any-return]

    for version in (TLS12, TLS13):
        context = server(chain_of(own()), Other(own().key, (Scheme.ECDSA_SECP256R1_SHA256,)))
        Bios(client(ssl, version), context).handshake()


class HardwareKey(ec.EllipticCurvePrivateKey):
    """A key as modules for hardware offer it: one of `cryptography`'s kinds, which does not let its numbers out."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._inside = key
        self.signed = 0

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:  # type: ignore[override]
        self.signed += 1
        return self._inside.sign(data, signature_algorithm)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._inside.public_key()

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._inside.curve

    @property
    def key_size(self) -> int:
        return self._inside.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        raise NotImplementedError("it signs only")

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        raise NotImplementedError("it keeps them")

    def private_bytes(self, *_: object, **__: object) -> bytes:
        raise NotImplementedError("it keeps them")

    def __copy__(self) -> HardwareKey:
        raise NotImplementedError("there is one")

    def __deepcopy__(self, memo: dict[int, object]) -> HardwareKey:
        raise NotImplementedError("there is one")


@pytest.mark.parametrize("key_type", ["p256", "p384", "p521"])
@each_version
@each_client
def test_key_of_a_kind_of_cryptographys_that_keeps_its_numbers(
    key_type: str, version: ssl.TLSVersion, library: ModuleType
) -> None:
    key = own(key_type).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    module = HardwareKey(key)
    context = server(chain_of(own(key_type)), module)
    pair = Bios(client(library, version), context).handshake()
    assert pair.client.getpeercert(True) == own(key_type).der
    assert module.signed == 1


def test_such_a_key_of_another_certificate_says_so() -> None:
    key = new_key("p256")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        server(chain_of(own()), HardwareKey(key))


# Authorities.


AUTHORITIES: dict[str, Callable[[], object]] = {
    "PEM text": lambda: test_root().pem,
    "PEM bytes": lambda: test_root().pem.encode(),
    "DER": lambda: test_root().der,
    "bytearray": lambda: bytearray(test_root().der),
    "cryptography's object": lambda: test_root().certificate,
    "list of DER": lambda: [test_root().der],
    "list of objects": lambda: [test_root().certificate],
    "tuple of PEM": lambda: (test_root().pem,),
    "generator": lambda: iter([test_root().der]),
    "list of different kinds": lambda: [middle().pem, test_root().certificate, test_root().der],
    "two in PEM": lambda: middle().pem + test_root().pem,
    "two in DER": lambda: middle().der + test_root().der,
    "PEM with comments": lambda: f"# {test_root().name}\n{test_root().pem}",
}


@pytest.mark.parametrize("form", AUTHORITIES)
def test_authority_of_every_form_is_trusted(form: str) -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    theirs = server(chain_of(own()), own().key)
    with pytest.raises(ssl.SSLCertVerificationError):
        Bios(context, theirs).handshake()
    context.trust(AUTHORITIES[form]())
    Bios(context, theirs).handshake()
    assert test_root().der in context.get_ca_certs(True)


def test_authorities_add_up_and_count_once() -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    for _ in range(2):
        context.trust(test_root().der)
        context.trust([middle().certificate, test_root().pem])
    assert context.cert_store_stats() == {"x509": 2, "crl": 0, "x509_ca": 2}


@pytest.mark.parametrize("nothing", ["", b"", [], (), "text", b"text", [""], [b"", []], NO_KEY], ids=repr)
def test_nothing_to_trust_is_a_value_error(nothing: object) -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ValueError, match="no certificate to trust"):
        context.trust(nothing)


NO_AUTHORITIES: dict[str, Callable[[], object]] = {
    "malformed DER": lambda: MALFORMED,
    "malformed DER in a list": lambda: [MALFORMED],
    "malformed DER behind a good one": lambda: [test_root().der, MALFORMED],
    "DER that is cut short": lambda: test_root().der[:-1],
    "DER with a byte behind it": lambda: test_root().der + b"\0",
    "one byte": lambda: b"\x30",
    "malformed PEM": lambda: ssl.DER_cert_to_PEM_cert(MALFORMED),
    "PEM that is not base64": lambda: NOT_BASE64,
}


@pytest.mark.parametrize("what", NO_AUTHORITIES)
def test_authority_that_is_malformed_is_an_ssl_error(what: str) -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLError):
        context.trust(NO_AUTHORITIES[what]())


@pytest.mark.parametrize("other", [None, 5, object(), [5], [None], own().key], ids=lambda one: type(one).__name__)
def test_authority_that_is_nothing_of_the_kind_is_a_type_error(other: object) -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    with pytest.raises(TypeError):
        context.trust(other)
    assert context.get_ca_certs() == []


def test_server_trusts_clients_from_memory() -> None:
    one = test_root().issue("client", usages=(CLIENT,))
    theirs = server(chain_of(own()), own().key)
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.trust(test_root().certificate)
    ours = client()
    ours.use_certificate(one.certificate, one.key)
    pair = Bios(ours, theirs).handshake()
    assert pair.server.getpeercert(True) == one.der


# Chains of the peer.


def ssls(side: Any, which: str) -> list[bytes]:
    """Return a chain as the standard library has it, before Python 3.13 too."""
    found = getattr(side._sslobj, f"get_{which}_chain")()
    return [one.public_bytes(ssl._ssl.ENCODING_DER) for one in found or ()]  # type: ignore[attr-defined]


def both_chains(side: Any) -> tuple[list[bytes], list[bytes]]:
    return side.get_verified_chain(), side.get_unverified_chain()


@pytest.fixture
def theirs() -> fasttls.SSLContext:
    """Return a server that wants a client's certificate."""
    context = server(chain_of(own()), own().key)
    context.trust(test_root().der)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@each_version
def test_chains_of_both_sides_are_der(theirs: fasttls.SSLContext, version: ssl.TLSVersion) -> None:
    one = middle().issue("client", usages=(CLIENT,))
    ours = client(fasttls, version)
    ours.use_certificate(chain_of(one), one.key)
    pair = Bios(ours, theirs).handshake()
    assert both_chains(pair.client) == ([*chain_of(own()), test_root().der], chain_of(own()))
    assert both_chains(pair.server) == ([*chain_of(one), test_root().der], chain_of(one))
    assert all(type(der) is bytes for chain in both_chains(pair.client) for der in chain)


@each_version
def test_chains_are_those_of_ssl(theirs: fasttls.SSLContext, version: ssl.TLSVersion) -> None:
    one = middle().issue("client", usages=(CLIENT,))
    told = []
    for library in (ssl, fasttls):
        ours = client(library, version)
        use(ours, one)
        judge = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        use(judge, own())
        judge.load_verify_locations(cadata=test_root().der)
        judge.verify_mode = ssl.CERT_REQUIRED
        pair = Bios(ours, judge).handshake()
        sides = (pair.client, pair.server)
        told.append([[ssls(side, which) for which in ("verified", "unverified")] for side in sides])
        if library is fasttls:
            assert [list(both_chains(side)) for side in sides] == told[0]
    # What OpenSSL keeps of a client's chain does not have the own certificate; CPython adds it.
    assert told[1] == told[0]


def test_chains_of_sockets(theirs: fasttls.SSLContext) -> None:
    one = middle().issue("client", usages=(CLIENT,))
    ours = client()
    ours.use_certificate(chain_of(one), one.key)
    with connected(ours, theirs) as (near, far):
        assert both_chains(near) == ([*chain_of(own()), test_root().der], chain_of(own()))
        assert both_chains(far) == ([*chain_of(one), test_root().der], chain_of(one))


def test_verified_chain_has_what_the_peer_did_not_send_and_not_what_is_not_needed() -> None:
    stranger = Authority("Stranger")
    context = server([own().der, stranger.der], own().key)
    ours = client()
    ours.trust(middle().der)
    pair = Bios(ours, context).handshake()
    assert both_chains(pair.client) == (
        [own().der, middle().der, test_root().der],
        [own().der, stranger.der],
    )


def test_chains_before_the_handshake_and_of_nobody_are_empty() -> None:
    pair = Bios(client(), server(chain_of(own()), own().key))
    assert both_chains(pair.client) == both_chains(pair.server) == ([], [])
    pair.handshake()
    assert both_chains(pair.server) == ([], [])


def test_chain_that_was_not_to_be_verified_is_shown_as_it_was_sent() -> None:
    # The documentation of Python 3.13 says so: nobody vouches for it.
    ours = client()
    ours.check_hostname = False
    ours.verify_mode = ssl.CERT_NONE
    pair = Bios(ours, server(chain_of(own()), own().key)).handshake()
    assert both_chains(pair.client) == (chain_of(own()), chain_of(own()))


@each_version
def test_chains_of_a_session_that_is_gone_on_with(version: ssl.TLSVersion) -> None:
    ours, context = client(fasttls, version), server(chain_of(own()), own().key)
    ours.resumption = True
    first = Bios(ours, context).handshake()
    second = Bios(ours, context).handshake()
    assert (first.client.session_reused, second.client.session_reused) == (False, True)
    assert both_chains(second.client) == both_chains(first.client)
