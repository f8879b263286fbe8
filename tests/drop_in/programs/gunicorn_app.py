"""The application that gunicorn serves: it knows nothing of fasttls."""

from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the body and the class of the engine."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    engine = type(environ["gunicorn.socket"]._sslobj)
    headers = [("Content-Length", str(len(body))), ("X-Engine", f"{engine.__module__}.{engine.__qualname__}")]
    start_response("200 OK", headers)
    return [body]
