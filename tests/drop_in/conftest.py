"""What the tests of libraries ask for: certificates, the two ways to get fasttls, and peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certs
import pytest
from drop_in import peers
from drop_in.checks import Peers
from drop_in.ways import Injected, Passed, Way

import fasttls


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.drop_in)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ca.pem and the certificates and keys: server, client, stranger, misnamed, strange-client."""
    path = tmp_path_factory.mktemp("drop-in")
    elsewhere = certs.Authority("Another Root")
    certs.test_root().write(path)
    elsewhere.write(path, "another-ca")
    for name, credential in {
        "server": certs.server_credential(),
        "client": certs.client_credential(),
        "stranger": elsewhere.issue("localhost", "127.0.0.1"),
        "misnamed": certs.test_root().issue("elsewhere.example"),
        "strange-client": elsewhere.issue("client.example", usages=(certs.CLIENT,)),
    }.items():
        chain, key = credential.write(path, name)
        (path / f"{name}.pem").write_text(chain.read_text() + key.read_text())
    return path


def _needs_injection() -> None:
    if not hasattr(fasttls, "inject_into_ssl"):
        pytest.skip("fasttls.inject_into_ssl() is not there yet")


@pytest.fixture(scope="session")
def _injected(keys: Path) -> Iterator[Injected]:
    process = Injected(keys)
    yield process
    process.close()


@pytest.fixture(scope="session")
def injected_late(keys: Path) -> Iterator[Injected]:
    """Return a way where the libraries were imported before fasttls was injected."""
    _needs_injection()
    process = Injected(keys, late=True)
    yield process
    process.close()


@pytest.fixture(params=["passed", "injected"])
def each_way(request: pytest.FixtureRequest, keys: Path) -> Way:
    """Return the one and the other way."""
    if request.param == "passed":
        return Passed(keys)
    _needs_injection()
    found: Injected = request.getfixturevalue("_injected")
    return found


@pytest.fixture
def injected(request: pytest.FixtureRequest) -> Way:
    """Return the process with fasttls injected."""
    _needs_injection()
    found: Injected = request.getfixturevalue("_injected")
    return found


@pytest.fixture(scope="session")
def peer(keys: Path) -> Iterator[Peers]:
    """Return a function of (conversation, certificate) that returns the server of the standard library for it."""
    started: dict[Any, peers.Server] = {}

    def find(talk: peers.Talk, certificate: str = "server", *, tls_first: bool = True) -> peers.Server:
        name = (talk, certificate, tls_first)
        if name not in started:
            started[name] = peers.Server(peers.context_of(keys, certificate), talk, tls_first=tls_first)
        return started[name]

    yield find
    for server in started.values():
        server.close()
