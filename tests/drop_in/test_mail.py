"""SMTP, IMAP, POP and FTP: with TLS from the first byte, and after a command of the protocol."""

from __future__ import annotations

import smtplib
import socket
import ssl
from pathlib import Path

import pytest
from drop_in.checks import Peers, check_client, check_refusal, check_server, each_wrong
from drop_in.peers import Talk
from drop_in.peers_mail import talk_ftp, talk_imap, talk_pop, talk_smtp
from drop_in.programs.mail import DIGEST
from drop_in.way import HOST, SECONDS, TEXT
from drop_in.ways import Way

CLIENTS = [
    ("smtplib_ssl", talk_smtp, True),
    ("smtplib_starttls", talk_smtp, False),
    ("imaplib_ssl", talk_imap, True),
    ("imaplib_starttls", talk_imap, False),
    ("poplib_ssl", talk_pop, True),
    ("poplib_stls", talk_pop, False),
    ("ftplib", talk_ftp, False),
    ("aiosmtplib_tls", talk_smtp, True),
    ("aiosmtplib_starttls", talk_smtp, False),
]
each_client = pytest.mark.parametrize(("program", "talk", "tls_first"), CLIENTS, ids=[name for name, *_ in CLIENTS])


@each_client
def test_bodies(each_way: Way, program: str, talk: Talk, tls_first: bool, peer: Peers) -> None:
    check_client(each_way, f"mail:{program}", peer, talk, tls_first=tls_first)


@each_wrong
@each_client
def test_wrong_certificate(
    each_way: Way, program: str, talk: Talk, tls_first: bool, peer: Peers, certificate: str
) -> None:
    check_refusal(each_way, f"mail:{program}", peer, talk, certificate, tls_first=tls_first)


def _send(client: smtplib.SMTP) -> None:
    client.ehlo()
    client.mail("one@localhost.example")
    client.rcpt("other@localhost.example")
    code, answer = client.data(TEXT)
    assert (code, answer.decode()) == (250, DIGEST)


def test_aiosmtpd(each_way: Way, keys: Path) -> None:
    def exchange(port: int, context: ssl.SSLContext) -> int:
        with smtplib.SMTP_SSL(HOST, port, timeout=SECONDS, context=context) as client:
            _send(client)
        return 1

    check_server(each_way, "mail:aiosmtpd_tls", keys, exchange, alerts=False)


def test_aiosmtpd_after_starttls(each_way: Way, keys: Path) -> None:
    def exchange(port: int, context: ssl.SSLContext) -> int:
        with smtplib.SMTP(HOST, port, timeout=SECONDS) as client:
            client.starttls(context=context)
            _send(client)
        return 1

    def prepare(plain: socket.socket) -> None:
        assert plain.recv(1000).startswith(b"220")
        plain.sendall(b"EHLO localhost\r\n")
        answer = b""
        while b"250 " not in answer:
            answer += plain.recv(1000)
        assert b"STARTTLS" in answer
        plain.sendall(b"STARTTLS\r\n")
        assert plain.recv(1000).startswith(b"220")

    check_server(each_way, "mail:aiosmtpd_starttls", keys, exchange, alerts=False, prepare=prepare)
