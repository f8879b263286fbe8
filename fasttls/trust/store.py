"""Trust stores: the certificates that a path may end at, and the revocation lists that go with them."""

from __future__ import annotations

import os
import ssl
from functools import cache

from fasttls.trust import files
from fasttls.trust.bundle import Bundle, Directory, read_bundle, synchronised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fasttls.trust.certificate import CanonicalName, Certificate
    from fasttls.trust.crl import Crl, CrlFile

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class TrustStore:
    """A set of trusted certificates, searched by subject; safe between threads and over a fork.

    What is in files is shared by all stores of the process, and parsed when it is first looked for.
    Directories are read when a path is not found without them, and looked at again when they change.
    """

    def __init__(self) -> None:
        self._own = Bundle()
        self._bundles: tuple[Bundle, ...] = ()
        self._directories: tuple[Directory, ...] = ()
        self._used: dict[Certificate, None] = {}  # of directories
        self._removed: frozenset[bytes] = frozenset()
        self._crls: tuple[Crl, ...] = ()
        self._crl_files: tuple[CrlFile, ...] = ()
        self._directories_used = False  # for revocation lists

    # Certificates.

    def add(self, der: bytes) -> None:
        """Trust one certificate. Raises ValueError when it is malformed."""
        from fasttls.trust.certificate import CERTIFICATES

        CERTIFICATES.parse(der)
        self.add_unchecked(der)

    def add_unchecked(self, der: bytes) -> None:
        """Trust one certificate that is parsed later; a malformed one then counts for nothing."""
        with synchronised():
            self._own.add(der)
            self._removed -= {der}

    def add_bundle(self, bundle: Bundle) -> None:
        """Trust what is in a file, and take its revocation lists."""
        with synchronised():
            if bundle not in self._bundles:
                self._bundles += (bundle,)
            if self._removed:
                self._removed -= bundle.known.keys()

    def add_directories(self, path: Path) -> None:
        """Trust what is in a directory, or in several with the platform's separator between, as OpenSSL does."""
        for part in os.fsdecode(path).split(os.pathsep):
            if part:
                self.add_source(directory_source(part))

    def add_source(self, directory: Directory) -> None:
        """Trust what is in a directory, when a path is not found without."""
        with synchronised():
            self._directories += (directory,)

    def discard(self, der: bytes) -> None:
        """Trust a certificate no longer, wherever it came from: from the next validation on."""
        with synchronised():
            self._removed |= {der}
            self._own.remove(der)

    @property
    def has_directories(self) -> bool:
        """Whether there is a directory to search."""
        return bool(self._directories)

    def find(self, subject: CanonicalName, *, everywhere: bool = False) -> list[Certificate]:
        """Return the trusted certificates with this subject; directories are searched when there is no other."""
        found = self._own.find(subject)
        for bundle in self._bundles:
            for one in bundle.find(subject):
                if one not in found:
                    found.append(one)
        if self._directories and (everywhere or not found):
            for directory in self._directories:
                more = [one for one in directory.bundle().find(subject) if one not in found]
                if more:
                    with synchronised():
                        self._used.update(dict.fromkeys(more))
                found += more
        if self._removed:
            found = [one for one in found if one.der not in self._removed]
        return found

    def __contains__(self, certificate: Certificate) -> bool:
        """Whether exactly this certificate is trusted."""
        der = certificate.der
        if der in self._removed:
            return False
        if der in self._own.known:
            return True
        for bundle in self._bundles:
            if der in bundle.known:
                return True
        return any(der in directory.bundle().known for directory in self._directories)

    def __iter__(self) -> Iterator[Certificate]:
        """Iterate over what is loaded, and what was used of the directories, as `get_ca_certs` shows it."""
        with synchronised():
            seen = dict.fromkeys(one for bundle in (self._own, *self._bundles) for one in bundle.certificates())
            seen.update(self._used)
        return iter([one for one in seen if one.der not in self._removed])

    def __len__(self) -> int:
        with synchronised():
            return len({der for bundle in (self._own, *self._bundles) for der in bundle.known} - self._removed)

    # Revocation lists.

    @property
    def loaded_crls(self) -> list[Crl]:
        """The revocation lists that are loaded, those of directories once they were needed."""
        return self.crls(everywhere=self._directories_used)

    def add_crl(self, der: bytes) -> None:
        """Take a certificate revocation list. Raises ValueError when it is malformed."""
        self.add_crls([der])

    def add_crls(self, ders: Iterable[bytes], *, replace: bool = False) -> None:
        """Take revocation lists, in place of those given before when asked. Raises ValueError, and takes none then."""
        from fasttls.trust.crl import Crl

        crls = [Crl(der) for der in ders]
        with synchronised():
            if replace:
                self._crls = ()
            self._crls = tuple(dict.fromkeys((*self._crls, *crls)))

    def replace_crls(self, ders: Iterable[bytes]) -> None:
        """Take these revocation lists in place of all that were given before, files aside. Raises ValueError."""
        self.add_crls(ders, replace=True)

    def add_crl_file(self, path: Path, *, replace: bool = False) -> None:
        """Take the revocation lists of a file, now and whenever it changes. Raises OSError and ValueError."""
        from fasttls.trust.crl import CrlFile

        file = CrlFile(path)
        with synchronised():
            if replace:
                self._crls = ()
            self._crl_files += (file,)

    def crls(self, *, everywhere: bool = True) -> list[Crl]:
        """Return the revocation lists as they are now, those of directories only when everywhere."""
        if everywhere:
            self._directories_used = True
        found = list(self._crls)
        for file in self._crl_files:
            found += file.crls()
        directories = (directory.bundle() for directory in self._directories) if everywhere else ()
        for bundle in (*self._bundles, *directories):
            found += bundle.crls
        return list(dict.fromkeys(found))


def read_file(path: Path) -> list[bytes]:
    """Return the certificates of a PEM file. Raises OSError, and ValueError when there is none."""
    from fasttls.trust.pem import pem_certificates

    found = pem_certificates(files.read(path))
    if not found:
        raise ValueError("no certificate was found")
    return found


def directory_source(path: Path) -> Directory:
    """Return a directory of OpenSSL's hashed names; what cannot be read there counts for nothing."""
    return Directory(path)


def add_default_paths(store: TrustStore) -> None:
    """Trust what the platform trusts: the file and directory of OpenSSL's defaults and environment.

    Where the platform has neither, and the environment names neither, the package certifi is asked, if it is
    installed: whoever names an authority that is not there is to trust nobody, and not everybody.
    """
    file_variable, file, folder_variable, folder = _default_names()
    found = False
    try:
        store.add_bundle(read_bundle(os.environ.get(file_variable, file)))
        found = True
    except OSError:
        pass  # a default that is not there leaves the store as it is
    folder = os.environ.get(folder_variable, folder)
    named = file_variable in os.environ or folder_variable in os.environ
    if found or named or any(map(files.is_directory, folder.split(os.pathsep))):
        store.add_directories(folder)
    else:
        _add_certifi(store)


@cache
def _default_names() -> tuple[str, str, str, str]:
    """Return where OpenSSL looks: the environment's name for a file and the default, the same for a directory."""
    paths = ssl.get_default_verify_paths()
    return paths.openssl_cafile_env, paths.openssl_cafile, paths.openssl_capath_env, paths.openssl_capath


def _add_certifi(store: TrustStore) -> None:
    try:
        from certifi import where
    except ImportError:
        return
    store.add_bundle(read_bundle(where()))
