"""The certificates of the interoperability tests."""

from __future__ import annotations

from pathlib import Path

import certs
import pytest


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ca.pem, and chains and keys of every kind: KIND for a server, client-KIND for a client.

    `server` and `client` are P-256.
    """
    path = tmp_path_factory.mktemp("keys")
    certs.test_root().write(path)
    for kind in certs.KEY_TYPES:
        certs.server_credential(kind).write(path, kind)
        certs.client_credential(kind).write(path, f"client-{kind}")
    certs.server_credential().write(path, "server")
    certs.client_credential().write(path, "client")
    return path
