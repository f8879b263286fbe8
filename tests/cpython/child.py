"""Run one module of CPython's own tests, with `ssl` as it is or with fasttls in its place.

    python child.py test_poplib fasttls results.jsonl

Every test leaves a line, [name, outcome, why], as soon as it has ended, so that one that hangs is known.
"""

from __future__ import annotations

import faulthandler
import importlib
import inspect
import json
import re
import sys
import types
import unittest
from collections.abc import Iterator
from typing import Any, TextIO

_TOUCHES_TLS = re.compile("ssl|tls|https", re.IGNORECASE)

HANGS = 60.0  # seconds


def touches_tls(test: unittest.TestCase) -> bool:
    """Whether a test has to do with TLS: the name of its class, its own name or its source says so."""
    method = getattr(type(test), test._testMethodName, None)
    try:
        source = inspect.getsource(method) if method is not None else ""
    except (OSError, TypeError):
        source = ""
    return _TOUCHES_TLS.search(f"{type(test).__name__} {test._testMethodName} {source}") is not None


def every_test(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Return the tests of a suite, those of its suites among them."""
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from every_test(one)
        else:
            yield one


class Told(unittest.TestResult):
    """A result that writes what became of each test."""

    def __init__(self, file: TextIO) -> None:
        super().__init__()
        self._file = file
        self._outcome = ("passed", "")

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self._outcome = ("passed", "")
        self._write(test.id(), "hangs", "")
        faulthandler.dump_traceback_later(HANGS, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        self._write(test.id(), *self._outcome)

    def _write(self, name: str, outcome: str, why: str) -> None:
        self._file.write(json.dumps([name, outcome, why]) + "\n")
        self._file.flush()

    def _failed(self, test: Any, error: Any) -> None:
        why = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]
        self._outcome = ("failed", why)
        if not hasattr(test, "_testMethodName"):  # a class or a module that could not be set up
            self._write(str(test), "failed", why)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            self._failed(test, err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self._outcome = ("skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self._outcome = ("expected failure", "")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        self._outcome = ("unexpected success", "")


def main(module: str, library: str, results: str, *names: str) -> None:
    if library == "fasttls":
        import fasttls

        fasttls.inject_into_ssl()
    support: types.ModuleType = importlib.import_module("test.support")
    support.use_resources = ()  # type: ignore[attr-defined]  # as `python -m test` does: no network, nothing large
    loader = unittest.TestLoader()
    loaded = loader.loadTestsFromName(f"test.{module}")
    whole = module in ("test_ssl", "test_asyncio.test_ssl", "test_asyncio.test_sslproto")
    chosen = [one for one in every_test(loaded) if whole or touches_tls(one)]
    if names:
        chosen = [one for one in chosen if any(name in one.id() for name in names)]
    with open(results, "w", encoding="utf-8") as file:
        unittest.TestSuite(chosen).run(Told(file))


if __name__ == "__main__":
    main(*sys.argv[1:])
