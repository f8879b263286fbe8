"""Imports run one way: native → wire → crypto → trust → handshake → exchange → connection → api → diagnose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fasttls"

# What may import what: each layer imports those before it. The vocabulary, code points and alert
# classes, imports nothing of fasttls and is everybody's.
VOCABULARY = ("wire.iana", "wire.alerts")
LAYERS = (
    ("native",),
    ("wire",),
    ("crypto",),
    ("trust",),
    ("sessions",),
    ("handshake", "events"),
    ("exchange",),
    ("connection",),
    ("api",),
    ("", "diagnose"),
    ("__main__",),
)
SOURCES = sorted(path for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyx", ".pxd"))


def module_of(path: Path) -> str:
    """Return a file's module name without the package's own."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def layer_of(module: str) -> int:
    """Return the number of a module's layer."""
    first = module.partition(".")[0]
    return next(number for number, names in enumerate(LAYERS) if first in names)


def imported(path: Path) -> Iterator[str]:
    """Yield the fasttls modules that a file imports, without the package's own name."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from re.findall(r"^\s*(?:from|cimport|import) fasttls\.([\w.]+)", text, re.MULTILINE)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "fasttls":
            module = node.module.partition(".")[2]
            for alias in node.names:
                below = f"{module}.{alias.name}".lstrip(".")
                is_module = any((PACKAGE / below.replace(".", "/")).with_suffix(s).exists() for s in (".py", ".pyx"))
                yield below if is_module else module
        elif isinstance(node, ast.Import):
            yield from (a.name.partition(".")[2] for a in node.names if a.name.split(".")[0] == "fasttls")


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_run_one_way(path: Path) -> None:
    module = module_of(path)
    for other in imported(path):
        if module in VOCABULARY:
            pytest.fail(f"{module} imports {other}, it may import nothing of fasttls")
        if other not in VOCABULARY:
            assert layer_of(other) <= layer_of(module), f"{module} imports {other}"


def test_every_layer_is_found() -> None:
    found = {layer_of(module_of(path)) for path in SOURCES}
    assert found == set(range(len(LAYERS)))


def test_the_core_depends_on_cryptography_alone() -> None:
    import sys

    allowed = {*sys.stdlib_module_names, "fasttls", "cryptography", "cython", "cpython", "libc"}
    extras = {"certifi", "redis"}  # imported where they are used, and done without
    for path in SOURCES:
        if path.suffix == ".py":
            tree = ast.parse(path.read_text())
            # What only a type checker imports is no dependency.
            for block in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
                if isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING":
                    block.body = []
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                else:
                    continue
                assert {name.partition(".")[0] for name in names} <= allowed | extras, f"{path.name} imports {names}"
