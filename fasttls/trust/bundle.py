"""Certificates of one source, indexed by subject; those of files and directories are shared by the whole process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict

from fasttls.trust import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from fasttls.trust.certificate import CanonicalName, Certificate
    from fasttls.trust.crl import Crl

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_LOCK = threading.RLock()


def synchronised() -> AbstractContextManager[object]:
    """Return the one lock under which stores change. A child process begins with it free, and nothing half done."""
    return _LOCK


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


class Bundle:
    """Certificates and revocation lists of one source; PEM is decoded, and what is in it parsed, when it is needed."""

    __slots__ = ("_by_subject", "_crls", "_fault", "_known", "_pem", "_waiting")

    def __init__(self, pem: Iterable[bytes] = ()) -> None:
        """Take the contents of PEM files."""
        self._pem = list(pem)
        self._known: dict[bytes, None] = {}
        self._crls: list[Crl] = []
        self._waiting: list[bytes] = []
        self._by_subject: dict[CanonicalName, list[Certificate]] = {}
        self._fault: ValueError | None = None

    def add(self, der: bytes) -> None:
        """Add a certificate; the caller is synchronised."""
        if der not in self._known:
            self._known[der] = None
            self._waiting.append(der)

    def remove(self, der: bytes) -> None:
        """Remove a certificate; the caller is synchronised."""
        if der in self._known:
            self._known = {known: None for known in self._known if known != der}
            self._waiting = [waiting for waiting in self._waiting if waiting != der]
            self._by_subject = {
                subject: [one for one in found if one.der != der] for subject, found in self._by_subject.items()
            }

    def _decode(self) -> None:
        from fasttls.trust.pem import pem_certificates_and_crls

        with synchronised():
            for pem in self._pem:
                try:
                    certificates, crls = pem_certificates_and_crls(pem)
                    if crls:
                        from fasttls.trust.crl import Crl

                        self._crls += map(Crl, crls)
                except ValueError as exc:
                    self._fault = exc  # it counts for nothing, which can only make less be trusted
                    continue
                for der in certificates:
                    self.add(der)
            self._pem = []

    def _index(self) -> None:
        if self._pem:
            self._decode()
        from fasttls.trust.certificate import Certificate

        with synchronised():
            for der in self._waiting:
                try:
                    certificate = Certificate(der)
                    self._by_subject.setdefault(certificate.subject, []).append(certificate)
                except ValueError as exc:
                    self._fault = exc  # as above
            self._waiting = []

    @property
    def known(self) -> dict[bytes, None]:
        """The certificates, DER, whether they can be parsed or not."""
        if self._pem:
            self._decode()
        return self._known

    @property
    def crls(self) -> list[Crl]:
        """The revocation lists that stood beside the certificates."""
        if self._pem:
            self._decode()
        return self._crls

    def check(self) -> None:
        """Raise ValueError when something in it is malformed, or when there is nothing in it."""
        self._index()
        if self._fault is not None:
            raise ValueError(str(self._fault)) from self._fault
        if not self._known and not self._crls:
            raise ValueError("no certificate was found")

    def find(self, subject: CanonicalName) -> list[Certificate]:
        """Return the certificates with this subject."""
        if self._waiting or self._pem:
            self._index()
        return list(self._by_subject.get(subject, ()))

    def certificates(self) -> list[Certificate]:
        """Return all that can be parsed."""
        if self._waiting or self._pem:
            self._index()
        with synchronised():
            return [one for found in self._by_subject.values() for one in found]


_KEPT: OrderedDict[tuple[object, ...], Bundle] = OrderedDict()
_MOST_KEPT = 64


def _interned(path: Path, read: Callable[[], Bundle], more: tuple[object, ...] = ()) -> Bundle:
    """Return the bundle of a file or directory as it is now: the same one while its size and times are the same."""
    status = files.stat(path)
    key = (
        os.fsdecode(path),
        status.st_dev,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        more,
    )
    with synchronised():
        found = _KEPT.get(key)
        if found is not None:
            _KEPT.move_to_end(key)
            return found
    found = read()
    with synchronised():
        _KEPT[key] = found
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return found


def read_bundle(path: Path) -> Bundle:
    """Return the certificates and revocation lists of a PEM file, which is read now. Raises OSError."""

    def read() -> Bundle:
        return Bundle([files.read(path)])

    return _interned(path, read)


class Directory:
    """A directory of OpenSSL's hashed names, read when it is needed and again when files come or go.

    A file that is written over counts for whoever names the directory after that.
    """

    __slots__ = ("_files", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: tuple[object, ...] | None = None

    def bundle(self) -> Bundle:
        """Return what is there now; what cannot be read counts for nothing."""
        try:
            if self._files is None:
                self._files = self._state()
            return _interned(self.path, self._read, self._files)
        except OSError:
            return Bundle()

    def _state(self) -> tuple[object, ...]:
        found = []
        folder = os.fsdecode(self.path)
        for name in _hashed_names(folder):
            try:
                status = files.stat(os.path.join(folder, name))
            except OSError:
                continue
            found.append((name, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _read(self) -> Bundle:
        found: list[bytes] = []
        folder = os.fsdecode(self.path)
        if not files.is_directory(folder):
            return Bundle()
        for name in _hashed_names(folder):
            try:
                found.append(files.read(os.path.join(folder, name)))
            except OSError:
                continue
        return Bundle(found)


def _hashed_names(folder: str) -> list[str]:
    """Return the files of a directory that have the names OpenSSL looks for. Raises OSError."""
    import re

    hashed = re.compile(r"[0-9a-f]{8}\.r?[0-9]+")
    return sorted(filter(hashed.fullmatch, files.listdir(folder)))
