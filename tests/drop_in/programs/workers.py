"""Servers with two workers that share their ticket keys by a file, and answer with their process's number.

    python -m drop_in.programs.workers uvicorn FOLDER

As a configuration of gunicorn it takes the folder from DROP_IN_FOLDER.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import fasttls

FOLDER = Path(os.environ.get("DROP_IN_FOLDER", "."))
PORT = "DROP_IN_PORT"

bind = "127.0.0.1:0"
workers = 2
certfile, keyfile = str(FOLDER / "server-chain.pem"), str(FOLDER / "server-key.pem")
graceful_timeout = 1


def ssl_context(config: object, default: object) -> ssl.SSLContext:
    """Return the context of a worker."""
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    context.ticket_keys = fasttls.FileTicketKeys(FOLDER / "ticket.key")
    return context


def when_ready(server: object) -> None:
    """Tell gunicorn's port."""
    (listener,) = server.LISTENERS  # type: ignore[attr-defined]
    (FOLDER / os.environ[PORT]).write_text(str(listener.sock.getsockname()[1]))


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer gunicorn's requests."""
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Connection", "close")])
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer uvicorn's requests."""
    if scope["type"] == "http":
        body = str(os.getpid()).encode()
        headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve with uvicorn."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (FOLDER / os.environ[PORT]).write_text(str(port))
    uvicorn.run(
        "drop_in.programs.workers:asgi", port=port, workers=2, ssl_context_factory=ssl_context, log_level="warning"
    )


if __name__ == "__main__":
    sys.exit(main())
