"""Servers of SMTP, IMAP, POP and FTP, over the standard library's `ssl`: as much of each as a client needs."""

from __future__ import annotations

import socket
import ssl
from hashlib import sha256

from drop_in.peers import Line
from drop_in.way import BODY, SECONDS, TEXT


def talk_smtp(line: Line) -> None:
    """Take mail, and answer with its digest (RFC 5321, RFC 3207)."""
    line.write(b"220 localhost ESMTP\r\n")
    while True:
        word = line.readline().upper().split()[0]
        if word == b"EHLO":
            secure = isinstance(line.socket, ssl.SSLSocket)
            line.write(b"250-localhost\r\n" + (b"" if secure else b"250-STARTTLS\r\n") + b"250 SIZE 33554432\r\n")
        elif word == b"STARTTLS":
            line.write(b"220 go ahead\r\n")
            line.start_tls()
        elif word == b"DATA":
            line.write(b"354 go ahead\r\n")
            lines = []
            while (one := line.readline()) != b".\r\n":
                lines.append(one.removeprefix(b"."))
            line.write(b"250 " + sha256(b"".join(lines)).hexdigest().encode() + b"\r\n")
        elif word == b"QUIT":
            line.write(b"221 bye\r\n")
            return
        else:
            line.write(b"250 OK\r\n")


def talk_imap(line: Line) -> None:
    """Keep one message, and give it back (RFC 3501)."""
    message = b""
    line.write(b"* OK IMAP4rev1\r\n")
    while True:
        tag, word, *arguments = line.readline().split()
        if word == b"STARTTLS":
            line.write(tag + b" OK done\r\n")
            line.start_tls()
            continue
        if word == b"CAPABILITY":
            line.write(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n")
        elif word == b"APPEND":
            line.write(b"+ go ahead\r\n")
            message = line.read(int(arguments[-1].strip(b"{}")))
            line.readline()
        elif word == b"SELECT":
            line.write(b"* 1 EXISTS\r\n")
        elif word == b"FETCH":
            line.write(b"* 1 FETCH (RFC822 {%d}\r\n%b)\r\n" % (len(message), message))
        elif word == b"LOGOUT":
            line.write(b"* BYE\r\n" + tag + b" OK done\r\n")
            return
        line.write(tag + b" OK done\r\n")


def talk_pop(line: Line) -> None:
    """Give one message (RFC 1939, RFC 2595)."""
    line.write(b"+OK\r\n")
    while True:
        word = line.readline().split()[0].upper()
        if word == b"CAPA":
            line.write(b"+OK\r\nSTLS\r\nUSER\r\n.\r\n")
        elif word == b"STLS":
            line.write(b"+OK\r\n")
            line.start_tls()
        elif word == b"RETR":
            line.write(b"+OK\r\n" + TEXT + b".\r\n")
        else:
            line.write(b"+OK\r\n")
            if word == b"QUIT":
                return


def talk_ftp(line: Line) -> None:
    """Keep one file, and give it back, over TLS on either connection (RFC 959, RFC 4217)."""
    kept = BODY[::-1]
    answers = {b"USER": b"331", b"PASS": b"230", b"AUTH": b"234", b"QUIT": b"221"}
    line.write(b"220 localhost\r\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        while True:
            word = line.readline().split()[0].upper()
            if word == b"PASV":
                port = listener.getsockname()[1]
                line.write(b"227 (127,0,0,1,%d,%d)\r\n" % divmod(port, 256))
            elif word in (b"STOR", b"RETR"):
                plain, _ = listener.accept()
                plain.settimeout(SECONDS)
                line.write(b"150 go ahead\r\n")
                with line.handshake(plain) as data:
                    if word == b"STOR":
                        with data.makefile("rb") as file:
                            kept = file.read()
                    else:
                        data.sendall(kept)
                    data.unwrap().close()
                line.write(b"226 done\r\n")
            else:
                line.write(answers.get(word, b"200") + b" OK done\r\n")
                if word == b"AUTH":
                    line.start_tls()
                if word == b"QUIT":
                    return
