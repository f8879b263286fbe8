"""What `import fasttls` imports, and what it offers without more imports; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fasttls.diagnose.authority import make_demo_files


def _run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_that_takes_long() -> None:
    script = "import sys, fasttls; print([n for n in sys.modules if n.startswith(('cryptography', 'fasttls.'))])"
    assert _run(script).strip() == "[]"


def test_a_context_imports_nothing_that_takes_long() -> None:
    script = """
import sys, ssl
before = set(sys.modules)
import fasttls
fasttls.create_default_context()
new = set(sys.modules) - before
print(sorted(n for n in new if n.startswith(("cryptography", "fasttls.handshake", "fasttls.native"))))
print(sorted(new & {"dataclasses", "datetime", "hashlib", "inspect", "traceback"}))
"""
    assert _run(script).split() == ["[]", "[]"]


def test_a_handshake_reads_no_certificate_by_cryptography(tmp_path: Path) -> None:
    files = make_demo_files(tmp_path)
    script = f"""
import sys
import fasttls
from fasttls.diagnose.measure import handshake
context = fasttls.create_default_context(cafile={str(files.root)!r})
serving = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
serving.load_cert_chain({str(files.chain)!r}, {str(files.key)!r})
client, _ = handshake(context, serving, "localhost")
assert client.getpeercert()["subject"]
print("cryptography.x509" in sys.modules)
"""
    assert _run(script).strip() == "False"


def test_a_client_imports_no_server() -> None:
    script = """
import sys
import fasttls
context = fasttls.create_default_context()
client = context.wrap_bio(fasttls.MemoryBIO(), fasttls.MemoryBIO(), server_hostname="localhost")
try:
    client.do_handshake()
except fasttls.SSLWantReadError:
    print(sorted(n for n in sys.modules if n.startswith("fasttls.handshake.server")))
"""
    assert _run(script).strip() == "[]"


@pytest.mark.parametrize(
    "name",
    [
        "trust.verify_chain",
        "connection.Connection",
        "events.Negotiated",
        "handshake.config.Config",
        "sessions.keys.MemoryTicketKeys",
        "wire.alerts.TLSError",
        "crypto.suites.SUITES",
        "native._secret.Secret",
        "api.engine.Engine",
    ],
)
def test_the_parts_are_there_when_they_are_asked_for(name: str) -> None:
    assert _run(f"import fasttls; assert fasttls.{name}; print('there')").strip() == "there"


def test_what_is_not_there_is_an_attribute_error() -> None:
    script = (
        "import fasttls; assert not hasattr(fasttls, 'nothing'); assert {'SSLContext', 'trust'} <= set(dir(fasttls))"
    )
    assert _run(script + "; print('right')").strip() == "right"
