"""What is refused without a connection: both libraries raise the same exception, library, reason and words."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certs
import pytest

import fasttls

CLIENT, SERVER = ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER

NOT_BASE64 = "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"
DH_NOT_BASE64 = "-----BEGIN DH PARAMETERS-----\nAAA\n-----END DH PARAMETERS-----\n"
NO_DH = "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"


@pytest.fixture(scope="module")
def files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("refused")
    for name in ("ca.pem", "server-chain.pem", "server-key.pem", "client-chain.pem", "client-key.pem"):
        (path / name).write_bytes((folder / name).read_bytes())
    (path / "empty.pem").touch()
    (path / "text.pem").write_text("no PEM\n")
    (path / "not-base64.pem").write_text(NOT_BASE64)
    (path / "dh-not-base64.pem").write_text(DH_NOT_BASE64)
    (path / "no-dh.pem").write_text(NO_DH)
    key = certs.server_credential().key.private_bytes(
        certs.serialization.Encoding.PEM,
        certs.serialization.PrivateFormat.PKCS8,
        certs.serialization.BestAvailableEncryption(b"right"),
    )
    (path / "locked-key.pem").write_bytes(key)
    return path


Make = Callable[[Any, Path], object]


def on(protocol: int, do: Callable[[Any, Path], object]) -> Make:
    """Return a function that does something to a context of a library."""
    return lambda library, files: do(library.SSLContext(protocol), files)


def setting(protocol: int, name: str, value: object) -> Make:
    return on(protocol, lambda context, _: setattr(context, name, value))


def wrapping(protocol: int, **arguments: Any) -> Make:
    return on(protocol, lambda context, _: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), **arguments))


def unready(method: str, *arguments: Any) -> Make:
    """Call a method of an object before its handshake."""

    def do(context: Any, _: Path) -> object:
        wrapped = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x")
        return getattr(wrapped, method)(*arguments)

    return on(CLIENT, do)


REFUSED: dict[str, Make] = {
    "no authorities": on(CLIENT, lambda c, _: c.load_verify_locations()),
    "authorities that are not there": on(CLIENT, lambda c, f: c.load_verify_locations(f / "missing.pem")),
    "authorities in an empty file": on(CLIENT, lambda c, f: c.load_verify_locations(f / "empty.pem")),
    "authorities in a file of text": on(CLIENT, lambda c, f: c.load_verify_locations(f / "text.pem")),
    "authorities that are not base64": on(CLIENT, lambda c, f: c.load_verify_locations(f / "not-base64.pem")),
    "authorities in a file with a key": on(CLIENT, lambda c, f: c.load_verify_locations(f / "server-key.pem")),
    "authorities from a number": on(CLIENT, lambda c, _: c.load_verify_locations(None, True)),
    "empty cadata": on(CLIENT, lambda c, _: c.load_verify_locations(cadata="")),
    "empty bytes of cadata": on(CLIENT, lambda c, _: c.load_verify_locations(cadata=b"")),
    "cadata that is not ASCII": on(CLIENT, lambda c, _: c.load_verify_locations(cadata="ä")),
    "cadata of another type": on(CLIENT, lambda c, _: c.load_verify_locations(cadata=object())),
    "a certificate that is not there": on(SERVER, lambda c, f: c.load_cert_chain(f / "missing.pem")),
    "no certificate": on(SERVER, lambda c, _: c.load_cert_chain(None)),
    "an empty certificate": on(SERVER, lambda c, f: c.load_cert_chain(f / "empty.pem")),
    "a certificate without its key": on(SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem")),
    "a certificate that is not base64": on(SERVER, lambda c, f: c.load_cert_chain(f / "not-base64.pem")),
    "another certificate's key": on(
        SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem", f / "client-key.pem")
    ),
    "a wrong password": on(
        SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem", f / "locked-key.pem", password="wrong")
    ),
    "a password that is too long": on(
        SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem", f / "locked-key.pem", password="x" * 1025)
    ),
    "a password of another type": on(
        SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem", f / "locked-key.pem", password=5)
    ),
    "a password function that returns none": on(
        SERVER, lambda c, f: c.load_cert_chain(f / "server-chain.pem", f / "locked-key.pem", password=lambda: None)
    ),
    "parameters that are not there": on(SERVER, lambda c, f: c.load_dh_params(f / "missing.pem")),
    "no parameters": on(SERVER, lambda c, _: c.load_dh_params(None)),
    "parameters in an empty file": on(SERVER, lambda c, f: c.load_dh_params(f / "empty.pem")),
    "parameters in a file with a certificate": on(SERVER, lambda c, f: c.load_dh_params(f / "ca.pem")),
    "parameters that are not base64": on(SERVER, lambda c, f: c.load_dh_params(f / "dh-not-base64.pem")),
    "parameters that are malformed": on(SERVER, lambda c, f: c.load_dh_params(f / "no-dh.pem")),
    "suites that nobody has": on(SERVER, lambda c, _: c.set_ciphers("^$:,;?*'dorothyx")),
    "suites of another type": on(SERVER, lambda c, _: c.set_ciphers(5)),
    "a curve that nobody has": on(SERVER, lambda c, _: c.set_ecdh_curve("none")),
    "a curve that nobody has, in bytes": on(SERVER, lambda c, _: c.set_ecdh_curve(b"none")),
    "a protocol's name that is too long": on(CLIENT, lambda c, _: c.set_alpn_protocols(["x" * 256])),
    "a protocol's name that is empty": on(CLIENT, lambda c, _: c.set_alpn_protocols([""])),
    "a protocol's name that is not ASCII": on(CLIENT, lambda c, _: c.set_alpn_protocols(["ä"])),
    "a server's callback on a client": setting(CLIENT, "sni_callback", print),
    "a callback that is none": setting(SERVER, "sni_callback", 5),
    "CERT_NONE with check_hostname": setting(CLIENT, "verify_mode", ssl.CERT_NONE),
    "a verify_mode that is none": setting(SERVER, "verify_mode", 12),
    "a verify_mode of another type": setting(SERVER, "verify_mode", "x"),
    "options of another type": setting(SERVER, "options", "x"),
    "options that are too many": setting(SERVER, "options", 1 << 70),
    "verify_flags of another type": setting(SERVER, "verify_flags", "x"),
    "a version that is none": setting(SERVER, "minimum_version", 4),
    "a version that is none, the highest": setting(SERVER, "maximum_version", 4),
    "num_tickets on a client": setting(CLIENT, "num_tickets", 1),
    "negative num_tickets": setting(SERVER, "num_tickets", -1),
    "num_tickets of another type": setting(SERVER, "num_tickets", None),
    "a key log where there is no folder": setting(CLIENT, "keylog_filename", "/nowhere/at/all"),
    "a key log of another type": setting(CLIENT, "keylog_filename", object()),
    "a protocol that cannot be changed": setting(CLIENT, "protocol", 3),
    "a message callback that is none": setting(CLIENT, "_msg_callback", 5),
    "a client's socket of a server's context": wrapping(SERVER),
    "a server's socket of a client's context": wrapping(CLIENT, server_side=True),
    "an empty name": wrapping(CLIENT, server_hostname=""),
    "a name with a NUL": wrapping(CLIENT, server_hostname="a\0b"),
    "a name that is too long": wrapping(CLIENT, server_hostname="a" * 300),
    "a session that is none": wrapping(CLIENT, server_hostname="x", session=object()),
    "a session on a server": wrapping(SERVER, server_side=True, session=object()),
    "a certificate before the handshake": unready("getpeercert"),
    "unwrap() before the handshake": unready("unwrap"),
    "asking before the handshake": unready("verify_client_post_handshake"),
    "reading before the handshake": unready("read"),
    "writing before the handshake": unready("write", b"x"),
    "writing text": unready("write", "x"),
    "a negative size": unready("read", -1),
    "a channel binding that nobody has": unready("get_channel_binding", "none"),
    "a purpose that is none": lambda library, _: library.create_default_context(5),
    "an unverified context for nothing": lambda library, _: library._create_unverified_context(purpose=5),
    "a key without its certificate": lambda library, _: library._create_unverified_context(keyfile="x"),
    "making a socket by hand": lambda library, _: library.SSLSocket(),
    "making an object by hand": lambda library, _: library.SSLObject(),
}

# Where OpenSSL 3.0 has only a library's name to say, or words of its own; later versions say other words.
LOOSER = {
    "a wrong password",
    "a name that is too long",
    "a protocol that cannot be changed",
    "suites of another type",
    "a key log of another type",
    "writing text",
    "options of another type",
    "parameters that are not base64",
    "parameters that are malformed",
    "authorities from a number",
}


def refusal(make: Make, library: Any, files: Path) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the point is which one it is
        make(library, files)
    return caught.value


def words(error: Exception) -> str:
    """Return what is said, without the place in OpenSSL's binding and what fasttls adds behind a colon."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.partition(" (_ssl.c")[0]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_both_refuse_alike(name: str, files: Path) -> None:
    ours, theirs = (refusal(REFUSED[name], library, files) for library in (fasttls, ssl))
    kinds = [
        kind for kind in type(ours).__mro__ if kind in (OSError, TypeError, ValueError, AttributeError, OverflowError)
    ]
    assert kinds
    assert isinstance(theirs, kinds[0])
    assert type(ours) is type(theirs) or name in LOOSER
    if isinstance(theirs, ssl.SSLError):
        assert isinstance(ours, ssl.SSLError)
        assert [type(one) for one in ours.args] == [type(one) for one in theirs.args]
        assert len(ours.args) == 2 or ours.args == theirs.args
        for attribute in ("library", "reason"):
            said = getattr(ours, attribute, "not said"), getattr(theirs, attribute, "not said")
            assert said[0] == said[1] or name in LOOSER
    if name not in LOOSER:
        assert words(ours).startswith(words(theirs))
