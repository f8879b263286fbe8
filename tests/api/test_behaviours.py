"""What programs rely on, one by one: the same test for every pairing of fasttls and the standard library.

The pairing of `ssl` with itself is among them, so that a test says what `ssl` does and not what somebody remembers.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import ssl
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import certs
import pytest
from api.peers import Bios, Peer, connected, each_library, socket_pair

import fasttls

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PAIRS = [(fasttls, fasttls), (fasttls, ssl), (ssl, fasttls), (ssl, ssl)]

each_pair = pytest.mark.parametrize(
    ("near", "far"), PAIRS, ids=[f"{client.__name__}-{server.__name__}" for client, server in PAIRS]
)
each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


class Contexts:
    """A client's and a server's context of two libraries; the client trusts the tests' root."""

    def __init__(self, near: ModuleType, far: ModuleType, folder: Path, version: ssl.TLSVersion | None = None) -> None:
        self.folder = folder
        self.client: Any = near.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.client.load_verify_locations(folder / "ca.pem")
        self.server: Any = far.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
        if version is not None:
            for context in (self.client, self.server):
                context.minimum_version = context.maximum_version = version

    def with_client_certificate(self, mode: ssl.VerifyMode, *, known: bool = True) -> Contexts:
        """Let the server ask the client for its certificate, and give it one if it is to be known."""
        self.server.verify_mode = mode
        self.server.load_verify_locations(self.folder / "ca.pem")
        if known:
            self.client.load_cert_chain(self.folder / "client-chain.pem", self.folder / "client-key.pem")
        return self


def finish(pair: Bios) -> tuple[BaseException | None, BaseException | None]:
    """Run a handshake, and what follows it, to its end; return what each side raised."""
    errors: list[BaseException | None] = [None, None]
    for _ in range(8):
        for which, side in enumerate((pair.client, pair.server)):
            if errors[which] is None:
                try:
                    side.do_handshake()
                    side.read(1)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError as exc:
                    errors[which] = exc
    return errors[0], errors[1]


# 1. Servers enforce CERT_REQUIRED and CERT_OPTIONAL.


@each_pair
@each_version
def test_01_server_enforces_that_the_client_is_known(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version).with_client_certificate(ssl.CERT_REQUIRED, known=False)
    client, server = finish(Bios(made.client, made.server))
    assert isinstance(server, ssl.SSLError)
    assert server.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert client is not None
    # The client of TLS 1.3 is done when it is refused.
    wanted = "CERTIFICATE_REQUIRED" if version is TLS13 else "HANDSHAKE_FAILURE"
    assert wanted in client.reason  # type: ignore[attr-defined]


@each_pair
@each_version
def test_01_server_takes_none_or_a_good_one_where_it_is_optional(
    near: Any, far: Any, version: Any, folder: Path
) -> None:
    made = Contexts(near, far, folder, version).with_client_certificate(ssl.CERT_OPTIONAL, known=False)
    assert Bios(made.client, made.server).handshake().server.getpeercert() is None
    made.with_client_certificate(ssl.CERT_OPTIONAL)
    assert Bios(made.client, made.server).handshake().server.getpeercert()["subject"]  # type: ignore[index]


@each_pair
@each_version
def test_01_server_refuses_a_strangers_certificate(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version).with_client_certificate(ssl.CERT_OPTIONAL, known=False)
    stranger = certs.Authority("Stranger").issue("stranger", usages=(certs.CLIENT,))
    stranger.write(folder, "stranger")
    made.client.load_cert_chain(folder / "stranger-chain.pem", folder / "stranger-key.pem")
    _, server = finish(Bios(made.client, made.server))
    assert isinstance(server, ssl.SSLError)
    assert server.reason == "CERTIFICATE_VERIFY_FAILED"


# 2. Chain, host and address checks, with OpenSSL's codes and words.


@each_pair
@pytest.mark.parametrize(
    ("trusted", "host", "code", "words"),
    [
        (True, "other.example", 62, "Hostname mismatch, certificate is not valid for 'other.example'."),
        (True, "127.0.0.9", 64, "IP address mismatch, certificate is not valid for '127.0.0.9'."),
        (False, "localhost", 20, "unable to get local issuer certificate"),
    ],
)
def test_02_codes_and_words(near: Any, far: Any, trusted: bool, host: str, code: int, words: str, folder: Path) -> None:
    made = Contexts(near, far, folder)
    if not trusted:
        made.client = near.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client, server = finish(Bios(made.client, made.server, host))
    assert isinstance(client, ssl.SSLCertVerificationError)
    assert (client.verify_code, client.verify_message) == (code, words)
    assert (client.library, client.reason) == ("SSL", "CERTIFICATE_VERIFY_FAILED")
    assert client.args[0] == client.errno == 1
    assert client.strerror.startswith(
        f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {words.rstrip('.')}"
    )
    assert isinstance(server, ssl.SSLError)
    assert "ALERT" in server.reason


# 3. The whole last flight is on the wire when the handshake returns.


@each_pair
@each_version
def test_03_last_flight_is_sent_whole(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    with socket_pair() as (one, other):
        accepting = Peer(lambda: made.server.wrap_socket(other, server_side=True))
        ours = made.client.wrap_socket(one, server_hostname="localhost")
        # Nothing more is done with the client's socket: the server can complete all the same.
        theirs = accepting.wait()
        assert theirs.version() == ours.version()
        with ours, theirs:
            pass


# 4. A socket is never read past the current record.


@each_pair
@each_version
def test_04_select_sees_what_is_left(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    with connected(made.client, made.server) as (ours, theirs):
        for _ in range(5):
            theirs.sendall(b"record")
        time.sleep(0.05)
        for left in range(5, 0, -1):
            assert select.select([ours], [], [], 5)[0], f"{left} records are in the socket"
            assert ours.recv(100) == b"record"
            assert ours.pending() == 0


# 5. Non-blocking sockets.


@each_pair
@each_version
def test_05_non_blocking_handshake_and_data(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    with socket_pair() as (one, other):
        for plain in (one, other):
            plain.setblocking(False)
        ours = made.client.wrap_socket(one, server_hostname="localhost", do_handshake_on_connect=False)
        theirs = made.server.wrap_socket(other, server_side=True, do_handshake_on_connect=False)
        with ours, theirs:
            done = set()
            for _ in range(20):
                for side in (ours, theirs):
                    if side not in done:
                        with suppress(ssl.SSLWantReadError):
                            side.do_handshake()
                            done.add(side)
            assert len(done) == 2
            with pytest.raises(ssl.SSLWantReadError) as caught:
                theirs.recv(1)
            assert caught.value.errno == ssl.SSL_ERROR_WANT_READ
            # Fill the way to the peer, then let it drain; every byte arrives once.
            data, sent = os.urandom(8 << 20), 0
            blocked = 0
            got = bytearray()
            while len(got) < len(data):
                if sent < len(data):
                    try:
                        sent += ours.send(data[sent : sent + (1 << 20)])
                    except ssl.SSLWantWriteError:
                        blocked += 1
                try:
                    got += theirs.recv(1 << 16)
                except ssl.SSLWantReadError:
                    select.select([theirs], [], [], 1)
            assert bytes(got) == data
            assert blocked


# 6. Timeouts.


@each_pair
@each_version
def test_06_timeout_leaves_the_socket_usable(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    with connected(made.client, made.server) as (ours, theirs):
        ours.settimeout(0.05)
        with pytest.raises(TimeoutError, match="timed out"):
            ours.recv(1)
        theirs.sendall(b"late")
        ours.settimeout(20)
        assert ours.recv(4) == b"late"


@each_library
def test_06_timeout_in_the_handshake(library: Any, folder: Path) -> None:
    made = Contexts(library, library, folder)
    with socket_pair() as (one, _):
        one.settimeout(0.05)
        with pytest.raises(TimeoutError, match="timed out"):
            made.client.wrap_socket(one, server_hostname="localhost")


# 7. Any buffer.


@each_pair
def test_07_any_buffer(near: Any, far: Any, folder: Path) -> None:
    import array

    made = Contexts(near, far, folder)
    with connected(made.client, made.server) as (ours, theirs):
        for data in (
            b"abcd",
            bytearray(b"abcd"),
            memoryview(b"abcd"),
            array.array("H", [1, 2]),
            memoryview(b"xabcdx")[1:5],
        ):
            raw = bytes(data)
            assert ours.send(data) == 4
            target = array.array("I", [0, 0])
            assert theirs.recv_into(target) == 4
            assert target.tobytes()[:4] == raw
        ours.sendall(memoryview(bytearray(range(16))).cast("B", (4, 4)))  # type: ignore[arg-type]
        assert theirs.recv(100) == bytes(range(16))
        with pytest.raises((TypeError, BufferError)):
            theirs.recv_into(b"read-only")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            ours.send("text")  # type: ignore[arg-type]


# 8. makefile() outlives close().


@each_pair
def test_08_makefile_outlives_close(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder)
    with connected(made.client, made.server) as (ours, theirs):
        file = ours.makefile("rwb")
        ours.close()
        file.write(b"line\n")
        file.flush()
        assert theirs.recv(100) == b"line\n"
        theirs.sendall(b"answer\n")
        assert file.readline() == b"answer\n"
        file.close()
        assert ours.fileno() == -1


# 9. Ragged ends.


@each_pair
@each_version
@pytest.mark.parametrize("suppress_eofs", [True, False])
def test_09_ragged_eof(near: Any, far: Any, version: Any, suppress_eofs: bool, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    with connected(made.client, made.server, suppress_ragged_eofs=suppress_eofs) as (ours, theirs):
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        socket.socket.shutdown(theirs, socket.SHUT_WR)
        if suppress_eofs:
            assert ours.recv(1) == b""
            return
        with pytest.raises(ssl.SSLEOFError) as caught:
            ours.recv(1)
        assert caught.value.args[0] == ssl.SSL_ERROR_EOF
        assert "EOF occurred in violation of protocol" in caught.value.strerror
        assert caught.value.reason == "UNEXPECTED_EOF_WHILE_READING"
        assert caught.value.library == "SSL"


@each_pair
@each_version
def test_09_bio_after_close_notify(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    pair = Bios(made.client, made.server).handshake()
    pair.server.write(b"last")
    with suppress(ssl.SSLWantReadError):
        pair.server.unwrap()
    assert pair.client.read(100) == b"last"
    assert pair.client.read(100) == b""
    assert pair.client.read(100) == b""


@each_pair
@each_version
def test_09_bio_that_ends(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    pair = Bios(made.client, made.server).handshake()
    pair.to_client.write_eof()
    with pytest.raises(ssl.SSLEOFError):
        pair.client.read(1)


@each_pair
@each_version
def test_09_unexpected_eof_may_be_ignored(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    made.client.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    pair = Bios(made.client, made.server).handshake()
    pair.server.write(b"last")
    assert pair.client.read(100) == b"last"
    pair.to_client.write_eof()
    assert pair.client.read(1) == b""
    assert pair.client.read(1) == b""
    unfinished = Bios(made.client, made.server)
    unfinished.to_client.write_eof()
    with pytest.raises((ssl.SSLZeroReturnError, ssl.SSLEOFError)):
        unfinished.client.do_handshake()


# 10. unwrap().


@each_pair
@each_version
def test_10_unwrap_waits_for_the_peer_and_gives_the_plain_socket_back(
    near: Any, far: Any, version: Any, folder: Path
) -> None:
    made = Contexts(near, far, folder, version)
    with connected(made.client, made.server) as (ours, theirs):
        unwrapping = Peer(ours.unwrap)
        assert theirs.recv(1) == b""
        time.sleep(0.05)
        assert unwrapping.result is None
        plain_server = theirs.unwrap()
        plain_client = unwrapping.wait()
        plain_client.sendall(b"in the clear")
        assert plain_server.recv(100) == b"in the clear"
        with pytest.raises(ValueError, match="No SSL wrapper"):
            ours.unwrap()


# 11. wrap_bio().


@each_library
def test_11_wrap_bio_takes_what_ssl_takes(library: Any, folder: Path) -> None:
    made = Contexts(library, library, folder)
    for host, name in (
        ("localhost", "localhost"),
        (b"localhost", "localhost"),
        ("bücher.example", "xn--bcher-kva.example"),
    ):
        wrapped = made.client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, host, None)
        assert wrapped.server_hostname == name
        assert wrapped.server_side is False
    for wrong in ("", b".example"):
        with pytest.raises(ValueError, match="cannot be an empty string or start with a leading dot"):
            made.client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=wrong)
    with pytest.raises(TypeError):
        made.client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a\0b")
    with pytest.raises(TypeError, match="MemoryBIO"):
        made.server.wrap_bio(object(), ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ssl.SSLError, match="Cannot create a client socket with a PROTOCOL_TLS_SERVER context"):
        made.server.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
    with pytest.raises(ssl.SSLError, match="Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"):
        made.client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


# 12. accept(), wrap before connect, detach, dup.


@each_pair
def test_12_accept_and_wrap_before_connect(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with made.server.wrap_socket(listener, server_side=True) as accepting:
            serving = Peer(accepting.accept)
            with made.client.wrap_socket(socket.socket(), server_hostname="localhost") as ours:
                assert ours.version() is None
                assert ours.cipher() is None
                ours.settimeout(20)
                ours.connect(address)
                theirs, _ = serving.wait()
                with theirs:
                    ours.sendall(b"x")
                    assert theirs.recv(1) == b"x"
                with pytest.raises(ValueError, match="already-connected"):
                    ours.connect(address)
                with pytest.raises(NotImplementedError):
                    ours.dup()
                number = ours.fileno()
                assert ours.detach() == number
                socket.socket(fileno=number).close()


@each_pair
def test_12_handshake_when_it_is_asked_for(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder)
    with socket_pair() as (one, other):
        theirs = made.server.wrap_socket(other, server_side=True, do_handshake_on_connect=False)
        ours = made.client.wrap_socket(one, server_hostname="localhost", do_handshake_on_connect=False)
        with ours, theirs:
            with pytest.raises(ValueError, match="handshake not done yet"):
                ours.getpeercert()
            answering = Peer(lambda: theirs.recv(1))  # a read that comes first shakes hands
            assert ours.send(b"x") == 1
            assert answering.wait() == b"x"


# 13. Sessions have tests/api/test_sessions.py.


@each_pair
@each_version
def test_13_session_that_is_given(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    first = Bios(made.client, made.server).handshake()
    session = first.client.session
    assert session is not None
    assert isinstance(session, ssl.SSLSession)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    second = Bios(made.client, made.server)
    second.to_server, second.to_client = to_server, to_client
    second.client = made.client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    second.server = made.server.wrap_bio(to_server, to_client, server_side=True)
    second.handshake()
    assert second.client.session_reused is True
    assert second.server.session_reused is True
    assert first.client.session_reused is False


# 14. sni_callback has tests/api/test_sni.py.


@each_pair
@each_version
def test_14_sni_callback_refuses_with_an_alert(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    seen: list[Any] = []

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int:
        seen.append((isinstance(sock, ssl.SSLObject), name, context is made.server))
        return ssl.ALERT_DESCRIPTION_ACCESS_DENIED

    made.server.sni_callback = choose
    client, _ = finish(Bios(made.client, made.server))
    assert client.reason == "TLSV1_ALERT_ACCESS_DENIED"  # type: ignore[union-attr]
    assert seen == [(True, "localhost", True)]


@each_library
def test_14_sni_callback_is_for_servers_and_callable(library: Any) -> None:
    with pytest.raises(ValueError, match="cannot be set on TLS_CLIENT context"):
        library.SSLContext(ssl.PROTOCOL_TLS_CLIENT).sni_callback = print
    server = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for setting in (lambda: setattr(server, "sni_callback", 5), lambda: server.set_servername_callback(5)):
        with pytest.raises(TypeError, match="not a callable object"):
            setting()


# 15. ALPN.


@each_pair
@each_version
@pytest.mark.parametrize(
    ("client", "server", "chosen"),
    [
        (["h2", "http/1.1"], ["http/1.1", "h2"], "http/1.1"),
        (["h2"], ["http/1.1"], None),
        ([], ["h2"], None),
        (["h2"], [], None),
    ],
)
def test_15_alpn(
    near: Any, far: Any, version: Any, client: list[str], server: list[str], chosen: str | None, folder: Path
) -> None:
    made = Contexts(near, far, folder, version)
    made.client.set_alpn_protocols(client)
    made.server.set_alpn_protocols(server)
    pair = Bios(made.client, made.server).handshake()
    assert pair.client.selected_alpn_protocol() == pair.server.selected_alpn_protocol() == chosen


# 16. getpeercert().


@each_pair
@each_version
def test_16_getpeercert(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version).with_client_certificate(ssl.CERT_REQUIRED)
    pair = Bios(made.client, made.server)
    for side in (pair.client, pair.server):
        with pytest.raises(ValueError, match="handshake not done yet"):
            side.getpeercert()
    pair.handshake()
    for side, name in ((pair.client, "server"), (pair.server, "client")):
        (folder / "one.pem").write_text(ssl.DER_cert_to_PEM_cert(side.getpeercert(True)))  # type: ignore[arg-type]
        assert side.getpeercert() == ssl._ssl._test_decode_cert(folder / "one.pem"), name  # type: ignore[attr-defined]


@each_pair
def test_16_getpeercert_of_whom_nobody_verified(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder)
    made.client.check_hostname = False
    made.client.verify_mode = ssl.CERT_NONE
    pair = Bios(made.client, made.server).handshake()
    assert pair.client.getpeercert() == {}
    assert pair.client.getpeercert(True) == certs.server_credential().der
    assert pair.server.getpeercert() is None


# 17. The rules between settings.


@each_library
def test_17_rules_between_check_hostname_and_verify_mode(library: Any) -> None:
    context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    with pytest.raises(ValueError, match="Cannot set verify_mode to CERT_NONE when check_hostname is enabled"):
        context.verify_mode = ssl.CERT_NONE
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.check_hostname = True
    assert context.verify_mode is ssl.CERT_REQUIRED
    server = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert (server.check_hostname, server.verify_mode) == (False, ssl.CERT_NONE)
    with socket_pair() as (one, _), pytest.raises(ValueError, match="check_hostname requires server_hostname"):
        context.wrap_socket(one)


def _named(names: tuple[str, ...], common_name: str) -> certs.Credential:
    return certs.test_root().issue(*names, common_name=common_name)


@each_pair
@pytest.mark.parametrize(
    ("names", "common_name", "host", "allowed", "accepted"),
    [
        ((), "localhost", "localhost", True, True),
        ((), "localhost", "localhost", False, False),
        ((), "*.host.example", "a.host.example", True, True),
        ((), "localhost", "other", True, False),
        ((), "127.0.0.1", "127.0.0.1", True, False),
        (("other.example",), "localhost", "localhost", True, False),
        (("127.0.0.1",), "localhost", "localhost", True, True),
    ],
)
def test_17_common_name_stands_for_a_host_where_there_is_no_other(
    near: Any,
    far: Any,
    names: tuple[str, ...],
    common_name: str,
    host: str,
    allowed: bool,
    accepted: bool,
    folder: Path,
) -> None:
    made = Contexts(near, far, folder)
    _named(names, common_name).write(folder, "named")
    made.server.load_cert_chain(folder / "named-chain.pem", folder / "named-key.pem")
    assert made.client.hostname_checks_common_name is True
    made.client.hostname_checks_common_name = allowed
    client, _ = finish(Bios(made.client, made.server, host))
    assert (client is None) is accepted
    if client is not None:
        assert client.verify_code in (62, 64)  # type: ignore[attr-defined]


# 18. Channel bindings, suites.


@each_pair
@each_version
def test_18_channel_bindings(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    pair = Bios(made.client, made.server)
    assert pair.client.get_channel_binding("tls-unique") is None
    pair.handshake()
    unique = pair.client.get_channel_binding("tls-unique")
    assert unique == pair.server.get_channel_binding("tls-unique")
    assert len(unique or b"") == (12 if version is TLS12 else 48)
    with pytest.raises(ValueError, match="channel binding type not implemented"):
        pair.client.get_channel_binding("unknown")


@each_pair
def test_18_tls_unique_of_a_resumed_connection(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, TLS13)
    first = Bios(made.client, made.server).handshake()
    again = Bios(made.client, made.server)
    again.client.session = first.client.session
    again.handshake()
    assert again.client.session_reused
    assert again.client.get_channel_binding() == again.server.get_channel_binding() is not None


def test_18_channel_bindings_of_a_socket_that_is_not_connected() -> None:
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with context.wrap_socket(socket.socket(), server_hostname="localhost") as unconnected:
        assert [unconnected.get_channel_binding(one) for one in fasttls.CHANNEL_BINDING_TYPES] == [None] * 3
        with pytest.raises(ValueError, match="not implemented"):
            unconnected.get_channel_binding("unknown")


@each_version
def test_18_channel_bindings_that_ssl_does_not_have(version: Any, folder: Path) -> None:
    made = Contexts(fasttls, fasttls, folder, version)
    pair = Bios(made.client, made.server).handshake()
    import hashlib

    wanted = hashlib.sha256(certs.server_credential().der).digest()  # RFC 5929 §4.1: signed with SHA-256
    for side in (pair.client, pair.server):
        assert side.get_channel_binding("tls-server-end-point") == wanted
        assert side.get_channel_binding("tls-exporter") == pair.client.get_channel_binding("tls-exporter")


@each_pair
@each_version
def test_18_ciphers(near: Any, far: Any, version: Any, folder: Path) -> None:
    made = Contexts(near, far, folder, version)
    pair = Bios(made.client, made.server)
    assert pair.client.cipher() is None
    assert pair.server.shared_ciphers() is None
    pair.handshake()
    name, spoken, bits = pair.client.cipher()  # type: ignore[misc]
    assert (spoken, bits) in {("TLSv1.2", 128), ("TLSv1.2", 256), ("TLSv1.3", 128), ("TLSv1.3", 256)}
    assert pair.server.cipher() == (name, spoken, bits)
    assert (name, spoken, bits) in pair.server.shared_ciphers()  # type: ignore[operator]
    assert pair.client.shared_ciphers() is None
    assert name in {suite["name"] for suite in made.server.get_ciphers()}
    assert pair.client.compression() is None


# 19. Paths, bytes and cadata.


@each_library
def test_19_forms_of_files(library: Any, folder: Path) -> None:
    for form in (str, os.fsencode, Path):
        context = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(form(folder / "server-chain.pem"), form(folder / "server-key.pem"))  # type: ignore[operator]
        context.load_verify_locations(cafile=form(folder / "ca.pem"))  # type: ignore[operator]
        context.load_verify_locations(capath=form(folder))  # type: ignore[operator]
        assert context.cert_store_stats()["x509_ca"] == 1
    pem = (folder / "ca.pem").read_text()
    for data in (pem, ssl.PEM_cert_to_DER_cert(pem), bytearray(ssl.PEM_cert_to_DER_cert(pem))):
        context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=data)
        assert len(context.get_ca_certs()) == 1


# 20. Everything else.


@each_pair
@each_version
def test_20_key_log(near: Any, far: Any, version: Any, folder: Path, tmp_path: Path) -> None:
    made = Contexts(near, far, folder, version)
    log = tmp_path / "keys"
    assert made.client.keylog_filename is None
    made.client.keylog_filename = str(log)
    assert made.client.keylog_filename == str(log)
    Bios(made.client, made.server).handshake()
    labels = {line.split()[0] for line in log.read_text().splitlines() if not line.startswith("#")}
    wanted = {"CLIENT_RANDOM"} if version is TLS12 else {"CLIENT_TRAFFIC_SECRET_0", "SERVER_HANDSHAKE_TRAFFIC_SECRET"}
    assert wanted <= labels


@each_library
@each_version
def test_20_one_thread_reads_while_another_writes(library: Any, version: Any, folder: Path) -> None:
    # The client is always of fasttls: that of `ssl` may hang here, in Python 3.13.0.
    made = Contexts(fasttls, library, folder, version)
    with connected(made.client, made.server) as (ours, theirs):
        reading = Peer(lambda: ours.recv(100))
        time.sleep(0.02)
        ours.sendall(b"a" * 100_000)
        got = 0
        while got < 100_000:
            got += len(theirs.recv(65536))
        theirs.sendall(b"answer")
        assert reading.wait() == b"answer"


@each_pair
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_20_resource_warning(near: Any, far: Any, folder: Path) -> None:
    made = Contexts(near, far, folder)
    with connected(made.client, made.server) as (ours, _):
        # A duplicate that nobody closes.
        forgotten = made.client.wrap_socket(
            socket.socket(fileno=os.dup(ours.fileno())), server_hostname="localhost", do_handshake_on_connect=False
        )
        holder = [forgotten]
        del forgotten
        with pytest.warns(ResourceWarning, match="unclosed"):
            holder.clear()


@pytest.mark.parametrize("change", ["plain", "sni_callback", "_msg_callback", "session"])
@each_pair
def test_20_freed_without_the_cycle_collector(near: Any, far: Any, change: str, folder: Path) -> None:
    made = Contexts(near, far, folder)
    if change == "sni_callback":
        made.server.sni_callback = lambda *_: None
    elif change == "_msg_callback":
        made.client._msg_callback = made.server._msg_callback = lambda *_: None
    gc.collect()
    gc.disable()
    try:
        pair = Bios(made.client, made.server).handshake()
        if change == "session":
            assert pair.client.session is not None
        gone = [weakref.ref(side) for side in (pair.client, pair.server)]
        engines = [
            weakref.ref(side._sslobj._connection)  # type: ignore[attr-defined]
            for side in (pair.client, pair.server)
            if hasattr(side._sslobj, "_connection")  # type: ignore[attr-defined]
        ]
        del pair
        assert [one() for one in (*gone, *engines)] == [None] * (2 + len(engines))
    finally:
        gc.enable()
