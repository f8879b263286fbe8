"""The settings of a context: the standard library's rules, and an error for all that has no effect here."""

from __future__ import annotations

import copy
import pickle
import ssl
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import Bios, client_context, each_library, server_context, socket_pair

import fasttls

CLIENT, SERVER = ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER

SETTINGS = [
    "check_hostname",
    "verify_mode",
    "verify_flags",
    "options",
    "minimum_version",
    "maximum_version",
    "protocol",
    "sni_callback",
    "keylog_filename",
]


@pytest.mark.parametrize("protocol", [CLIENT, SERVER])
@pytest.mark.parametrize("name", SETTINGS)
def test_new_context_has_the_settings_of_ssls(protocol: int, name: str) -> None:
    assert getattr(fasttls.SSLContext(protocol), name) == getattr(ssl.SSLContext(protocol), name)


@pytest.mark.parametrize("purpose", [ssl.Purpose.SERVER_AUTH, ssl.Purpose.CLIENT_AUTH])
@pytest.mark.parametrize("function", ["create_default_context", "_create_unverified_context", "_create_stdlib_context"])
@pytest.mark.parametrize("name", SETTINGS)
def test_functions_that_make_contexts_set_the_same(purpose: ssl.Purpose, function: str, name: str) -> None:
    # _create_default_https_context is a client's, and _create_stdlib_context has the purpose by name.
    ours = getattr(fasttls, function)(purpose=purpose)
    theirs = getattr(ssl, function)(purpose=purpose)
    assert getattr(ours, name) == getattr(theirs, name)
    assert type(ours) is fasttls.SSLContext


@each_library
def test_check_hostname_and_verify_mode_go_together(library: ModuleType) -> None:
    context = library.SSLContext(CLIENT)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    with pytest.raises(ValueError, match="check_hostname"):
        context.verify_mode = ssl.CERT_NONE
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.check_hostname = True
    assert context.verify_mode == ssl.CERT_REQUIRED
    context.check_hostname = False
    assert context.verify_mode == ssl.CERT_REQUIRED
    context.verify_mode = ssl.CERT_OPTIONAL
    context.check_hostname = True
    assert context.verify_mode == ssl.CERT_OPTIONAL
    for wrong in (42, "x", None):
        with pytest.raises((ValueError, TypeError)):
            context.verify_mode = wrong


@each_library
def test_host_name_is_needed_when_it_is_checked(folder: Path, library: ModuleType) -> None:
    context = client_context(library, folder)
    with socket_pair() as (near, _), pytest.raises(ValueError, match="server_hostname"):
        context.wrap_socket(near)


def test_host_name_is_needed_over_bios_too() -> None:
    # `ssl` lets this pass and then checks no name at all.
    with pytest.raises(ValueError, match="name"):
        fasttls.SSLContext(CLIENT).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())


@pytest.mark.parametrize("mode", [ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
@each_library
def test_client_verifies_with_either_mode(folder: Path, library: ModuleType, mode: ssl.VerifyMode) -> None:
    context = library.SSLContext(CLIENT)
    context.check_hostname = False
    context.verify_mode = mode
    with pytest.raises(ssl.SSLCertVerificationError):
        Bios(context, server_context(fasttls, folder)).handshake()


@each_library
def test_client_that_verifies_nothing_accepts_and_tells_nothing(folder: Path, library: ModuleType) -> None:
    context = library._create_unverified_context()
    pair = Bios(context, server_context(fasttls, folder), "other.example").handshake()
    assert pair.client.getpeercert() == {}
    assert pair.client.getpeercert(True)


def test_setting_that_changes_later_is_for_later_connections(folder: Path) -> None:
    context = client_context(fasttls, folder)
    first = Bios(context, server_context(ssl, folder))
    context.set_alpn_protocols(["late"])
    context.check_hostname = False
    second = Bios(context, server_context(ssl, folder), "other.example")
    assert first.handshake().client.version() == second.handshake().client.version() == "TLSv1.3"
    context.check_hostname = True
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        Bios(context, server_context(ssl, folder), "other.example").handshake()


# Versions.


def _handshake(context: ssl.SSLContext, folder: Path) -> str | None:
    return Bios(context, server_context(fasttls, folder)).handshake().client.version()


LIMITS: dict[str, Callable[[ssl.SSLContext], None]] = {
    "maximum TLS 1.1": lambda c: setattr(c, "maximum_version", ssl.TLSVersion.TLSv1_1),
    "no version": lambda c: setattr(c, "options", c.options | ssl.OP_NO_TLSv1_3 | ssl.OP_NO_TLSv1_2),
    "minimum supported as maximum": lambda c: setattr(c, "maximum_version", ssl.TLSVersion.MINIMUM_SUPPORTED),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_version_that_is_not_spoken_here_is_refused(folder: Path, limit: str) -> None:
    context = client_context(fasttls, folder)
    LIMITS[limit](context)
    with pytest.raises(ssl.SSLError) as refused:
        _handshake(context, folder)
    assert refused.value.reason in ("NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_PROTOCOL")


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
        (ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.MAXIMUM_SUPPORTED),
    ],
)
def test_versions_that_have_tls_1_3_among_them(folder: Path, low: ssl.TLSVersion, high: ssl.TLSVersion) -> None:
    context = client_context(fasttls, folder)
    context.minimum_version, context.maximum_version = low, high
    assert _handshake(context, folder) == "TLSv1.3"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["PROTOCOL_TLSv1", "PROTOCOL_TLSv1_1"])
def test_protocol_of_one_earlier_version_never_speaks_another(folder: Path, name: str) -> None:
    # Whoever asks for one version alone must not get another and not know.
    def ask() -> str | None:
        return _handshake(fasttls.SSLContext(getattr(ssl, name)), folder)

    with pytest.raises((ssl.SSLError, NotImplementedError, ValueError)):
        ask()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "limit",
    [
        lambda c: setattr(c, "maximum_version", ssl.TLSVersion.TLSv1_2),
        lambda c: setattr(c, "options", c.options | ssl.OP_NO_TLSv1_3),
        lambda c: (
            setattr(c, "minimum_version", ssl.TLSVersion.MINIMUM_SUPPORTED)
            or setattr(c, "maximum_version", ssl.TLSVersion.TLSv1_2)
        ),
    ],
)
def test_tls_1_2_alone(folder: Path, limit: Callable[[ssl.SSLContext], None]) -> None:
    context = client_context(fasttls, folder)
    limit(context)
    assert _handshake(context, folder) == "TLSv1.2"
    assert _handshake(fasttls.SSLContext(ssl.PROTOCOL_TLSv1_2), folder) == "TLSv1.2"
    # As in ssl, the list is what is set, whatever is spoken.
    assert {suite["protocol"] for suite in context.get_ciphers()} == {"TLSv1.2", "TLSv1.3"}


def test_cipher_string_chooses_the_suites_of_tls_1_2(folder: Path) -> None:
    context = client_context(fasttls, folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    forward_secret = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.2"]
    assert all(name.startswith("ECDHE-") for name in forward_secret)
    context.set_ciphers("AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES128-SHA")
    assert [s["name"] for s in context.get_ciphers() if s["protocol"] == "TLSv1.2"] == [
        "AES256-GCM-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
    ]
    with pytest.raises(ssl.SSLError, match="not AEADs"):
        context.set_ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA256")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_protocol_for_either_side(folder: Path) -> None:
    for context in (fasttls.SSLContext(ssl.PROTOCOL_TLS), fasttls.SSLContext()):
        assert context.verify_mode == ssl.CERT_NONE
        assert _handshake(context, folder) == "TLSv1.3"
        context.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
        assert Bios(client_context(ssl, folder), context).handshake().client.version() == "TLSv1.3"


# What is not supported.


def _wrap_with(context: ssl.SSLContext, flags: int) -> None:
    """Set verify flags, as the standard library lets one, and use the context."""
    context.verify_flags = flags  # type: ignore[assignment]
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


UNSUPPORTED: dict[str, Callable[[ssl.SSLContext], object]] = {
    "VERIFY_ALLOW_PROXY_CERTS": lambda c: _wrap_with(c, ssl.VERIFY_ALLOW_PROXY_CERTS),
    "verify flag that has no name": lambda c: _wrap_with(c, 1 << 20),
    "num_tickets": lambda c: setattr(c, "num_tickets", 256),
    "set_npn_protocols": lambda c: c.set_npn_protocols(["x"]),
    "a security level that asks for more": lambda c: c.set_ciphers("DEFAULT:@SECLEVEL=3"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_would_have_no_effect_raises(name: str) -> None:
    with pytest.raises((NotImplementedError, ssl.SSLError, ValueError)):
        UNSUPPORTED[name](fasttls.SSLContext(SERVER))


def test_what_is_no_session_cannot_be_given(folder: Path) -> None:
    context = client_context(fasttls, folder)
    with pytest.raises(TypeError, match="SSLSession"):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x", session=object())  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
@each_library
def test_context_cannot_be_copied(library: ModuleType, make: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        make(library.SSLContext(CLIENT))


@each_library
def test_protocol_that_does_not_exist_is_refused(library: ModuleType) -> None:
    with pytest.raises(ValueError, match="protocol"):
        library.SSLContext(-1)
    with pytest.raises(TypeError):
        library.create_default_context("SERVER_AUTH")
    with pytest.raises(TypeError):
        library._create_unverified_context(purpose="SERVER_AUTH")


# Suites, groups and protocols.


def test_suites_are_listed_as_by_ssl() -> None:
    ours = {suite["name"]: suite for suite in fasttls.SSLContext(CLIENT).get_ciphers()}
    theirs = {suite["name"]: suite for suite in ssl.SSLContext(CLIENT).get_ciphers()}
    common = [name for name in ours if name in theirs]
    assert len(common) >= 3
    for name in common:
        assert {**ours[name], "description": ""} == {**theirs[name], "description": ""}
        assert ours[name]["description"].split() == theirs[name]["description"].split()


@each_library
def test_cipher_string_is_checked_and_leaves_tls_1_3_alone(folder: Path, library: ModuleType) -> None:
    context = client_context(library, folder)
    with pytest.raises(ssl.SSLError, match="No cipher can be selected"):
        context.set_ciphers("NOTHING")
    with pytest.raises(TypeError):
        context.set_ciphers(5)  # type: ignore[arg-type]
    context.set_ciphers("ECDHE+AESGCM")
    assert [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.3"]
    assert _handshake(context, folder) == "TLSv1.3"


def test_suites_of_tls_1_3_are_chosen(folder: Path) -> None:
    for name in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
        context = client_context(fasttls, folder)
        assert isinstance(context, fasttls.SSLContext)
        context.set_ciphersuites(name)
        listed = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.3"]
        assert listed == [name]
        pair = Bios(context, server_context(ssl, folder)).handshake()
        assert (pair.client.cipher() or ("",))[0] == name
    for wrong in ("", "TLS_NOTHING", "ECDHE-RSA-AES128-GCM-SHA256"):
        with pytest.raises(ssl.SSLError, match="NO_CIPHER_MATCH"):
            fasttls.SSLContext(CLIENT).set_ciphersuites(wrong)


def test_groups_are_chosen(folder: Path) -> None:
    for name in ("X25519MLKEM768", "x25519", "P-256", "secp384r1", "secp521r1", "X448"):
        context = client_context(fasttls, folder)
        assert isinstance(context, fasttls.SSLContext)
        context.set_groups(name)
        pair = Bios(context, server_context(fasttls, folder)).handshake()
        assert pair.client.group().lower() in {one.lower() for one in context.get_groups(include_aliases=True)}  # type: ignore[attr-defined]
    for wrong in ("", "nothing", "X25519:nothing"):
        with pytest.raises(ssl.SSLError, match="UNKNOWN_GROUP"):
            fasttls.SSLContext(CLIENT).set_groups(wrong)
    context = fasttls.SSLContext(CLIENT)
    context.set_groups("X25519:?nothing:P-256")
    assert context.get_groups() == ["X25519", "secp256r1"]


@each_library
def test_ecdh_curve(folder: Path, library: ModuleType) -> None:
    context = server_context(library, folder)
    for name in ("prime256v1", b"secp384r1"):
        context.set_ecdh_curve(name)
        assert Bios(client_context(ssl, folder), context).handshake().client.version() == "TLSv1.3"
    for wrong in ("foo", b"foo"):
        with pytest.raises(ValueError, match="curve"):
            context.set_ecdh_curve(wrong)
    with pytest.raises(TypeError):
        context.set_ecdh_curve(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        context.set_ecdh_curve()  # type: ignore[call-arg]


@each_library
@pytest.mark.parametrize("protocols", [[""], ["x" * 256]])
def test_application_protocol_of_no_possible_size(library: ModuleType, protocols: list[str]) -> None:
    with pytest.raises(ssl.SSLError, match="ALPN"):
        library.SSLContext(CLIENT).set_alpn_protocols(protocols)


ALPN = [
    (["a", "b"], ["b", "a"], "b"),
    (["a"], ["b"], None),
    ([], ["a"], None),
    (["a"], [], None),
]


@pytest.mark.parametrize(("offered", "known", "chosen"), ALPN)
@each_library
def test_server_chooses_the_application_protocol(
    folder: Path, library: ModuleType, offered: list[str], known: list[str], chosen: str | None
) -> None:
    client, server = client_context(library, folder), server_context(fasttls, folder)
    client.set_alpn_protocols(offered)
    server.set_alpn_protocols(known)
    pair = Bios(client, server).handshake()
    assert pair.client.selected_alpn_protocol() == pair.server.selected_alpn_protocol() == chosen


@each_library
def test_server_preference(folder: Path, library: ModuleType) -> None:
    server = server_context(fasttls, folder)
    server.set_ciphersuites("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256")  # type: ignore[attr-defined]
    client = client_context(fasttls, folder)
    client.set_ciphersuites("TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256")  # type: ignore[attr-defined]
    server.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    assert (Bios(client, server).handshake().client.cipher() or ("",))[0] == "TLS_CHACHA20_POLY1305_SHA256"
    server.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    assert (Bios(client, server).handshake().client.cipher() or ("",))[0] == "TLS_AES_128_GCM_SHA256"
