"""What the tests of libraries ask for: certificates, the two ways to get fasttls, and peers."""

# ruff: noqa: E402 - what is imported first is not rewritten

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certs
import pytest

pytest.register_assert_rewrite("drop_in.checks", "drop_in.way", "drop_in.programs")

from drop_in import peers
from drop_in.checks import Peers
from drop_in.ways import Apart, Passed, Way

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
def process(keys: Path) -> Iterator[Callable[[str], Apart]]:
    """Return a function that returns the process of a mode, started when it is first asked something."""
    started: dict[str, Apart] = {}

    def find(mode: str) -> Apart:
        if mode not in ("patched", "imported-patched"):
            _needs_injection()
        if mode not in started:
            started[mode] = Apart(keys, mode)
        return started[mode]

    yield find
    for one in started.values():
        one.close()


@pytest.fixture(params=["passed", "injected"])
def each_way(request: pytest.FixtureRequest, keys: Path, process: Callable[[str], Apart]) -> Way:
    """Return the one and the other way."""
    return Passed(keys) if request.param == "passed" else process("injected")


@pytest.fixture
def injected(process: Callable[[str], Apart]) -> Way:
    """Return the process with fasttls injected."""
    return process("injected")


@pytest.fixture
def injected_late(process: Callable[[str], Apart]) -> Way:
    """Return the process where the libraries were imported before fasttls was injected."""
    return process("late")


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
