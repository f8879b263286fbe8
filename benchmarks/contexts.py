"""Contexts of either library over the same certificates: P-256, a chain of two and a trusted root."""

from __future__ import annotations

import ssl
from types import ModuleType

import pytest

import fasttls
from fasttls.diagnose.authority import DemoFiles

LIBRARIES = pytest.mark.parametrize("library", [fasttls, ssl], ids=["fasttls", "ssl"])


def contexts(library: ModuleType, files: DemoFiles, curve: str | None = "prime256v1") -> tuple:
    """Return a client's and a server's context of a library, with one key exchange group or its default."""
    client = library.create_default_context(cafile=files.root)
    server = library.SSLContext(library.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    for context in (client, server):
        context.minimum_version = library.TLSVersion.TLSv1_3
        if curve is not None:
            context.set_ecdh_curve(curve)
    return client, server
