"""The compilers and emulators that the tests of src_c need, and where its sources are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src_c").glob("*.c"))
TIMEOUT_SECONDS = 120


def environment() -> dict[str, str]:
    """Return the environment for what is compiled here.

    Without a preloaded sanitizer: it is for the Python that runs the tests, and cannot live in an emulator.
    """
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def program(name: str) -> str:
    """Return a program's path. Skips without it, and fails in CI."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not here; tests/c/install_tools.sh installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
