"""CPU time of full handshakes, both sides in this process, over memory: fasttls and ssl alike."""

from __future__ import annotations

import ssl
import time

from fasttls import trust


def handshake(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, name: str
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Shake hands, and return the client's and the server's end. Raises ssl.SSLError when it fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    return client, server


def cpu_seconds(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, name: str, times: int, *, cold: bool = False
) -> float:
    """Return the CPU seconds of the fastest of so many handshakes, both sides together.

    cold says that fasttls forgets before each what it remembers of certificates.
    """
    best = float("inf")
    for _ in range(times):
        if cold:
            trust.CERTIFICATES.clear()
            trust.SIGNATURES.clear()
        start = time.process_time()
        handshake(client_context, server_context, name)
        best = min(best, time.process_time() - start)
    return best
