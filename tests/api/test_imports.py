"""What `import fasttls` imports, and what it offers without more imports; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_that_takes_long() -> None:
    script = "import sys, fasttls; print([n for n in sys.modules if n.startswith(('cryptography', 'fasttls.'))])"
    assert _run(script).strip() == "[]"


def test_a_context_needs_no_certificates_to_be_read() -> None:
    script = "import sys, fasttls; fasttls.create_default_context(); print('cryptography.x509' in sys.modules)"
    assert _run(script).strip() == "False"


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
