"""Programs' own classes of contexts: what they override is called, and what they set by other ways counts."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import Bios, each_library, server_context

import fasttls


def policy(base: Any) -> Any:
    """Return a class that insists on certificates, by a property of its own."""

    class Strict(base):  # type: ignore[misc]
        @property
        def verify_mode(self) -> ssl.VerifyMode:
            return super().verify_mode

        @verify_mode.setter
        def verify_mode(self, value: ssl.VerifyMode) -> None:
            if value != ssl.CERT_REQUIRED:
                raise ValueError("certificates are always required")
            super(Strict, Strict).verify_mode.__set__(self, value)

    return Strict


@pytest.mark.parametrize("injected", [False, True])
@each_library
def test_a_property_of_a_subclass_is_called(library: ModuleType, injected: bool) -> None:
    if injected:
        fasttls.inject_into_ssl()
    try:
        context = policy(library.SSLContext)(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        with pytest.raises(ValueError, match="always required"):
            context.verify_mode = ssl.CERT_NONE
        assert context.verify_mode == ssl.CERT_REQUIRED
    finally:
        fasttls.extract_from_ssl()


@each_library
def test_a_setting_counts_however_it_was_set(library: ModuleType, folder: Path) -> None:
    """By the property's own setter, as subclasses do, or by the one below: also after a first connection."""
    base: Any = library.SSLContext
    context = base(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    server = server_context(ssl, folder)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    Bios(context, server).handshake()
    ssl._ssl._SSLContext.verify_mode.__set__(context, ssl.CERT_REQUIRED)  # type: ignore[attr-defined]
    with pytest.raises(ssl.SSLCertVerificationError):
        Bios(context, server).handshake()
    context.verify_mode = ssl.CERT_NONE
    Bios(context, server).handshake()
    base.minimum_version.__set__(context, ssl.TLSVersion.TLSv1_3)
    with pytest.raises(ssl.SSLError):
        Bios(context, server).handshake()


def test_a_class_that_wants_arguments_of_its_subclasses() -> None:
    class Tagged(ssl.SSLContext):
        def __init_subclass__(cls, *, tag: str, **more: Any) -> None:
            super().__init_subclass__(**more)
            cls.tag = tag  # type: ignore[attr-defined]

    class Own(Tagged, tag="own"):
        pass

    fasttls.inject_into_ssl()
    try:
        context = Own(ssl.PROTOCOL_TLS_CLIENT)
        assert isinstance(context, fasttls.SSLContext)
        assert isinstance(context, Own)
        assert context.tag == "own"  # type: ignore[attr-defined]
        assert type(Own(ssl.PROTOCOL_TLS_CLIENT)) is type(context)
    finally:
        fasttls.extract_from_ssl()


DELEGATES = """
import ssl
class SSLContext(ssl.SSLContext):
    def wrap_bio(self, *arguments, **named):
        raise AssertionError("another library makes the connections")
    wrap_socket = wrap_bio
SSLContext.__module__ = "another.library"
ssl.SSLContext = SSLContext
import fasttls
assert not issubclass(fasttls.SSLContext, SSLContext)
context = fasttls.create_default_context()
context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
fasttls.inject_into_ssl()
made = ssl.SSLContext.__mro__[1](ssl.PROTOCOL_TLS_CLIENT)
assert isinstance(made, fasttls.SSLContext), type(made)
made.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
"""


def test_another_librarys_class_in_the_place_of_ssls_makes_no_connections() -> None:
    """Such as truststore's, which gives every connection to a context of OpenSSL's inside."""
    done = subprocess.run([sys.executable, "-c", DELEGATES], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
