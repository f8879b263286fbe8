"""The libraries that are compared: how each makes a context, what it can be told, and what it cannot do."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from fasttls.api.context import SSLContext
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench import adapters

HYBRID = "X25519MLKEM768"
AES256, AES128 = "AES-256", "AES-128"
_SUITES12 = {
    AES256: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
    AES128: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
}
_SUITES13 = {AES256: "TLS_AES_256_GCM_SHA384", AES128: "TLS_AES_128_GCM_SHA256"}


class Setting(NamedTuple):
    """What both sides of a connection are told."""

    version: str = "TLSv1.3"
    group: str = "X25519"
    mutual: bool = False
    suite: str = AES256


class UnsupportedSetting(Exception):
    """A library cannot be told this, or cannot do it; the message says what."""


class Library(NamedTuple):
    """A library to compare with."""

    name: str
    package: str
    """The name it is installed by; empty for what comes with Python or is this project."""

    module: str
    context: Callable[[DemoFiles, Setting, bool], Any]
    """Return a server's context, or a client's, of a setting. Raises UnsupportedSetting."""

    suite13: str = AES256
    """The suite that two of its ends use in TLS 1.3, when it cannot be told."""

    verifies: bool = True
    resumes: bool = True
    own_bio: bool = False
    """Whether two of its ends talk through its own MemoryBIO at less cost than through `ssl`'s."""

    every: int = 1
    """It takes part in each so manieth round: a slow one would take all the time."""

    def missing(self) -> bool:
        """Whether it is not installed."""
        return importlib.util.find_spec(self.module.partition(".")[0]) is None

    def bio(self) -> Callable[[], Any]:
        """Return what makes a memory BIO for two of its ends."""
        made: Callable[[], Any] = importlib.import_module(self.module).MemoryBIO if self.own_bio else ssl.MemoryBIO
        return made

    def version(self) -> str:
        """Return what is measured, with its version, for a person."""
        match self.name:
            case "ssl":
                return ssl.OPENSSL_VERSION
            case "pyOpenSSL":
                backend = importlib.import_module("OpenSSL.SSL").OpenSSL_version(0).decode()
            case "rtls":
                backend = f"rustls {importlib.import_module('rtls._rustls').rustls_version()}"
            case "utls":
                backend = f"BoringSSL {importlib.import_module('utls._utls').BORINGSSL_VERSION}"
            case "fasttls":
                backend = f"cryptography {importlib.metadata.version('cryptography')}"
            case _:
                return importlib.metadata.version(self.package)
        return f"{importlib.metadata.version(self.package)} ({backend})"


def _only(context: Any, setting: Setting) -> Any:
    """Set the version of a context, and the suites of TLS 1.2."""
    context.minimum_version = context.maximum_version = ssl.TLSVersion[setting.version.replace(".", "_")]
    if setting.version == "TLSv1.2":
        context.set_ciphers(_SUITES12[setting.suite])
    return context


def _like_ssl(module: str, files: DemoFiles, setting: Setting, server: bool) -> Any:
    """Return a context of a library with the interface of `ssl`."""
    library = importlib.import_module(module)
    if server:
        context = library.SSLContext(library.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(files.chain), str(files.key))
        if setting.mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(str(files.root))
    else:
        if module in ("ssl", "fasttls"):
            context = library.create_default_context(cafile=str(files.root))
        else:
            context = library.SSLContext(library.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(str(files.root))
        if setting.mutual:
            context.load_cert_chain(str(files.chain), str(files.key))
    return _only(context, setting)


def _fasttls(files: DemoFiles, setting: Setting, server: bool) -> Any:
    context = _like_ssl("fasttls", files, setting, server)
    assert isinstance(context, SSLContext)
    context.set_ciphersuites(_SUITES13[setting.suite])
    # A P-256 certificate needs its curve in the list in TLS 1.2 (RFC 8422 section 5.1); so it does in utls.
    context.set_groups(f"*{setting.group}" + (":secp256r1" if setting.group != "secp256r1" else ""))
    return context


def _ssl(files: DemoFiles, setting: Setting, server: bool) -> Any:
    _no_suite_choice(setting, AES256)
    context = _like_ssl("ssl", files, setting, server)
    if setting.group == "secp256r1":
        context.set_ecdh_curve("prime256v1")
    elif setting.group != "X25519":  # X25519 is its own first choice
        raise UnsupportedSetting(f"ssl has no {setting.group}")
    return context


def _no_suite_choice(setting: Setting, suite: str) -> None:
    if setting.version == "TLSv1.3" and setting.suite != suite:
        raise UnsupportedSetting(f"uses {suite} in TLS 1.3 and cannot be told otherwise")


def _pyopenssl(files: DemoFiles, setting: Setting, server: bool) -> Any:
    own = HYBRID if setting.version == "TLSv1.3" else "X25519"
    if setting.group not in (own, "secp256r1"):
        raise UnsupportedSetting(f"pyOpenSSL uses {own} in {setting.version}, and can be told a NIST curve alone")
    suites = _SUITES13 if setting.version == "TLSv1.3" else _SUITES12
    curve = setting.group if setting.group == "secp256r1" else None
    return adapters.pyopenssl(
        files, setting.version, suites[setting.suite], curve, server=server, mutual=setting.mutual
    )


def _rtls(files: DemoFiles, setting: Setting, server: bool) -> Any:
    own = HYBRID if setting.version == "TLSv1.3" else "X25519"
    _no_suite_choice(setting, AES128)
    if setting.group != own and not (server and setting.group == "X25519"):
        raise UnsupportedSetting(f"rtls cannot be told a group: it uses {own} in {setting.version}")
    return _like_ssl("rtls", files, setting, server)


def _pyrtls(files: DemoFiles, setting: Setting, server: bool) -> Any:
    _no_suite_choice(setting, AES256)
    if setting.version != "TLSv1.3" or setting.group != "X25519" or setting.mutual:
        raise UnsupportedSetting("pyrtls cannot be told a version, a group, or a client's certificate")
    return adapters.pyrtls(files, server=server)


def _utls(files: DemoFiles, setting: Setting, server: bool) -> Any:
    _no_suite_choice(setting, AES128)
    context = _like_ssl("utls", files, setting, server)
    context.set_ecdh_curve("P-256" if setting.group == "secp256r1" else f"{setting.group}:P-256")
    return context


def _tlslite(files: DemoFiles, setting: Setting, server: bool) -> Any:
    if setting.group == HYBRID or setting.mutual:
        raise UnsupportedSetting("tlslite-ng is compared without ML-KEM and client certificates")
    if setting.suite != AES256:
        raise UnsupportedSetting("tlslite-ng is compared with AES-256 alone")
    return adapters.tlslite(files, setting.version, setting.group, server=server)


FASTTLS = Library("fasttls", "fasttls", "fasttls", _fasttls)
SSL = Library("ssl", "", "ssl", _ssl)
PEERS = (
    Library("pyOpenSSL", "pyOpenSSL", "OpenSSL.SSL", _pyopenssl),
    Library("rtls", "rtls", "rtls", _rtls, suite13=AES128, resumes=False),
    Library("pyrtls", "pyrtls", "pyrtls", _pyrtls, resumes=False),
    Library("utls", "utls", "utls", _utls, suite13=AES128, own_bio=True),
    Library("tlslite-ng", "tlslite-ng", "tlslite.api", _tlslite, verifies=False, resumes=False, every=20),
)
