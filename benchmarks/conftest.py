"""The certificates that every benchmark uses."""

from __future__ import annotations

import pytest

from fasttls.diagnose.authority import DemoFiles, make_demo_files


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """Return a root, a chain of two and a key, as PEM files."""
    return make_demo_files(tmp_path_factory.mktemp("certificates"))
