"""Clients of SMTP, IMAP, POP and FTP, with TLS at once or after a command, and a server of SMTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from drop_in.programs.http_servers import in_loop
from drop_in.way import BODY, SECONDS, TEXT, Peer, Tls

DIGEST = sha256(TEXT).hexdigest()
SENDER, RECEIVER = "one@localhost.example", "other@localhost.example"


def _send(client: Any) -> None:
    client.ehlo()
    client.mail(SENDER)
    client.rcpt(RECEIVER)
    code, answer = client.data(TEXT)
    assert (code, answer.decode()) == (250, DIGEST)


def smtplib_ssl(tls: Tls, peer: Peer) -> None:
    import smtplib

    with smtplib.SMTP_SSL(peer.host, peer.port, timeout=SECONDS, context=tls.client()) as client:
        _send(client)


def smtplib_starttls(tls: Tls, peer: Peer) -> None:
    import smtplib

    with smtplib.SMTP(peer.host, peer.port, timeout=SECONDS) as client:
        client.starttls(context=tls.client())
        _send(client)


def _keep(client: Any) -> None:
    client.login("somebody", "secret")
    status, _ = client.append("INBOX", None, None, TEXT)
    assert status == "OK"
    client.select("INBOX")
    status, data = client.fetch("1", "(RFC822)")
    assert (status, data[0][1]) == ("OK", TEXT)


def imaplib_ssl(tls: Tls, peer: Peer) -> None:
    import imaplib

    with imaplib.IMAP4_SSL(peer.host, peer.port, ssl_context=tls.client(), timeout=SECONDS) as client:
        _keep(client)


def imaplib_starttls(tls: Tls, peer: Peer) -> None:
    import imaplib

    with imaplib.IMAP4(peer.host, peer.port, timeout=SECONDS) as client:
        client.starttls(ssl_context=tls.client())
        _keep(client)


def _fetch(client: Any) -> None:
    client.user("somebody")
    client.pass_("secret")
    _, lines, _ = client.retr(1)
    assert b"".join(one + b"\r\n" for one in lines) == TEXT
    client.quit()


def poplib_ssl(tls: Tls, peer: Peer) -> None:
    import poplib

    client = poplib.POP3_SSL(peer.host, peer.port, context=tls.client(), timeout=SECONDS)
    try:
        _fetch(client)
    finally:
        client.close()


def poplib_stls(tls: Tls, peer: Peer) -> None:
    import poplib

    client = poplib.POP3(peer.host, peer.port, timeout=SECONDS)
    try:
        client.stls(context=tls.client())
        _fetch(client)
    finally:
        client.close()


def ftplib(tls: Tls, peer: Peer) -> None:
    import ftplib
    import io

    with ftplib.FTP_TLS(context=tls.client(), timeout=SECONDS) as client:
        client.connect(peer.host, peer.port)
        client.login("somebody", "secret")
        client.prot_p()
        client.storbinary("STOR file", io.BytesIO(BODY))
        received: list[bytes] = []
        client.retrbinary("RETR file", received.append)
        assert b"".join(received) == BODY


def _aiosmtplib_settings(tls: Tls, peer: Peer) -> dict[str, Any]:
    settings: dict[str, Any] = {"hostname": peer.host, "port": peer.port, "timeout": SECONDS}
    if not tls.injected:
        return settings | {"tls_context": tls.client()}
    certificate, key = tls.client_files
    return settings | {"cert_bundle": tls.ca, "client_cert": certificate, "client_key": key}


async def _aiosmtplib(client: Any) -> None:
    async with client:
        await client.mail(SENDER)
        await client.rcpt(RECEIVER)
        answer = await client.data(TEXT)
        assert (answer.code, answer.message) == (250, DIGEST)
    await asyncio.sleep(0.02)  # aiosmtplib does not wait until its transport is closed


def aiosmtplib_tls(tls: Tls, peer: Peer) -> None:
    import aiosmtplib

    async def main() -> None:
        await _aiosmtplib(aiosmtplib.SMTP(use_tls=True, **_aiosmtplib_settings(tls, peer)))

    asyncio.run(main())


def aiosmtplib_starttls(tls: Tls, peer: Peer) -> None:
    import aiosmtplib

    async def main() -> None:
        await _aiosmtplib(aiosmtplib.SMTP(start_tls=True, **_aiosmtplib_settings(tls, peer)))

    asyncio.run(main())


class _Handler:
    """Answers mail with its digest."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "250 " + sha256(envelope.content).hexdigest()


def _aiosmtpd(tls: Tls, *, at_once: bool) -> Any:
    from aiosmtpd.smtp import SMTP

    context = tls.server()
    settings = {} if at_once else {"tls_context": context, "require_starttls": True}

    @asynccontextmanager
    async def serving() -> Any:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(_Handler(), hostname="localhost", **settings),
            "127.0.0.1",
            0,
            ssl=context if at_once else None,
        )
        async with server:
            yield server.sockets[0].getsockname()[1]

    return in_loop(serving)


def aiosmtpd_tls(tls: Tls) -> Any:
    return _aiosmtpd(tls, at_once=True)


def aiosmtpd_starttls(tls: Tls) -> Any:
    return _aiosmtpd(tls, at_once=False)
