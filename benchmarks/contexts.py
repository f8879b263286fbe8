"""Contexts of either library over the same certificates: P-256, a chain of two and a trusted root."""

from __future__ import annotations

import ssl
from types import ModuleType

import pytest

import fasttls
from fasttls.diagnose.authority import DemoFiles

LIBRARIES = pytest.mark.parametrize("library", [fasttls, ssl], ids=["fasttls", "ssl"])


VERSIONS = pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])


def contexts(
    library: ModuleType, files: DemoFiles, curve: str | None = "prime256v1", version: str = "TLSv1.3"
) -> tuple:
    """Return a client's and a server's context of a library, for one version and one group or its default."""
    client = library.create_default_context(cafile=files.root)
    server = library.SSLContext(library.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    for context in (client, server):
        only = library.TLSVersion[version.replace(".", "_")]
        context.minimum_version, context.maximum_version = only, only
        if curve is not None:
            context.set_ecdh_curve(curve)
    return client, server
