"""Keys of certificates are on curves that could have been offered (RFC 8422 §5.3, §5.6)."""

from __future__ import annotations

from typing import Any

import certs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from harness import Pair, client_config, credential, expect, on_message, server_config

from fasttls.handshake.config import PeerCertificate
from fasttls.native._secret import Secret
from fasttls.sessions.psk import ExternalPsk
from fasttls.wire.alerts import IllegalParameter
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import ClientHello, ServerHello

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}
CURVES = (ec.SECP256K1, ec.SECP224R1, ec.BrainpoolP256R1)


@pytest.fixture(params=CURVES, ids=[curve.name for curve in CURVES])
def key_type(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a kind of key that is on no curve of TLS's."""
    curve = request.param
    monkeypatch.setitem(certs.KEY_TYPES, curve.name, lambda: ec.generate_private_key(curve()))
    return str(curve.name)


def without_groups(message: ClientHello) -> None:
    """Do not tell an honest server that its curve is not offered."""
    message.extensions.pop(ExtensionType.SUPPORTED_GROUPS)


def test_a_servers(key_type: str) -> None:
    server = server_config(**ONLY12, credentials=(credential(certs.server_credential(key_type)),))
    pair = Pair(client_config(**ONLY12), server, client_alters=on_message(ClientHello, without_groups))
    expect(pair, pair.client, IllegalParameter, pair.run, "WRONG_CURVE")


def test_a_clients(key_type: str) -> None:
    client = client_config(**ONLY12, credentials=(credential(certs.client_credential(key_type)),))
    pair = Pair(client, server_config(**ONLY12, peer_certificate=PeerCertificate.REQUIRED))
    expect(pair, pair.server, IllegalParameter, pair.run, "WRONG_CURVE", readable=False)


def test_a_pre_shared_key_is_not_selected_in_a_hello_of_tls_12() -> None:
    """RFC 8446 §4.2: pre_shared_key belongs in a ServerHello of TLS 1.3."""

    def select(message: Any) -> None:
        message.extensions[ExtensionType.PRE_SHARED_KEY] = 0

    client = client_config(external_psks=(ExternalPsk(b"x", Secret(bytes(16))),))
    pair = Pair(client, server_config(**ONLY12), server_alters=on_message(ServerHello, select))
    expect(pair, pair.client, IllegalParameter, pair.run)
