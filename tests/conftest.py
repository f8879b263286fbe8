"""What every test may ask for: the shared root, a server's certificate, and contexts of either library."""

from __future__ import annotations

import os
from pathlib import Path

import certs
import pytest

import fasttls
from fasttls.native import _hash


def pytest_configure() -> None:
    """Make sure that the modules under test are the sanitized ones, when those are to be tested."""
    folder = os.environ.get("FASTTLS_SANITIZED")
    if folder is not None and not str(_hash.__file__).startswith(folder):
        raise pytest.UsageError(f"{_hash.__file__} is tested, which is not in {folder}")


@pytest.fixture(autouse=True)
def no_key_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the environment's key log and trust store out of the tests."""
    for name in ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ca.pem, server-chain.pem, server-key.pem, client-chain.pem and client-key.pem."""
    path = tmp_path_factory.mktemp("certificates")
    certs.test_root().write(path)
    certs.server_credential().write(path, "server")
    certs.client_credential().write(path, "client")
    return path


@pytest.fixture
def server_context(folder: Path) -> fasttls.SSLContext:
    """Return a fasttls server context with the P-256 certificate for localhost."""
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    return context


@pytest.fixture
def client_context(folder: Path) -> fasttls.SSLContext:
    """Return a fasttls client context that trusts the shared root alone."""
    return fasttls.create_default_context(cafile=str(folder / "ca.pem"))
