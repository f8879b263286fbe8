"""The documentation says what the code does: the state diagram, and the commands of the README."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fasttls.handshake.state import State

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def states() -> ModuleType:
    """Return docs/states.py as a module."""
    spec = importlib.util.spec_from_file_location("states", ROOT / "docs" / "states.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_state_diagram_is_up_to_date(states: ModuleType) -> None:
    assert (ROOT / "docs" / "states.md").read_text() == states.diagram(), "run python docs/states.py"


def test_every_state_class_is_in_the_diagram(states: ModuleType) -> None:
    drawn = {state for start in states.FIRST_STATES.values() for state in states.reachable(start)}
    every = set()
    waiting = [State]
    while waiting:
        below = waiting.pop().__subclasses__()
        # dataclass(slots=True) makes a class anew; the one that it replaced may still be about.
        named = {state for state in below if vars(sys.modules[state.__module__]).get(state.__name__) is state}
        every |= {state for state in named if state.handlers or state is states.FIRST_STATES["Client"]}
        waiting += below
    assert drawn == every


def test_every_handler_leads_to_a_state_that_its_annotation_names(states: ModuleType) -> None:
    for start in states.FIRST_STATES.values():
        for state in states.reachable(start):
            for handler in state.handlers.values():
                assert states.next_states(state, handler)


def test_readme_commands_are_targets_of_the_makefile() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    commands = set(re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert commands >= {"demo", "test", "bench", "lint", "sanitize"}
    assert commands <= set(targets[1].split())


def test_links_of_the_documentation_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
