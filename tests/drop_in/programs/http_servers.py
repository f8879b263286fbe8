"""Servers of HTTP: each answers a POST with its body. A program is a context manager that returns the port."""

from __future__ import annotations

import asyncio
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

from drop_in.way import BODY, SECONDS, Tls, until


def wsgi_echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the body (PEP 3333)."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi_echo(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
    """Answer with the body, over HTTP or a WebSocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        return
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def free_port() -> int:
    """Return a port for a server that cannot say which one it chose."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def in_thread(serve: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """Serve in a thread; raise what went wrong there."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            serve()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(SECONDS)
    if errors:
        raise errors[0]
    if thread.is_alive():
        raise TimeoutError("the server does not end")


@contextmanager
def in_loop(
    serving: Callable[[], AbstractAsyncContextManager[int]], run: Callable[..., Any] = asyncio.run
) -> Iterator[int]:
    """Serve in an event loop of a thread's own, and return the port."""
    ports: list[int] = []
    failed: list[BaseException] = []
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        try:
            async with serving() as port:
                ports.append(port)
                await stop.wait()
        except BaseException as error:
            failed.append(error)
            raise

    def end() -> None:
        if not failed:
            loop, stop = loops[0]
            loop.call_soon_threadsafe(stop.set)

    with in_thread(lambda: run(main()), end):
        until(lambda: ports or failed, "the server does not start")
        if ports:
            yield ports[0]
    if not ports:
        raise RuntimeError("the server did not start")


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _socketserver(server: socketserver.BaseServer) -> Iterator[int]:
    with in_thread(lambda: server.serve_forever(0.02), server.shutdown):
        yield server.server_address[1]  # type: ignore[misc]
    server.server_close()


def http_server(tls: Tls) -> Any:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign, assignment]
    server.socket = tls.server().wrap_socket(server.socket, server_side=True)
    return _socketserver(server)


def wsgiref(tls: Tls) -> Any:
    from wsgiref import simple_server

    class Handler(simple_server.WSGIRequestHandler):
        timeout = SECONDS

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = simple_server.make_server("127.0.0.1", 0, wsgi_echo, handler_class=Handler)  # type: ignore[arg-type]
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign, assignment]
    server.socket = tls.server().wrap_socket(server.socket, server_side=True)
    return _socketserver(server)


@contextmanager
def cheroot(tls: Tls) -> Iterator[int]:
    from cheroot import wsgi
    from cheroot.ssl.builtin import BuiltinSSLAdapter

    server = wsgi.Server(("127.0.0.1", 0), wsgi_echo, numthreads=2, shutdown_timeout=1)
    server.error_log = lambda *args, **kwargs: None
    adapter = BuiltinSSLAdapter(*tls.server_files, tls.ca)
    if tls.injected:
        adapter.context.verify_mode = ssl.CERT_REQUIRED
    else:
        adapter.context = tls.server()
    server.ssl_adapter = adapter
    server.prepare()
    with in_thread(server.serve, server.stop):
        yield server.bind_addr[1]


def aiohttp(tls: Tls) -> Any:
    from contextlib import asynccontextmanager

    from aiohttp import web

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    @asynccontextmanager
    async def serving() -> Any:
        application = web.Application(client_max_size=2 * len(BODY))
        application.router.add_post("/echo", echo)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server())
        await site.start()
        try:
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    return in_loop(serving)


@contextmanager
def _uvicorn(tls: Tls, loop: str) -> Iterator[int]:
    import uvicorn

    settings: dict[str, Any] = {"ssl_context_factory": lambda config, default: tls.server()}
    if tls.injected:
        certificate, key = tls.server_files
        settings = {
            "ssl_certfile": certificate,
            "ssl_keyfile": key,
            "ssl_ca_certs": tls.ca,
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        }
    config = uvicorn.Config(
        asgi_echo, "127.0.0.1", 0, loop=loop, log_config=None, timeout_graceful_shutdown=1, **settings
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    with in_thread(server.run, stop):
        until(lambda: server.started or server.should_exit, "uvicorn does not start")
        yield server.servers[0].sockets[0].getsockname()[1]


def uvicorn(tls: Tls) -> Any:
    return _uvicorn(tls, "asyncio")


def uvicorn_uvloop(tls: Tls) -> Any:
    import uvloop  # noqa: F401  # uvicorn says nothing good when it is missing

    return _uvicorn(tls, "uvloop")


def _hypercorn_config(tls: Tls, port: int) -> Any:
    from hypercorn.config import Config

    class Passing(Config):
        ssl_enabled = True  # type: ignore[assignment]

        def create_ssl_context(self) -> Any:
            return tls.server("h2", "http/1.1")

    config = Config() if tls.injected else Passing()
    if tls.injected:
        config.certfile, config.keyfile = tls.server_files
        config.ca_certs = tls.ca
        config.verify_mode = ssl.CERT_REQUIRED
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 0.2
    config.shutdown_timeout = 1
    config.accesslog = config.errorlog = None
    return config


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def hypercorn_asyncio(tls: Tls) -> Any:
    from contextlib import asynccontextmanager

    from hypercorn.asyncio import serve

    @asynccontextmanager
    async def serving() -> Any:
        port = free_port()
        stop = asyncio.Event()
        task = asyncio.create_task(serve(asgi_echo, _hypercorn_config(tls, port), shutdown_trigger=stop.wait))
        while not _listens(port):
            assert not task.done(), task.exception()
            await asyncio.sleep(0.005)
        try:
            yield port
        finally:
            stop.set()
            await task

    return in_loop(serving)


@contextmanager
def hypercorn_trio(tls: Tls) -> Iterator[int]:
    import trio
    from hypercorn.trio import serve

    port = free_port()
    stop = threading.Event()

    async def stopped() -> None:
        while not stop.is_set():
            await trio.sleep(0.02)

    async def main() -> None:
        await serve(asgi_echo, _hypercorn_config(tls, port), shutdown_trigger=stopped)

    with in_thread(lambda: trio.run(main), stop.set):
        until(lambda: _listens(port), "hypercorn does not start")
        yield port


def tornado(tls: Tls) -> Any:
    from contextlib import asynccontextmanager

    from tornado import httpserver, netutil, web

    class Echo(web.RequestHandler):
        def post(self) -> None:
            self.write(self.request.body)

    settings: Any = tls.server()
    if tls.injected:
        certificate, key = tls.server_files
        settings = {"certfile": certificate, "keyfile": key, "ca_certs": tls.ca, "cert_reqs": ssl.CERT_REQUIRED}

    @asynccontextmanager
    async def serving() -> Any:
        application = web.Application([("/echo", Echo)], log_function=lambda handler: None)
        server = httpserver.HTTPServer(application, ssl_options=settings)
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        try:
            yield sockets[0].getsockname()[1]
        finally:
            server.stop()
            await server.close_all_connections()

    return in_loop(serving)
