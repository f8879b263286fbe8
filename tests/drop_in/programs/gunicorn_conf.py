"""The configuration of gunicorn: files and an injected fasttls, or a context that is passed."""

import os
import ssl
from pathlib import Path

from drop_in.way import Tls

import fasttls

_folder = Path(os.environ["DROP_IN_FOLDER"])
_injected = os.environ["DROP_IN_WAY"] == "injected"
_tls = Tls(_folder, _injected)

if _injected:
    fasttls.inject_into_ssl()
else:

    def ssl_context(config: object, default: object) -> ssl.SSLContext:
        """Return the context that gunicorn is to use."""
        return _tls.server()


bind = "127.0.0.1:0"
workers = 1
certfile, keyfile = _tls.server_files
ca_certs = _tls.ca
cert_reqs = ssl.CERT_REQUIRED
graceful_timeout = 1


def when_ready(server: object) -> None:
    """Tell the port."""
    (listener,) = server.LISTENERS  # type: ignore[attr-defined]
    (_folder / os.environ["DROP_IN_PORT"]).write_text(str(listener.sock.getsockname()[1]))
