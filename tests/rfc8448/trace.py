"""RFC 8448's traces as data: the steps of each section, with every byte string by its label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from vectors import require

SIMPLE, RESUMED, RETRY, CLIENT_AUTHENTICATION, COMPATIBILITY = 3, 4, 5, 6, 7
SECTIONS = (SIMPLE, RESUMED, RETRY, CLIENT_AUTHENTICATION, COMPATIBILITY)

_PAGE_BREAK = re.compile(r"\n+Thomson +Informational +\[Page \d+\]\n\f?\n?RFC 8448 .*\n+")
_STEP = re.compile(r"^   \{(client|server)\}  ", re.MULTILINE)
_VALUE = re.compile(r"^      (\S[^\n]*?)\s+\((\d+)\s+octets\):((?:\s+[0-9a-f]{2}(?![0-9A-Za-z]))*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One step of one side: what it does, and the byte strings in it."""

    side: str
    title: str
    values: dict[str, bytes] = field(default_factory=dict)

    def __getitem__(self, label: str) -> bytes:
        return self.values[label]


@cache
def steps(section: int) -> tuple[Step, ...]:
    """Return the steps of a section, in order. Skips when the RFC is not there."""
    text = _PAGE_BREAK.sub("\n", require("rfc/rfc8448.txt").read_text())
    start = re.search(rf"^{section}\.  ", text, re.MULTILINE)
    end = re.search(rf"^{section + 1}\.  ", text, re.MULTILINE)
    assert start is not None
    assert end is not None
    body = text[start.start() : end.start()]
    marks = list(_STEP.finditer(body))
    bounds = [*(mark.start() for mark in marks[1:]), len(body)]
    return tuple(_step(mark, body[mark.end() : bound]) for mark, bound in zip(marks, bounds, strict=True))


def _step(mark: re.Match[str], text: str) -> Step:
    title, _, _ = re.sub(r"\s+", " ", text.split("\n\n", 1)[0]).partition(":")
    values = {}
    for label, size, digits in _VALUE.findall(text):
        value = bytes.fromhex("".join(digits.split()))
        assert len(value) == int(size), f"{title}: {label} has {len(value)} bytes, the RFC says {size}"
        values[label] = value
    return Step(mark[1], title.strip(), values)


def find(section: int, side: str, title: str, nth: int = 0) -> Step:
    """Return the nth step of a side whose title begins with title."""
    found = [step for step in steps(section) if step.side == side and step.title.startswith(title)]
    return found[nth]


def messages(section: int, side: str) -> list[bytes]:
    """Return the handshake messages that a side constructs, in order.

    The ClientHello with a pre-shared key is first shown without its binders; it is whole in its record.
    """
    constructed = [
        value
        for step in steps(section)
        if step.side == side and step.title.startswith("construct a")
        for value in step.values.values()
    ]
    payloads = [step["payload"] for step in records(section, side)]
    return [
        raw if len(raw) == 4 + int.from_bytes(raw[1:4], "big") else next(p for p in payloads if p.startswith(raw))
        for raw in constructed
    ]


def records(section: int, side: str, kind: str = "") -> list[Step]:
    """Return the records that a side sends, in order; kind is the content type as the RFC names it."""
    wanted = re.compile(rf"send (a )?{kind or '.*'}( .*)?record")
    return [step for step in steps(section) if step.side == side and wanted.match(step.title)]


def secret(section: int, label: str) -> Step:
    """Return the step that derives a secret of the schedule, with its digest and what it expands to."""
    return next(step for step in steps(section) if step.title == f'derive secret "tls13 {label}"' and step.values)


def private_key(section: int, side: str, nth: int = 0) -> bytes:
    """Return the nth ephemeral private key of a side."""
    return find(section, side, "create an ephemeral", nth)["private key"]
