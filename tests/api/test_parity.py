"""All that `ssl` has is here: its public names, and each member of SSLContext reviewed."""

from __future__ import annotations

import re
import ssl
import sysconfig
from pathlib import Path

import pytest

import fasttls

INHERITED = {
    "check_hostname": "a setting, read when a connection is wrapped; its rules are the base class's",
    "wrap_socket": "makes sslsocket_class over our _wrap_socket",
    "wrap_bio": "makes sslobject_class over our _wrap_bio",
    "_encode_hostname": "makes A-labels of a name",
    "_load_windows_store_certs": "adds what Windows trusts through load_verify_locations",
    "_set_npn_protocols": "there is no NPN; nobody calls it",
    "_host_flags": "a setting that hostname_checks_common_name reads",
    "_windows_cert_stores": "a constant",
}
"""Members of SSLContext that are the standard library's own, each reviewed: what it does to a connection."""

_OVER_ENGINE = "Python code of the standard library over our engine"
_PLAIN = "of the plain socket, and refused or unused while it is wrapped"

INHERITED_BY_SOCKETS = {
    **dict.fromkeys(
        [
            "accept",
            "cipher",
            "compression",
            "connect",
            "connect_ex",
            "context",
            "do_handshake",
            "getpeercert",
            "pending",
            "read",
            "recv",
            "recv_into",
            "recvfrom",
            "recvfrom_into",
            "recvmsg",
            "recvmsg_into",
            "selected_alpn_protocol",
            "send",
            "sendall",
            "sendfile",
            "sendmsg",
            "sendto",
            "session",
            "session_reused",
            "shared_ciphers",
            "shutdown",
            "unwrap",
            "verify_client_post_handshake",
            "version",
            "write",
            "dup",
            "_create",
            "_real_connect",
            "_check_connected",
            "_checkClosed",
        ],
        _OVER_ENGINE,
    ),
    "selected_npn_protocol": "None, with a warning: there is no NPN",
    **dict.fromkeys(
        [
            "bind",
            "close",
            "detach",
            "family",
            "fileno",
            "get_inheritable",
            "getblocking",
            "getpeername",
            "getsockname",
            "getsockopt",
            "gettimeout",
            "listen",
            "makefile",
            "proto",
            "sendmsg_afalg",
            "set_inheritable",
            "setblocking",
            "setsockopt",
            "settimeout",
            "timeout",
            "type",
            "_accept",
            "_check_sendfile_params",
            "_decref_socketios",
            "_sendfile_use_send",
            "_sendfile_use_sendfile",
            "_closed",
            "_io_refs",
        ],
        _PLAIN,
    ),
}
"""The same for SSLSocket."""

INHERITED_BY_OBJECTS = {
    name: why
    for name, why in {**INHERITED_BY_SOCKETS, "get_channel_binding": _OVER_ENGINE}.items()
    if name
    in [
        "cipher",
        "compression",
        "context",
        "do_handshake",
        "get_channel_binding",
        "getpeercert",
        "pending",
        "read",
        "selected_alpn_protocol",
        "selected_npn_protocol",
        "session",
        "session_reused",
        "shared_ciphers",
        "unwrap",
        "verify_client_post_handshake",
        "version",
        "write",
        "_create",
    ]
} | {"server_side": _OVER_ENGINE, "server_hostname": _OVER_ENGINE}
"""The same for SSLObject."""

FUNCTIONS = {
    **dict.fromkeys(
        [
            "DER_cert_to_PEM_cert",
            "PEM_cert_to_DER_cert",
            "cert_time_to_seconds",
            "get_protocol_name",
            "match_hostname",
            "_dnsname_match",
            "_inet_paton",
            "_ipaddress_match",
        ],
        "text to text, no TLS",
    ),
    **dict.fromkeys(
        ["RAND_add", "RAND_bytes", "RAND_pseudo_bytes", "RAND_status"],
        "OpenSSL's generator, which fasttls does not use",
    ),
    "get_default_verify_paths": "where OpenSSL looks for authorities; fasttls looks there too",
    "create_connection": "of the module socket",
}
"""Functions of the module that are the standard library's own, each reviewed."""

SAME_OBJECTS = re.compile(
    r"SSL\w*Error|SSLError|CertificateError|OP_\w+|CERT_\w+|VERIFY_\w+|PROTOCOL_\w+|ALERT_\w+|SSL_ERROR_\w+|"
    r"HAS_\w+|OPENSSL_\w+|TLSVersion|AlertDescription|Options|VerifyMode|VerifyFlags|Purpose|MemoryBIO|"
    r"SSLErrorNumber|RAND_\w+|DER_cert_to_PEM_cert|PEM_cert_to_DER_cert|cert_time_to_seconds|"
    r"get_default_verify_paths|DefaultVerifyPaths"
)


def _public(module: object) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


def test_every_public_name_of_ssl_is_here() -> None:
    assert _public(ssl) - _public(fasttls) == set()


def test_star_import_gives_every_public_name() -> None:
    names: dict[str, object] = {}
    exec("from fasttls import *", names)
    missing = _public(ssl) - set(names)
    assert missing == set()
    assert names["SSLContext"] is fasttls.SSLContext


def test_private_names_that_other_modules_use_are_here() -> None:
    """Whatever name of `ssl` the standard library itself says is here, the helpers with an underscore among them."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    used = set()
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if parts[0] in ("test", "site-packages", "idlelib", "lib2to3") or path.name == "ssl.py":
            continue
        source = path.read_text(encoding="utf-8", errors="replace")
        if "ssl" in source:
            used |= set(re.findall(r"\bssl\.(_?[A-Za-z]\w*)", source))
    used = {name for name in used if hasattr(ssl, name)}
    assert used >= {"_create_stdlib_context", "_create_default_https_context", "SSLContext", "SSLWantReadError"}
    used |= {"_create_unverified_context", "_ssl", "_ASN1Object", "PEM_HEADER", "PEM_FOOTER", "_DEFAULT_CIPHERS"}
    assert {name for name in used if hasattr(ssl, name) and not hasattr(fasttls, name)} == set()


def test_names_of_later_pythons_are_here() -> None:
    for name in ("HAS_PSK", "HAS_PSK_TLS13", "HAS_PHA"):
        assert getattr(fasttls, name) is True
    assert int(fasttls.OP_LEGACY_SERVER_CONNECT) == 4
    for name in ("set_groups", "get_groups", "set_ciphersuites", "set_client_sigalgs", "set_server_sigalgs"):
        assert callable(getattr(fasttls.SSLContext, name))
    for cls in (fasttls.SSLSocket, fasttls.SSLObject):
        for name in ("group", "client_sigalg", "server_sigalg", "get_verified_chain", "get_unverified_chain"):
            assert callable(getattr(cls, name))
    assert set(ssl.CHANNEL_BINDING_TYPES) < set(fasttls.CHANNEL_BINDING_TYPES)


def test_every_private_name_of_ssl_is_here_and_the_same_unless_it_makes_contexts() -> None:
    private = {name for name in vars(ssl) if name.startswith("_") and not name.startswith("__")}
    assert {name for name in private if not hasattr(fasttls, name)} == set()
    ours = {name for name in private if getattr(fasttls, name) is not getattr(ssl, name)}
    assert ours == {"_create_unverified_context", "_create_stdlib_context", "_create_default_https_context"}


def test_every_function_of_ssl_is_ours_or_reviewed() -> None:
    functions = {name for name, value in vars(ssl).items() if callable(value) and not isinstance(value, type)}
    functions = {
        name
        for name in functions
        if not re.fullmatch(r"_?(sslcopydoc|nid2obj|txt2obj|namedtuple|simple_enum|convert_)", name)
    }
    same = {name for name in functions if getattr(fasttls, name) is getattr(ssl, name)}
    assert same <= set(FUNCTIONS), f"review {sorted(same - set(FUNCTIONS))}"


def test_errors_enums_and_constants_are_the_standard_librarys_objects() -> None:
    names = [name for name in _public(ssl) if SAME_OBJECTS.fullmatch(name)]
    assert len(names) > 80
    for name in names:
        assert getattr(fasttls, name) is getattr(ssl, name), name


def test_classes_and_functions_that_make_connections_are_ours() -> None:
    for name in ("SSLContext", "SSLSocket", "SSLObject"):
        assert getattr(fasttls, name) is not getattr(ssl, name)
        assert issubclass(getattr(fasttls, name), getattr(ssl, name))
    for name in (
        "create_default_context",
        "get_server_certificate",
        "_create_unverified_context",
        "_create_stdlib_context",
        "_create_default_https_context",
    ):
        assert getattr(fasttls, name) is not getattr(ssl, name)


def _members(cls: type) -> set[str]:
    return {name for name in dir(cls) if not (name.startswith("__") and name.endswith("__"))}


@pytest.mark.parametrize(
    ("name", "reviewed"),
    [("SSLContext", INHERITED), ("SSLSocket", INHERITED_BY_SOCKETS), ("SSLObject", INHERITED_BY_OBJECTS)],
    ids=["SSLContext", "SSLSocket", "SSLObject"],
)
def test_every_member_is_overridden_or_reviewed(name: str, reviewed: dict[str, str]) -> None:
    ours = {
        member
        for one in getattr(fasttls, name).__mro__
        if one.__module__.startswith("fasttls.")
        for member in vars(one)
    }
    inherited = _members(getattr(ssl, name)) - ours
    assert inherited <= set(reviewed), f"review {sorted(inherited - set(reviewed))}"
    # A row for a member that some Python has not is fine; one for a member that is overridden is stale.
    assert not set(reviewed) & ours


@pytest.mark.parametrize("name", ["SSLSocket", "SSLObject"])
def test_engine_has_every_method_that_the_standard_librarys_class_calls(name: str) -> None:
    import inspect

    from fasttls.api.engine import Engine

    source = inspect.getsource(getattr(ssl, name))
    called = set(re.findall(r"self\._sslobj\.(\w+)", source))
    assert len(called) > 15
    assert {method for method in called if not hasattr(Engine, method)} == set()


def test_engine_stands_behind_the_standard_librarys_class() -> None:
    from fasttls.api.engine import Engine

    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x.example")
    assert isinstance(client._sslobj, Engine)
