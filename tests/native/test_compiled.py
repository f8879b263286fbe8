"""Modules that are written in Python and compiled: they are, and their source does the same without."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fasttls

PACKAGE = Path(fasttls.__file__).parent
DECLARED = sorted(path for path in PACKAGE.rglob("*.pxd") if path.with_suffix(".py").exists())
PURE = bool(os.environ.get("FASTTLS_SANITIZED"))  # where they are tested as they stand


def module_of(path: Path) -> str:
    return ".".join(["fasttls", *path.relative_to(PACKAGE).with_suffix("").parts])


def test_there_are_some() -> None:
    assert PACKAGE / "connection.pxd" in DECLARED


@pytest.mark.parametrize("path", DECLARED, ids=module_of)
def test_a_module_with_declarations_is_compiled(path: Path) -> None:
    if PURE:
        pytest.skip("this run tests the source as it stands")
    module = importlib.import_module(module_of(path))
    assert not str(module.__file__).endswith(".py"), "the build left it out, or another file hides it"


HANDSHAKE = """
import ssl, sys, tempfile, pathlib
from importlib.machinery import FileFinder, SourceFileLoader

def finder(path):
    if "fasttls" in path and not path.endswith("native"):
        return FileFinder(path, (SourceFileLoader, [".py"]))
    raise ImportError

sys.path_hooks.insert(0, finder)
sys.path_importer_cache.clear()
import fasttls
import fasttls.connection
from fasttls.diagnose.authority import make_demo_files
from fasttls.diagnose.measure import handshake
assert fasttls.connection.__file__.endswith(".py")
with tempfile.TemporaryDirectory() as folder:
    files = make_demo_files(pathlib.Path(folder))
    client = fasttls.create_default_context(cafile=files.root)
    server = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    for version in ("TLSv1.3", "TLSv1.2"):
        only = ssl.TLSVersion[version.replace(".", "_")]
        client.maximum_version = only
        one, other = handshake(client, server, "localhost")
        assert one.version() == version
        one.write(b"hello")
        assert other.read() == b"hello"
print("done")
"""


def test_the_source_does_the_same_without_being_compiled() -> None:
    ran = subprocess.run([sys.executable, "-c", HANDSHAKE], capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout == "done\n", ran.stderr
