"""Where the published test vectors are: the folder FASTTLS_TEST_DATA names, or `shared` beside the project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

VARIABLE = "FASTTLS_TEST_DATA"


def folder() -> Path:
    """Return the folder, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(__file__).parents[2] / "shared"


def require(name: str) -> Path:
    """Return the path of a file or folder of vectors.

    Skips the test or module when they are not there; fails it when a folder was named that does not have them.
    """
    path = folder() / name
    if path.exists():
        return path
    if os.environ.get(VARIABLE):
        pytest.fail(f"{VARIABLE} is {folder()}, which has no {name}")
    pytest.skip(f"no {name}: {VARIABLE} names the folder with the vectors", allow_module_level=True)


class Case(NamedTuple):
    """One Wycheproof test, and the group it is in."""

    group: dict[str, Any]
    test: dict[str, Any]

    def data(self, key: str) -> bytes:
        """Return a field of the test as bytes."""
        return bytes.fromhex(self.test[key])

    @property
    def valid(self) -> bool:
        """Whether an implementation must accept."""
        return self.test["result"] == "valid"

    @property
    def invalid(self) -> bool:
        """Whether an implementation must refuse."""
        return self.test["result"] == "invalid"


def wycheproof(name: str) -> Iterator[Case]:
    """Yield the cases of a Wycheproof file. Skips when it is not there."""
    found = json.loads(require(f"wycheproof/{name}").read_text())
    for group in found["testGroups"]:
        for test in group["tests"]:
            yield Case(group, test)
