"""The server until the version is known (RFC 8446 Appendix A.2: START).

The ClientHello is checked here as far as every version needs; the handlers end in the fork to the
version's own states.
"""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.handshake import server12, server12_resumed, server13
from fasttls.handshake.config import ClientHelloInfo, Config
from fasttls.handshake.flight import Flight
from fasttls.handshake.hello import Asked, version_label, version_range
from fasttls.handshake.state import State, readers_of
from fasttls.wire.alerts import (
    IllegalParameter,
    InappropriateFallback,
    ProtocolVersionAlert,
    UnrecognizedName,
)
from fasttls.wire.iana import CipherSuite, ExtensionType, ProtocolVersion
from fasttls.wire.messages import ClientHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_TLS_FALLBACK_SCSV = CipherSuite.TLS_FALLBACK_SCSV
_ALPN = ExtensionType.ALPN
_SERVER_NAME = ExtensionType.SERVER_NAME
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SUPPORTED_GROUPS = ExtensionType.SUPPORTED_GROUPS
_SUPPORTED_VERSIONS = ExtensionType.SUPPORTED_VERSIONS
_SSL3 = ProtocolVersion.SSL3
_TLS1_2 = ProtocolVersion.TLS1_2

_SPOKEN = (ProtocolVersion.TLS1_3, ProtocolVersion.TLS1_2)


def start(config: Config) -> State:
    """Return the state of a server that was just connected to."""
    return WaitClientHello(config)


def server_name(hello: ClientHello) -> str | None:
    """Return the host name that the client wants, or None. Raises UnrecognizedName for one that is no name."""
    name: bytes | None = hello.extensions.get(_SERVER_NAME)
    if name is None:
        return None
    try:
        text = name.decode("ascii")
    except UnicodeDecodeError as exc:
        raise UnrecognizedName("the server name is not ASCII") from exc
    if len(text) > 255 or not text.isprintable():
        raise UnrecognizedName("the server name is no host name")
    return text


def _versions(hello: ClientHello) -> tuple[int, ...]:
    """Return the versions that the client speaks, as far as it says (RFC 8446 §4.2.1)."""
    offered: tuple[int, ...] | None = hello.extensions.get(_SUPPORTED_VERSIONS)
    # Without the extension it is TLS 1.2 or earlier, whatever legacy_version claims.
    return (min(hello.legacy_version, _TLS1_2),) if offered is None else offered


def choose_version(config: Config, hello: ClientHello) -> int:
    """Return the version to speak, the highest that both know. Raises ProtocolVersionAlert."""
    if hello.legacy_version <= _SSL3:
        # RFC 8446 Appendix D.5.
        raise ProtocolVersionAlert(
            f"the client speaks {version_label(hello.legacy_version)}, we speak {version_range(config)}"
        )
    offered = _versions(hello)
    ours = [version for version in _SPOKEN if config.minimum_version <= version <= config.maximum_version]
    common = [version for version in ours if version in offered]
    if not common:
        names = ", ".join([version_label(known) for known in offered if known in list(ProtocolVersion)])
        raise ProtocolVersionAlert(f"the client speaks {names or 'no known version'}, we speak {version_range(config)}")
    version = common[0]
    if version < config.maximum_version and _TLS_FALLBACK_SCSV in hello.cipher_suites:
        # RFC 7507 §3: the client would not have fallen back, had nobody interfered.
        raise InappropriateFallback(f"the client fell back to {version_label(version)}")
    return version


def hello_info(hello: ClientHello) -> ClientHelloInfo:
    """Return what a server's callback is shown of a ClientHello."""
    extensions = hello.extensions
    return ClientHelloInfo(
        server_name(hello),
        extensions.get(_ALPN, ()),
        hello.cipher_suites,
        extensions.get(_SUPPORTED_GROUPS, ()),
        extensions.get(_SIGNATURE_ALGORITHMS, ()),
        _versions(hello),
    )


@dataclass(frozen=True)
class WaitClientHello(State):
    """Server START: the first ClientHello."""

    config: Config

    ignores_change_cipher_spec = False

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return self.config.speaks12

    def on_client_hello(
        self, hello: ClientHello, flight: Flight
    ) -> (
        server13.WaitSecondClientHello
        | server13.WaitEndOfEarlyData
        | server13.WaitCertificate
        | server13.WaitFinished
        | server12.WaitCertificate
        | server12.WaitClientKeyExchange
        | server12.WaitPskKeyExchange
        | server12_resumed.WaitChangeCipherSpec
    ):
        """Choose the configuration and the version, and answer."""
        config = self.config
        name = server_name(hello)
        named = False
        if config.select_config is not None:
            chosen = config.select_config(hello_info(hello))
            if chosen is not None:
                config = chosen
                flight.select_config(config)
            named = name is not None
        asked = Asked(name, named)
        if choose_version(config, hello) == _TLS1_2:
            if 0 not in hello.legacy_compression_methods:
                # RFC 5246 §7.4.1.2: the null method must be among them.
                raise IllegalParameter("the client insists on compression", reason="INVALID_COMPRESSION_ALGORITHM")
            return server12.answer(config, hello, flight, asked)
        if hello.legacy_compression_methods != b"\0":
            # RFC 8446 §4.1.2: exactly the null method.
            raise IllegalParameter("the client offers compression", reason="INVALID_COMPRESSION_ALGORITHM")
        return server13.answer(config, hello, flight, asked)

    handlers = {ClientHello: on_client_hello}
    readers = readers_of(handlers)
