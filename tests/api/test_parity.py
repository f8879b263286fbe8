"""All that `ssl` has is here: its public names, and each member of SSLContext reviewed."""

from __future__ import annotations

import re
import ssl

import pytest

import fasttls

WITHOUT = {"wrap_socket": "checks no host name, and is gone from Python 3.12"}
"""Public names of `ssl` that are not here, and why."""

INHERITED = {
    "check_hostname": "a setting, read when a connection is wrapped; its rules are the base class's",
    "verify_mode": "a setting, as above",
    "verify_flags": "a setting; __setattr__ refuses what is not supported",
    "options": "a setting, as above",
    "minimum_version": "a setting, as above",
    "maximum_version": "a setting, as above",
    "protocol": "a constant",
    "_msg_callback": "__setattr__ refuses to set it",
    "wrap_socket": "makes sslsocket_class over our _wrap_socket",
    "wrap_bio": "makes sslobject_class over our _wrap_bio",
    "_encode_hostname": "makes A-labels of a name",
    "_load_windows_store_certs": "adds what Windows trusts through load_verify_locations",
    "_set_alpn_protocols": "called by the base class's set_alpn_protocols alone, which is overridden",
    "_set_npn_protocols": "as above",
    "_host_flags": "a setting that hostname_checks_common_name alone reads, which is overridden",
    "_windows_cert_stores": "a constant",
}
"""Members of SSLContext that are the standard library's own, each reviewed: what it does to a connection."""

SAME_OBJECTS = re.compile(
    r"SSL\w*Error|SSLError|CertificateError|OP_\w+|CERT_\w+|VERIFY_\w+|PROTOCOL_\w+|ALERT_\w+|SSL_ERROR_\w+|"
    r"HAS_\w+|OPENSSL_\w+|TLSVersion|AlertDescription|Options|VerifyMode|VerifyFlags|Purpose|MemoryBIO|"
    r"SSLErrorNumber|RAND_\w+|DER_cert_to_PEM_cert|PEM_cert_to_DER_cert|cert_time_to_seconds|"
    r"get_default_verify_paths|DefaultVerifyPaths|CHANNEL_BINDING_TYPES"
)


def _public(module: object) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


def test_every_public_name_of_ssl_is_here() -> None:
    assert _public(ssl) - _public(fasttls) == {name for name in WITHOUT if hasattr(ssl, name)}


def test_star_import_gives_every_public_name() -> None:
    names: dict[str, object] = {}
    exec("from fasttls import *", names)
    missing = _public(ssl) - set(names) - set(WITHOUT)
    assert missing == set()
    assert names["SSLContext"] is fasttls.SSLContext


def test_private_names_that_other_modules_use_are_here() -> None:
    for name in (
        "_create_unverified_context",
        "_create_default_https_context",
        "_create_stdlib_context",
        "_ssl",
        "_ASN1Object",
    ):
        assert hasattr(fasttls, name)


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


def test_every_member_of_a_context_is_overridden_or_reviewed() -> None:
    ours = {
        name
        for one in fasttls.SSLContext.__mro__
        if not one.__module__.startswith(("ssl", "_ssl", "builtins"))
        for name in vars(one)
    }
    inherited = _members(ssl.SSLContext) - ours
    assert inherited <= set(INHERITED), f"review {sorted(inherited - set(INHERITED))}"
    # A row for a member that some Python has not is fine; one for a member that is overridden is stale.
    assert not set(INHERITED) & ours


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
