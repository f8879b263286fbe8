"""What is copied field by field keeps every field."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from fasttls.events import Negotiated
from fasttls.native._secret import Secret
from fasttls.sessions.session import Session

SESSION = Session(
    version=0x0303,
    suite=0xC02B,
    secret=Secret(bytes(48)),
    created=1.5,
    lifetime=7,
    server_name="a.example",
    alpn=b"h2",
    peer_chain=(b"certificate",),
    peer_signature_algorithm=0x0403,
    extended_master_secret=True,
    ticket=b"ticket",
    session_id=b"id",
    age_add=5,
    max_early_data=6,
    verified=True,
)

NEGOTIATED = Negotiated(
    version=0x0303,
    suite=0xC02B,
    group=0x1D,
    retried=True,
    server_name="a.example",
    alpn=b"h2",
    client_random=b"client random",
    server_random=b"server random",
    legacy_session_id=b"id",
    client_suites=(1, 2),
    own_suites=(2, 3),
    peer_chain=(b"certificate",),
    verified_path=("certificate",),  # type: ignore[arg-type]  # only carried
    peer_signature_algorithm=0x0403,
    own_signature_algorithm=0x0804,
    client_certificate_requested=True,
    extended_master_secret=False,
    tls_unique=b"before",
    ocsp_response=b"response",
    peer_authorities=(b"name",),
    own_certificate=b"own",
    may_authenticate=True,
    session=SESSION,
    psk_identity=b"identity",
)


@pytest.mark.parametrize(
    ("copy", "expected", "changed"),
    [
        pytest.param(NEGOTIATED.with_tls_unique(b"after"), NEGOTIATED, {"tls_unique": b"after"}, id="Negotiated"),
        pytest.param(SESSION.with_ticket(b"other"), SESSION, {"ticket": b"other"}, id="Session"),
    ],
)
def test_a_copy_has_every_field(copy: Any, expected: Any, changed: dict[str, bytes]) -> None:
    changes = replace(expected, **changed)
    for field in fields(expected):
        value = getattr(expected, field.name)
        assert value not in (None, (), b"", 0) or field.name == "extended_master_secret", (
            "the value must not be a default"
        )
        assert getattr(copy, field.name) == getattr(changes, field.name)
