"""The key log: NSS's format, and the same secrets that the other side writes."""

from __future__ import annotations

import os
import re
import ssl
import stat
import threading
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import Bios, Peer, client_context, each_library, each_pair, server_context

import fasttls

LINE = re.compile(r"[A-Z_0-9]+ [0-9a-f]{64} (?:[0-9a-f]{64}|[0-9a-f]{96})")
LABELS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
}


def _secrets(path: Path) -> set[str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all(LINE.fullmatch(line) for line in lines)
    return set(lines)


@each_pair
def test_both_sides_write_the_same(
    folder: Path, tmp_path: Path, client_library: ModuleType, server_library: ModuleType
) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    client.keylog_filename, server.keylog_filename = tmp_path / "client", tmp_path / "server"
    pair = Bios(client, server).handshake()
    pair.client.write(b"x")
    secrets = _secrets(tmp_path / "client")
    assert secrets == _secrets(tmp_path / "server")
    assert {line.split()[0] for line in secrets} == LABELS


@each_library
def test_file_is_appended_to_and_named(folder: Path, tmp_path: Path, library: ModuleType) -> None:
    path = str(tmp_path / "keys")
    context = client_context(library, folder)
    assert context.keylog_filename is None
    context.keylog_filename = path  # type: ignore[assignment]
    assert context.keylog_filename == path
    assert Path(path).read_text().startswith("# TLS secrets log file")
    for count in (1, 2):
        Bios(context, server_context(fasttls, folder)).handshake()
        assert len(_secrets(Path(path))) == count * len(LABELS)
    context.keylog_filename = None
    Bios(context, server_context(fasttls, folder)).handshake()
    assert len(_secrets(Path(path))) == 2 * len(LABELS)
    other = client_context(library, folder)
    other.keylog_filename = path  # type: ignore[assignment]
    assert Path(path).read_text().count("#") == 1


@each_library
def test_file_that_cannot_be_written_is_an_error(folder: Path, tmp_path: Path, library: ModuleType) -> None:
    context = client_context(library, folder)
    with pytest.raises(IsADirectoryError):
        context.keylog_filename = str(tmp_path)  # type: ignore[assignment]
    with pytest.raises(FileNotFoundError):
        context.keylog_filename = str(tmp_path / "missing" / "keys")  # type: ignore[assignment]
    with pytest.raises(TypeError):
        context.keylog_filename = 1.5  # type: ignore[assignment]
    assert context.keylog_filename is None


@each_library
@pytest.mark.parametrize("function", ["create_default_context", "_create_unverified_context"])
def test_environment_names_the_file(
    tmp_path: Path, library: ModuleType, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "keys")
    monkeypatch.setenv("SSLKEYLOGFILE", path)
    assert getattr(library, function)().keylog_filename == path
    assert library.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename is None


def test_new_file_is_its_owners_alone(folder: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        client_context(fasttls, folder).keylog_filename = tmp_path / "keys"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600


def test_lines_of_many_threads_are_whole(folder: Path, tmp_path: Path) -> None:
    client, server = client_context(fasttls, folder), server_context(fasttls, folder)
    client.keylog_filename = tmp_path / "keys"
    barrier = threading.Barrier(4, timeout=20)

    def work() -> None:
        barrier.wait()
        for _ in range(5):
            Bios(client, server).handshake()

    for peer in [Peer(work) for _ in range(4)]:
        peer.wait()
    assert len(_secrets(tmp_path / "keys")) == 20 * len(LABELS)


def test_nothing_is_written_unless_it_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Bios(client_context(fasttls, folder), server_context(fasttls, folder)).handshake()
    assert list(tmp_path.iterdir()) == []
