"""inject_into_ssl(): programs that say `import ssl` have fasttls, whatever they hold of it, and it is undone wholly."""

from __future__ import annotations

import asyncio
import gc
import http.client
import socket
import ssl
import sys
import threading
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api.peers import Bios, Peer, client_context, connected, echo, server_context, serving, socket_pair

import fasttls
from fasttls.api.engine import Engine

CLIENT, SERVER = ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER


@pytest.fixture
def injected() -> Iterator[None]:
    fasttls.inject_into_ssl()
    try:
        yield
    finally:
        fasttls.extract_from_ssl()


def is_ours(context: ssl.SSLContext) -> bool:
    return isinstance(context, fasttls.SSLContext)


class Before(ssl.SSLContext):
    """A program's own class, made before anything was injected."""

    made_with: tuple[Any, ...] = ()

    def __init__(self, protocol: int, *more: Any) -> None:
        self.made_with = (protocol, *more)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        made = super().wrap_bio(*args, **kwargs)
        made.wrapped_by = type(self).__name__  # type: ignore[attr-defined]
        return made


def with_default(context_class: type = ssl.SSLContext) -> ssl.SSLContext:
    """A function that keeps the class as a default argument."""
    context: ssl.SSLContext = context_class(CLIENT)
    return context


create_default_context = ssl.create_default_context  # as `from ssl import create_default_context` gives it


@pytest.mark.usefixtures("injected")
def test_every_way_to_make_a_context_gives_one_of_ours() -> None:
    assert is_ours(ssl.SSLContext(CLIENT))
    assert is_ours(ssl.create_default_context())
    assert is_ours(create_default_context(ssl.Purpose.CLIENT_AUTH))
    assert is_ours(with_default())
    for name in ("_create_unverified_context", "_create_stdlib_context", "_create_default_https_context"):
        assert is_ours(getattr(ssl, name)())
    connection = http.client.HTTPSConnection("localhost")
    assert is_ours(connection._context)  # type: ignore[attr-defined]


def test_nothing_is_ours_before_and_after() -> None:
    assert not is_ours(ssl.SSLContext(CLIENT))
    before = dict(vars(ssl)), dict(vars(ssl.SSLContext))
    fasttls.inject_into_ssl()
    fasttls.extract_from_ssl()
    assert (dict(vars(ssl)), dict(vars(ssl.SSLContext))) == before
    for make in (ssl.SSLContext, Before):
        made = make(CLIENT)
        assert not is_ours(made)
        made.options |= ssl.OP_NO_TICKET
        assert made.options & ssl.OP_NO_TICKET


def test_twice_is_once() -> None:
    fasttls.inject_into_ssl()
    fasttls.inject_into_ssl()
    assert is_ours(ssl.SSLContext(CLIENT))
    fasttls.extract_from_ssl()
    assert not is_ours(ssl.SSLContext(CLIENT))
    fasttls.extract_from_ssl()
    assert not is_ours(ssl.SSLContext(CLIENT))


def test_threads_may_do_it_at_once() -> None:
    failed: list[BaseException] = []
    start = threading.Barrier(8)

    def work(which: int) -> None:
        try:
            start.wait(10)
            for _ in range(200):
                (fasttls.inject_into_ssl if which % 2 else fasttls.extract_from_ssl)()
                made = ssl.SSLContext(CLIENT)
                made.options |= ssl.OP_NO_TICKET
                assert made.minimum_version <= ssl.TLSVersion.TLSv1_3
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    fasttls.extract_from_ssl()
    assert failed == []
    assert not is_ours(ssl.SSLContext(CLIENT))


SETTINGS: dict[str, Any] = {
    "options": ssl.OP_ALL | ssl.OP_NO_TICKET,
    "verify_flags": ssl.VERIFY_X509_STRICT,
    "check_hostname": False,
    "verify_mode": ssl.CERT_OPTIONAL,
    "minimum_version": ssl.TLSVersion.TLSv1_2,
    "maximum_version": ssl.TLSVersion.TLSv1_2,
    "post_handshake_auth": True,
    "hostname_checks_common_name": False,
    "_msg_callback": print,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_setters_work_on_contexts_of_before_and_of_now(name: str) -> None:
    """The base class's setters find their class by its name in `ssl`: they must not come back to themselves."""
    contexts = [ssl.SSLContext(CLIENT), Before(CLIENT)]
    fasttls.inject_into_ssl()
    try:
        contexts += [ssl.SSLContext(CLIENT), Before(CLIENT), fasttls.SSLContext(CLIENT)]
        for context in contexts:
            setattr(context, name, SETTINGS[name])
            assert getattr(context, name) == SETTINGS[name]
    finally:
        fasttls.extract_from_ssl()
    for context in contexts:
        setattr(context, name, SETTINGS[name])
        assert getattr(context, name) == SETTINGS[name]


def test_our_setters_do_not_depend_on_the_name_in_ssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "SSLContext", fasttls.SSLContext)
    context = ssl.SSLContext(CLIENT)
    for name, value in SETTINGS.items():
        setattr(context, name, value)
        assert getattr(context, name) == value


@pytest.mark.usefixtures("injected")
def test_subclasses_are_ours_too_and_stay_what_they_are(folder: Path) -> None:
    made = Before(CLIENT, "more")
    assert is_ours(made)
    assert isinstance(made, Before)
    assert type(made) is type(Before(CLIENT))
    assert type(made).__name__ == "Before"
    assert made.made_with == (CLIENT, "more")
    made.load_verify_locations(folder / "ca.pem")
    pair = Bios(made, server_context(ssl, folder)).handshake()
    assert pair.client.wrapped_by == "Before"  # type: ignore[attr-defined]
    assert isinstance(pair.client._sslobj, Engine)


@pytest.mark.usefixtures("injected")
def test_subclass_of_now_may_make_itself() -> None:
    class Own(ssl.SSLContext):
        def __new__(cls, protocol: int) -> Own:
            made: Own = super().__new__(cls, protocol)
            made.mark = "own"  # type: ignore[attr-defined]
            return made

    context = Own(CLIENT)
    assert is_ours(context)
    assert context.mark == "own"  # type: ignore[attr-defined]


def test_subclasses_made_for_injection_are_not_kept() -> None:
    class Short(ssl.SSLContext):
        pass

    fasttls.inject_into_ssl()
    Short(CLIENT)
    fasttls.extract_from_ssl()
    gc.collect()
    assert Short.__subclasses__() == []


@pytest.mark.usefixtures("injected")
def test_types_and_constants_are_the_same_objects() -> None:
    assert ssl.SSLContext in fasttls.SSLContext.__mro__
    context = ssl.create_default_context()
    assert isinstance(context, ssl.SSLContext)
    assert type(context.options) is ssl.Options
    assert type(context.verify_flags) is ssl.VerifyFlags
    assert type(context.verify_mode) is ssl.VerifyMode
    assert type(context.minimum_version) is ssl.TLSVersion
    assert type(context.protocol).__name__ == "_SSLMethod"


@pytest.mark.usefixtures("injected")
def test_sockets_and_sessions_pass_for_the_standard_librarys(folder: Path) -> None:
    client = client_context(ssl, folder)
    with connected(client, server_context(ssl, folder)) as (ours, theirs):
        assert isinstance(ours, ssl.SSLSocket)
        assert isinstance(theirs._sslobj, Engine)  # type: ignore[attr-defined]
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        assert isinstance(ours.session, ssl.SSLSession)
        assert type(ours.session) is fasttls.SSLSession


@pytest.mark.usefixtures("injected")
def test_warnings_name_the_callers_line() -> None:
    for make in (lambda: ssl.SSLContext(), lambda: ssl.SSLContext(ssl.PROTOCOL_TLS)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make()
        assert {Path(one.filename).name for one in caught} <= {"test_inject.py", "context.py"}
        assert Path(caught[0].filename).name == "test_inject.py"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ssl.SSLContext(CLIENT).options |= ssl.OP_NO_TLSv1
    assert [Path(one.filename).name for one in caught] == ["test_inject.py"]


@pytest.mark.usefixtures("injected")
def test_asyncio_takes_contexts_of_before_and_of_now(folder: Path) -> None:
    async def talk(context: ssl.SSLContext, port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        writer.write(b"hello")
        data = await reader.readexactly(5)
        writer.close()
        await writer.wait_closed()
        return data

    async def everything() -> list[bytes]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(5))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server_context(ssl, folder))
        async with server:
            port = server.sockets[0].getsockname()[1]
            fasttls.extract_from_ssl()
            old = client_context(ssl, folder)
            fasttls.inject_into_ssl()
            new = client_context(ssl, folder)
            assert (is_ours(old), is_ours(new)) == (False, True)
            return [await talk(old, port), await talk(new, port)]

    assert asyncio.run(everything()) == [b"hello", b"hello"]


@pytest.mark.usefixtures("injected")
def test_urllib_and_its_own_default_context(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))

    def handle(sock: ssl.SSLSocket) -> None:
        while b"\r\n\r\n" not in sock.recv(65536):
            pass
        sock.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(server_context(ssl, folder), handle) as (_, port):
        assert urllib.request.urlopen(f"https://localhost:{port}/").read() == b"ok"


@pytest.mark.usefixtures("injected")
def test_libraries_that_keep_their_own_reference(folder: Path) -> None:
    urllib3 = pytest.importorskip("urllib3")
    requests = pytest.importorskip("requests")
    made = urllib3.util.ssl_.create_urllib3_context()
    assert is_ours(made)
    seen: list[type] = []

    def handle(sock: ssl.SSLSocket) -> None:
        while b"\r\n\r\n" not in sock.recv(65536):
            pass
        seen.append(type(sock))
        sock.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(server_context(ssl, folder), handle) as (_, port):
        answer = requests.get(f"https://localhost:{port}/", verify=str(folder / "ca.pem"), timeout=20)
        assert answer.content == b"ok"
        with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
            requests.get(f"https://localhost:{port}/", timeout=20)
    assert seen == [fasttls.SSLSocket]


def test_contexts_that_libraries_made_when_they_were_imported() -> None:
    connector = pytest.importorskip("aiohttp.connector")
    before = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
    assert not is_ours(before[0])
    fasttls.inject_into_ssl()
    fasttls.inject_into_ssl()
    verified, unverified = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
    fasttls.extract_from_ssl()
    assert is_ours(verified)
    assert is_ours(unverified)
    assert (verified.verify_mode, unverified.verify_mode) == (ssl.CERT_REQUIRED, ssl.CERT_NONE)
    assert before == (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="ssl.wrap_socket() is gone from Python 3.12")
@pytest.mark.usefixtures("injected")
def test_wrap_socket_of_python_3_11(folder: Path) -> None:
    for library in (ssl, fasttls):
        with serving(server_context(ssl, folder), echo) as address, socket.create_connection(address) as plain:
            with pytest.warns(DeprecationWarning, match="wrap_socket"):
                wrapped = library.wrap_socket(plain, ca_certs=str(folder / "ca.pem"), cert_reqs=ssl.CERT_REQUIRED)
            with wrapped:
                assert isinstance(wrapped._sslobj, Engine)
                wrapped.sendall(b"x")
                assert wrapped.recv(1) == b"x"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="as above")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wrap_socket_verifies_and_refuses_as_the_standard_library(folder: Path) -> None:
    with serving(server_context(ssl, folder), echo) as address, socket.create_connection(address) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            fasttls.wrap_socket(plain, cert_reqs=ssl.CERT_REQUIRED)
    with socket_pair() as (near, _):
        for wrong in ({"server_side": True}, {"keyfile": "x"}):
            with pytest.raises(ValueError, match="certfile must be specified"):
                fasttls.wrap_socket(near, **wrong)  # type: ignore[arg-type]


@pytest.mark.usefixtures("injected")
def test_a_peer_in_a_thread_has_it_too(folder: Path) -> None:
    made = Peer(lambda: ssl.create_default_context()).wait()
    assert is_ours(made)


def test_what_fails_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = pytest.importorskip("requests.adapters")
    # As `requests` has it at import; its bundle is gone.
    monkeypatch.setattr(adapters, "_preloaded_ssl_context", ssl.create_default_context(), raising=False)
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", "/none")
    monkeypatch.setattr(adapters, "create_urllib3_context", ssl.create_default_context, raising=False)
    monkeypatch.setattr(adapters, "extract_zipped_paths", lambda path: path, raising=False)
    with pytest.raises(FileNotFoundError):
        fasttls.inject_into_ssl()
    assert not isinstance(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), fasttls.SSLContext)


class Assigned(ssl.SSLContext):
    """A program's own class, which a context is given when it is made already: frameworks of web servers do so."""

    @property
    def own(self) -> str:
        return f"{self.verify_mode.name}"


@pytest.mark.parametrize("inject", [False, True], ids=["ssl", "fasttls"])
def test_class_of_a_context_may_be_assigned(folder: Path, inject: bool, request: pytest.FixtureRequest) -> None:
    if inject:
        request.getfixturevalue("injected")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    for context in (client, server):
        context.__class__ = Assigned
        assert isinstance(context, Assigned)
        assert is_ours(context) is inject
        assert context.own == context.verify_mode.name
    assert Bios(client, server).handshake().client.version() == "TLSv1.3"
    client.__class__ = ssl.SSLContext
    assert is_ours(client) is inject
    assert Bios(client, server).handshake().client.version() == "TLSv1.3"
    with pytest.raises(TypeError):
        client.__class__ = int
    assert Bios(client, server).handshake().client.version() == "TLSv1.3"
