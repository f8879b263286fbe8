"""How a program gets fasttls, and what became of it: a context that is passed, or `ssl` with fasttls injected."""

from __future__ import annotations

import gc
import importlib
import ssl
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fasttls
from fasttls.api import wrapping
from fasttls.api.engine import Engine

BODY = bytes(range(256)) * 4096
"""One MiB, which goes either way."""

TEXT = (b"fasttls" * 9 + b"\r\n") * (len(BODY) // 65 + 1)
"""A bit more than one MiB, in lines."""

SECONDS = 20.0
"""After which whatever hangs is a failure."""

HOST = "localhost"


@dataclass(frozen=True)
class Tls:
    """The certificates that a program is told of, as a context or as files."""

    folder: Path
    injected: bool
    """Whether the program says `import ssl` and names files: fasttls has to be injected by then."""

    @property
    def ca(self) -> str:
        """The file with the authority that both sides trust."""
        return str(self.folder / "ca.pem")

    @property
    def client_files(self) -> tuple[str, str]:
        """A client's certificate and key."""
        return str(self.folder / "client-chain.pem"), str(self.folder / "client-key.pem")

    @property
    def server_files(self) -> tuple[str, str]:
        """The certificate and key for localhost."""
        return str(self.folder / "server-chain.pem"), str(self.folder / "server-key.pem")

    @property
    def _library(self) -> Any:
        return ssl if self.injected else fasttls

    def client(self, *alpn: str) -> ssl.SSLContext:
        """Return a client's context, made as the library's users make it."""
        context: ssl.SSLContext = self._library.create_default_context(cafile=self.ca)
        context.load_cert_chain(*self.client_files)
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    def server(self, *alpn: str) -> ssl.SSLContext:
        """Return a server's context, which wants a certificate of its clients."""
        context: ssl.SSLContext = self._library.create_default_context(
            self._library.Purpose.CLIENT_AUTH, cafile=self.ca
        )
        context.load_cert_chain(*self.server_files)
        context.verify_mode = ssl.CERT_REQUIRED
        if alpn:
            context.set_alpn_protocols(alpn)
        return context


@dataclass(frozen=True)
class Peer:
    """Where a program is to connect to."""

    port: int
    host: str = HOST


@dataclass
class Outcome:
    """What a program did."""

    clients: int = 0
    """Handshakes that engines of fasttls completed as clients."""
    servers: int = 0
    errors: list[str] = field(default_factory=list)
    """The classes of the exception that ended it, with what is behind it."""
    text: str = ""
    missing: str = ""
    """The module that is not installed."""

    def check(self) -> None:
        """Raise AssertionError when the program failed."""
        assert not self.errors, self.text


class Engines:
    """Counts the handshakes that engines complete, whoever made these."""

    def __init__(self) -> None:
        self._made: list[Engine] = []

    @contextmanager
    def counting(self) -> Iterator[Engines]:
        """Count until the end of the block."""
        original = wrapping.Engine

        def counted(*args: Any, **kwargs: Any) -> Engine:
            engine = original(*args, **kwargs)
            self._made.append(engine)
            return engine

        wrapping.Engine = counted  # type: ignore[assignment, misc]
        try:
            yield self
        finally:
            wrapping.Engine = original  # type: ignore[misc]

    def completed(self, *, server_side: bool) -> int:
        """Return how many handshakes were completed on a side."""
        return sum(
            one.server_side == server_side and one.connection.negotiated is not None for one in tuple(self._made)
        )


def behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the exceptions that it carries."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += getattr(one, "exceptions", ())


def name_of(error: BaseException) -> str:
    """Return the class's name, with the module's."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def function_of(name: str) -> Callable[..., Any]:
    """Return a function of drop_in/programs by its name, MODULE:FUNCTION."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"drop_in.programs.{module}"), function)
    return found


def fail(outcome: Outcome, error: BaseException) -> None:
    """Keep an exception in an outcome."""
    outcome.errors = [name_of(one) for one in behind(error)]
    outcome.text = "".join(traceback.format_exception(error))
    if isinstance(error, ModuleNotFoundError):
        outcome.missing = error.name or str(error)


_LEAVING: set[Callable[..., Any]] = set()


def leaves_sockets(program: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a program whose library does not close its socket when a handshake fails, whatever `ssl` is."""
    _LEAVING.add(program)
    return program


def run(name: str, tls: Tls, *arguments: Any) -> Outcome:
    """Run a program to its end."""
    outcome = Outcome()
    program = function_of(name)
    with Engines().counting() as engines:
        try:
            program(tls, *arguments)
        except Exception as error:
            fail(outcome, error)
        outcome.clients = engines.completed(server_side=False)
        outcome.servers = engines.completed(server_side=True)
    if program in _LEAVING:
        del engines  # whose errors know the frames that know the socket
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
    return outcome


class Running:
    """A server program between its start and its end."""

    def __init__(self, name: str, tls: Tls) -> None:
        self.outcome = Outcome()
        self.port = 0
        self._engines = Engines()
        self._counting = self._engines.counting()
        self._counting.__enter__()
        try:
            self._server = function_of(name)(tls)
            self.port = self._server.__enter__()
        except Exception as error:
            self._counting.__exit__(None, None, None)
            fail(self.outcome, error)

    def stop(self) -> Outcome:
        """End it, and return what became of it."""
        if self.port:
            try:
                self._server.__exit__(None, None, None)
            except Exception as error:
                fail(self.outcome, error)
            self._counting.__exit__(None, None, None)
        self.outcome.clients = self._engines.completed(server_side=False)
        self.outcome.servers = self._engines.completed(server_side=True)
        return self.outcome


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.005)
