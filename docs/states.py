"""Write docs/states.md: the diagram of the states, made from their handler tables.

    python docs/states.py           writes docs/states.md beside this file

A transition is a row of a state's `handlers`; where it leads is what the handler says it returns.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fasttls.handshake import client, connected13, post_auth13, server
from fasttls.handshake.state import Handler, State

FIRST_STATES: dict[str, type[State]] = {"Client": client.NotStarted, "Server": server.WaitClientHello}

HEAD = """# The states of a handshake

Made from the `handlers` tables by `python docs/states.py`; a test checks that it is up to date. An arrow is
a message that the state may receive: every other one is answered with unexpected_message. The names of
TLS 1.3's states are those of RFC 8446 Appendix A; a state is in the module that stands before its name. HelloRequest
and, on a server, a second ClientHello lead nowhere: renegotiation is refused.
"""


@cache
def source(module: str) -> ast.Module:
    """Return the source of a module: compiled, it keeps neither annotations nor the names that it imports."""
    path = Path(str(sys.modules[module].__file__)).parent / f"{module.rpartition('.')[2]}.py"
    return ast.parse(path.read_text())


def returns(handler: Handler) -> str:
    """Return what a handler says that it returns."""
    class_name, _, name = handler.__qualname__.rpartition(".")
    for cls in source(handler.__module__).body:
        for method in cls.body if isinstance(cls, ast.ClassDef) and cls.name == class_name else ():
            if isinstance(method, ast.FunctionDef) and method.name == name and method.returns is not None:
                return ast.unparse(method.returns)
    raise TypeError(f"{handler.__qualname__} does not say what it returns")


def named(module: str, name: str) -> object:
    """Return what a name stands for in a module, by its own definitions and its imports."""
    for node in source(module).body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if (alias.asname or alias.name) == name:
                found = sys.modules[str(node.module)]
                return getattr(found, alias.name, None) or sys.modules[f"{node.module}.{alias.name}"]
    return getattr(sys.modules[module], name)


def next_states(state: type[State], handler: Handler) -> list[type[State]]:
    """Return the states that a handler's return annotation names."""
    found = []
    for name in returns(handler).split("|"):
        first, *attributes = name.strip().split(".")
        value = state if first == "Self" else named(handler.__module__, first)
        for attribute in attributes:
            value = getattr(value, attribute)
        if not (isinstance(value, type) and issubclass(value, State)):
            raise TypeError(f"{handler.__qualname__} returns {name}, which is no state")
        found.append(value)
    return found


def transitions(state: type[State]) -> Iterator[tuple[str, type[State]]]:
    """Yield each message that a state may receive, and each state that it may lead to."""
    for message, handler in state.handlers.items():
        for following in next_states(state, handler):
            yield message.__name__, following


def reachable(start: type[State]) -> list[type[State]]:
    """Return the states that start leads to, itself first, in the order of the handshake."""
    found = [start]
    for state in found:
        found += [following for _, following in _arrows(state) if following not in found]
    return list(dict.fromkeys(found))


def _arrows(state: type[State]) -> Iterator[tuple[str, type[State]]]:
    if state is client.NotStarted:
        yield "start(), which sends ClientHello", client.WaitServerHello
    if state is connected13.ServerConnected:
        yield "request_certificate(), which sends CertificateRequest", post_auth13.WaitCertificate
    yield from transitions(state)


def _module(state: type[State]) -> str:
    return state.__module__.rpartition(".")[2]


def _name(state: type[State]) -> str:
    return f"{_module(state)}_{state.__name__}"


def diagram() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for side, start in FIRST_STATES.items():
        lines = [f"## {side}", "", "```mermaid", "stateDiagram-v2"]
        lines += [f'    state "{_module(state)}.{state.__name__}" as {_name(state)}' for state in reachable(start)]
        lines.append(f"    [*] --> {_name(start)}")
        for state in reachable(start):
            lines += [f"    {_name(state)} --> {_name(following)}: {label}" for label, following in _arrows(state)]
        parts.append("\n".join([*lines, "```"]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("states.md").write_text(diagram())
