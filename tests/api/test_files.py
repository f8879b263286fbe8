"""Certificates, keys and trusted roots from files, directories and memory: read, or refused, as by `ssl`."""

from __future__ import annotations

import builtins
import io
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import Bios, client_context, each_library, server_context
from certs import Authority, client_credential, server_credential, test_root
from cryptography.hazmat.primitives import serialization

import fasttls

PASSWORD = "päss"

_FORMATS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with certificates and keys in many forms."""
    credential = server_credential()
    (tmp_path / "chain.pem").write_text(credential.chain_pem)
    (tmp_path / "key.pem").write_text(credential.key_pem)
    (tmp_path / "both.pem").write_text(credential.chain_pem + credential.key_pem)
    (tmp_path / "key-first.pem").write_text(credential.key_pem + credential.chain_pem)
    (tmp_path / "other-key.pem").write_text(client_credential().key_pem)
    (tmp_path / "garbage.pem").write_text("nothing at all\n")
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "broken.pem").write_text(credential.chain_pem.replace("MII", "!!!"))
    (tmp_path / "binary.pem").write_bytes(credential.der)
    curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key = credential.key.private_bytes(
        serialization.Encoding.PEM, _FORMATS["traditional"], serialization.NoEncryption()
    )
    (tmp_path / "with-parameters.pem").write_text(curve + key.decode())
    for name, form in _FORMATS.items():
        locked = credential.key.private_bytes(
            serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(PASSWORD.encode())
        )
        (tmp_path / f"locked-{name}.pem").write_bytes(locked)
    return tmp_path


def _server(library: ModuleType) -> ssl.SSLContext:
    context: ssl.SSLContext = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return context


def _works(context: ssl.SSLContext, folder: Path) -> bool:
    pair = Bios(client_context(ssl, folder), context).handshake()
    return pair.client.getpeercert(True) == server_credential().der


@each_library
@pytest.mark.parametrize(
    ("certificates", "key"),
    [
        ("chain.pem", "key.pem"),
        ("both.pem", None),
        ("key-first.pem", None),
        ("both.pem", "both.pem"),
        ("chain.pem", "with-parameters.pem"),
    ],
)
def test_chain_and_key(folder: Path, own: Path, library: ModuleType, certificates: str, key: str | None) -> None:
    context = _server(library)
    context.load_cert_chain(own / certificates, own / key if key else None)
    assert _works(context, folder)


@each_library
def test_paths_of_every_kind(folder: Path, own: Path, library: ModuleType) -> None:
    for kind in (str, Path, lambda path: str(path).encode()):
        context = _server(library)
        context.load_cert_chain(certfile=kind(own / "chain.pem"), keyfile=kind(own / "key.pem"))
        assert _works(context, folder)


@each_library
@pytest.mark.parametrize("form", _FORMATS)
@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        PASSWORD.encode(),
        bytearray(PASSWORD.encode()),
        lambda: PASSWORD,
        lambda: PASSWORD.encode(),
        lambda: bytearray(PASSWORD.encode()),
    ],
    ids=["str", "bytes", "bytearray", "callable-str", "callable-bytes", "callable-bytearray"],
)
def test_key_behind_a_password(folder: Path, own: Path, library: ModuleType, form: str, password: object) -> None:
    context = _server(library)
    context.load_cert_chain(own / "chain.pem", own / f"locked-{form}.pem", password=password)  # type: ignore[arg-type]
    assert _works(context, folder)


class _Refusal(Exception):
    """Raised by a password callback."""


def _raises() -> str:
    raise _Refusal


WRONG: dict[str, Callable[[ssl.SSLContext, Path], None]] = {
    "wrong password": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "locked-pkcs8.pem", "wrong"),
    "wrong password of the traditional form": lambda c, own: c.load_cert_chain(
        own / "chain.pem", own / "locked-traditional.pem", "wrong"
    ),
    "password that is no string": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "locked-pkcs8.pem", 5),  # type: ignore[arg-type]
    "password that is no string and not needed": lambda c, own: c.load_cert_chain(
        own / "chain.pem",
        own / "key.pem",
        5,  # type: ignore[arg-type]
    ),
    "callable that returns no string": lambda c, own: c.load_cert_chain(
        own / "chain.pem",
        own / "locked-pkcs8.pem",
        lambda: 5,  # type: ignore[arg-type,return-value]
    ),
    "callable that raises": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "locked-pkcs8.pem", _raises),
    "password that is too long": lambda c, own: c.load_cert_chain(
        own / "chain.pem", own / "locked-pkcs8.pem", "x" * 2000
    ),
    "callable whose password is too long": lambda c, own: c.load_cert_chain(
        own / "chain.pem", own / "locked-pkcs8.pem", lambda: "x" * 2000
    ),
    "missing chain": lambda c, own: c.load_cert_chain(own / "missing.pem"),
    "missing key file": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "missing.pem"),
    "no key in the file": lambda c, own: c.load_cert_chain(own / "chain.pem"),
    "no certificate in the file": lambda c, own: c.load_cert_chain(own / "key.pem"),
    "key of another certificate": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "other-key.pem"),
    "garbage": lambda c, own: c.load_cert_chain(own / "garbage.pem"),
    "empty file": lambda c, own: c.load_cert_chain(own / "empty.pem"),
    "broken base64": lambda c, own: c.load_cert_chain(own / "broken.pem", own / "key.pem"),
    "DER": lambda c, own: c.load_cert_chain(own / "binary.pem", own / "key.pem"),
    "garbage for a key": lambda c, own: c.load_cert_chain(own / "chain.pem", own / "garbage.pem"),
    "None for a chain": lambda c, _: c.load_cert_chain(None),  # type: ignore[arg-type]
    "number for a chain": lambda c, _: c.load_cert_chain(1.5),  # type: ignore[arg-type]
    "folder for a chain": lambda c, own: c.load_cert_chain(own),
    "nothing to trust": lambda c, _: c.load_verify_locations(),
    "None to trust": lambda c, _: c.load_verify_locations(None, None, None),
    "missing file to trust": lambda c, own: c.load_verify_locations(own / "missing.pem"),
    "garbage to trust": lambda c, own: c.load_verify_locations(own / "garbage.pem"),
    "key to trust": lambda c, own: c.load_verify_locations(own / "key.pem"),
    "empty file to trust": lambda c, own: c.load_verify_locations(own / "empty.pem"),
    "broken base64 to trust": lambda c, own: c.load_verify_locations(own / "broken.pem"),
    "missing directory to trust": lambda c, own: c.load_verify_locations(capath=own / "missing"),
    "number to trust": lambda c, _: c.load_verify_locations(cadata=5),  # type: ignore[arg-type]
    "object to trust": lambda c, _: c.load_verify_locations(cadata=object()),  # type: ignore[arg-type]
    "no text to trust": lambda c, _: c.load_verify_locations(cadata=""),
    "no bytes to trust": lambda c, _: c.load_verify_locations(cadata=b""),
    "text that is no PEM to trust": lambda c, _: c.load_verify_locations(cadata="broken"),
    "text that is not ASCII to trust": lambda c, _: c.load_verify_locations(cadata="é"),
    "bytes that are no DER to trust": lambda c, _: c.load_verify_locations(cadata=b"broken"),
    "bytes behind a certificate to trust": lambda c, _: c.load_verify_locations(cadata=test_root().der + b"A"),
    "certificate that is malformed to trust": lambda c, _: c.load_verify_locations(cadata=b"\x30\x03\x02\x01\x01"),
}

DIFFERENT = {"bytes behind a certificate to trust": (None, ssl.SSLError)}
"""What `ssl` does and what fasttls does: it says that the data is not all certificates."""


def _outcome(library: ModuleType, call: Callable[[ssl.SSLContext, Path], None], own: Path) -> object:
    try:
        call(_server(library), own)
    except ssl.SSLError:
        return ssl.SSLError
    except OSError as error:
        return type(error), error.errno
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_raises_as_in_ssl(own: Path, name: str) -> None:
    outcomes = _outcome(ssl, WRONG[name], own), _outcome(fasttls, WRONG[name], own)
    if name in DIFFERENT:
        # Which of the two `ssl` does depends on the Python that it comes with.
        assert outcomes in (DIFFERENT[name], (DIFFERENT[name][1], DIFFERENT[name][1]))
    else:
        assert outcomes[1] == outcomes[0]


@each_library
def test_key_of_another_certificate_says_so(own: Path, library: ModuleType) -> None:
    with pytest.raises(ssl.SSLError) as refused:
        _server(library).load_cert_chain(own / "chain.pem", own / "other-key.pem")
    assert refused.value.reason == "KEY_VALUES_MISMATCH"
    assert refused.value.library == "X509"


def test_key_behind_a_password_without_one_is_an_error(own: Path) -> None:
    # OpenSSL asks on the terminal, which a library must not.
    with pytest.raises(ssl.SSLError, match="private key"):
        _server(fasttls).load_cert_chain(own / "chain.pem", own / "locked-pkcs8.pem")


def test_failed_load_leaves_the_context_as_it_was(folder: Path, own: Path) -> None:
    context = _server(fasttls)
    context.load_cert_chain(own / "chain.pem", own / "key.pem")
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(own / "chain.pem", own / "other-key.pem")
    assert _works(context, folder)


@each_library
def test_certificate_of_each_key_type_is_chosen_by_the_client(
    tmp_path: Path, folder: Path, library: ModuleType
) -> None:
    context = _server(library)
    for key_type in ("rsa", "p256"):
        context.load_cert_chain(*server_credential(key_type).write(tmp_path, key_type))
    pair = Bios(client_context(fasttls, folder), context).handshake()
    assert pair.client.getpeercert(True) in (server_credential("rsa").der, server_credential("p256").der)
    for scheme, key_type in (("ECDSA", "p256"), ("RSA", "rsa")):
        client = client_context(fasttls, folder)
        assert isinstance(client, fasttls.SSLContext)
        wanted = [name for name in fasttls.get_sigalgs() if scheme.lower() in name and "sha1" not in name]
        client.set_server_sigalgs(":".join(wanted))
        chosen = Bios(client, context).handshake()
        assert chosen.client.getpeercert(True) == server_credential(key_type).der


@each_library
def test_later_certificate_of_the_same_type_replaces_the_former(
    tmp_path: Path, folder: Path, library: ModuleType
) -> None:
    context = _server(library)
    context.load_cert_chain(*test_root().issue("other.example").write(tmp_path, "former"))
    context.load_cert_chain(*server_credential().write(tmp_path, "later"))
    assert _works(context, folder)


def test_intermediates_are_sent(tmp_path: Path) -> None:
    middle = Authority("Middle", parent=test_root())
    context = _server(fasttls)
    context.load_cert_chain(*middle.issue("localhost").write(tmp_path))
    client = ssl.create_default_context(cadata=test_root().pem)
    assert Bios(client, context).handshake().client.version() == "TLSv1.3"


# What is trusted.


def _trusting(library: ModuleType) -> ssl.SSLContext:
    context: ssl.SSLContext = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


WAYS_TO_TRUST: dict[str, Callable[[ssl.SSLContext, Path], None]] = {
    "file": lambda c, folder: c.load_verify_locations(folder / "ca.pem"),
    "file by name": lambda c, folder: c.load_verify_locations(cafile=str(folder / "ca.pem")),
    "file by bytes": lambda c, folder: c.load_verify_locations(cafile=str(folder / "ca.pem").encode()),
    "text": lambda c, _: c.load_verify_locations(cadata=test_root().pem),
    "text with comments": lambda c, _: c.load_verify_locations(cadata=f"# root\n{test_root().pem}\n# end\n"),
    "two in a text": lambda c, _: c.load_verify_locations(cadata=Authority("Other").pem + test_root().pem),
    "bytes": lambda c, _: c.load_verify_locations(cadata=test_root().der),
    "bytearray": lambda c, _: c.load_verify_locations(cadata=bytearray(test_root().der)),
    "two in bytes": lambda c, _: c.load_verify_locations(cadata=Authority("Other").der + test_root().der),
    "twice": lambda c, _: next(c.load_verify_locations(cadata=test_root().der) for _ in range(2)),
}


@each_library
@pytest.mark.parametrize("way", WAYS_TO_TRUST)
def test_ways_to_trust(folder: Path, library: ModuleType, way: str) -> None:
    context = _trusting(library)
    server = _server(fasttls)
    server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        Bios(context, server).handshake()
    WAYS_TO_TRUST[way](context, folder)
    assert Bios(context, server).handshake().client.version() == "TLSv1.3"


@each_library
def test_directory_to_trust(tmp_path: Path, folder: Path, library: ModuleType) -> None:
    from trust.test_store import rehash

    test_root().write(tmp_path)
    rehash(tmp_path)
    context = _trusting(library)
    context.load_verify_locations(capath=str(tmp_path))
    assert context.get_ca_certs() == []
    server = _server(fasttls)
    server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    assert Bios(context, server).handshake().client.version() == "TLSv1.3"
    assert len(context.get_ca_certs()) == 1


def test_statistics_and_lists_are_those_of_ssl(folder: Path) -> None:
    told = []
    for library in (ssl, fasttls):
        context = _trusting(library)
        stats = [context.cert_store_stats()]
        context.load_verify_locations(cadata=test_root().der)
        stats.append(context.cert_store_stats())
        context.load_verify_locations(cadata=server_credential().der)
        stats.append(context.cert_store_stats())
        context.load_verify_locations(cadata=test_root().der)
        stats.append(context.cert_store_stats())
        told.append((stats, context.get_ca_certs(), context.get_ca_certs(binary_form=True)))
    assert told[1] == told[0]


@each_library
def test_defaults_come_from_the_environment(
    folder: Path, tmp_path: Path, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    for load in ("load_default_certs", "set_default_verify_paths"):
        context = _trusting(library)
        getattr(context, load)()
        assert context.get_ca_certs(True) == [test_root().der]
    assert library.create_default_context().get_ca_certs(True) == [test_root().der]
    with pytest.raises(TypeError):
        _trusting(library).load_default_certs("SERVER_AUTH")
    with pytest.raises(TypeError):
        _trusting(library).load_default_certs(None)


@each_library
def test_bad_defaults_in_the_environment_trust_nothing(
    tmp_path: Path, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bad.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert library.create_default_context().get_ca_certs() == []


def test_a_watched_event_loop_sees_no_file_that_openssl_would_not_show_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What watches loops for calls that block replaces these; OpenSSL reads certificates without them."""
    hashed = tmp_path / "hashed"
    hashed.mkdir()
    (hashed / "00000000.0").write_bytes((folder / "ca.pem").read_bytes())
    fasttls.create_default_context()  # has imported what it needs

    def blocks(*_: object, **__: object) -> None:
        raise AssertionError("a call that blocks an event loop")

    for module, name in (
        (os, "stat"),
        (os, "scandir"),
        (os, "listdir"),
        (os, "open"),
        (builtins, "open"),
        (io, "open"),
    ):
        monkeypatch.setattr(module, name, blocks)
    fasttls.create_default_context()
    server = server_context(fasttls, folder)
    for where in ({"cafile": folder / "ca.pem"}, {"capath": hashed}):
        client = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(**where)
        assert Bios(client, server).handshake().client.version() == "TLSv1.3"
