"""truststore, whose contexts give their connections to a context inside, and verify by the platform's authorities."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from api.peers import Bios, server_context
from drop_in.ways import library

import fasttls


def test_its_contexts_are_made_of_fasttls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While fasttls is injected, and what is set on them counts."""
    truststore = library("truststore")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    fasttls.inject_into_ssl()
    try:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        bios = Bios(context, server_context(ssl, folder)).handshake()
        assert type(bios.client._sslobj).__module__.startswith("fasttls")  # type: ignore[attr-defined]
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        old = server_context(ssl, folder)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            Bios(context, old).handshake()
    finally:
        fasttls.extract_from_ssl()


def test_it_does_not_take_the_place_of_a_context_of_fasttls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put in the place of `ssl.SSLContext`, its class is not below that of fasttls."""
    truststore = library("truststore")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    truststore.inject_into_ssl()
    try:
        context = fasttls.create_default_context(cafile=str(folder / "ca.pem"))
        bios = Bios(context, server_context(fasttls, folder)).handshake()
        assert type(bios.client._sslobj).__module__.startswith("fasttls")  # type: ignore[attr-defined]
    finally:
        truststore.extract_from_ssl()
