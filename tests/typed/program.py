"""A program as its writer's type checker sees it: `make lint` checks it, nobody runs it."""

from __future__ import annotations

import socket
from typing import assert_type

import fasttls
import fasttls as ssl


def client(host: str) -> bytes | None:
    context = ssl.create_default_context()
    assert_type(context, fasttls.SSLContext)
    context.resumption = True
    context.ocsp_stapling = fasttls.OCSPStapling.IF_STAPLED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((host, 443)) as plain:
        connection = context.wrap_socket(plain, server_hostname=host)
        assert_type(connection, fasttls.SSLSocket)
        return connection.getpeercert(True)


def over_memory(context: fasttls.SSLContext) -> fasttls.SSLObject:
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


def server() -> fasttls.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.ticket_keys = fasttls.EpochTicketKeys(bytes(32))
    context.set_early_data(16384, fasttls.MemoryReplayGuard())
    context.verify_mode = ssl.CERT_REQUIRED
    return context
