"""One certificate chain before two judges: a real handshake each, with `ssl` and with fasttls verifying."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certs import PrivateKey
from cryptography.hazmat.primitives import serialization
from trust.forge import HOST, Entity

import fasttls

OPENSSL_3_0 = ssl.OPENSSL_VERSION_INFO[:2] == (3, 0)


@dataclass(frozen=True)
class Verdict:
    """What a judge said: OpenSSL's code and words, 0 for a chain that is accepted, and the alert it sent."""

    code: int
    words: str = "ok"
    alert: str | None = None

    @property
    def accepted(self) -> bool:
        return self.code == 0


@dataclass(frozen=True)
class Case:
    """A chain to be judged, the key of its first certificate, and the rules."""

    chain: Sequence[Entity | bytes]
    trusted: Sequence[Entity | bytes]
    key: PrivateKey | None = None
    host: str | None = HOST
    flags: int = 0
    client_certificate: bool = False
    trusted_directory: bool = field(default=False, kw_only=True)


def _der(one: Entity | bytes) -> bytes:
    return one if isinstance(one, bytes) else one.der


def pem(chain: Sequence[Entity | bytes]) -> str:
    """Return certificates as PEM."""
    return "".join(ssl.DER_cert_to_PEM_cert(_der(one)) for one in chain)


def _key_pem(case: Case) -> str:
    first = case.chain[0]
    key = case.key or (first.key if isinstance(first, Entity) else None)
    assert key is not None
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def _presenter(case: Case) -> ssl.SSLContext:
    """Return a context of `ssl` that shows the chain, and accepts whatever it is shown."""
    protocol = ssl.PROTOCOL_TLS_CLIENT if case.client_certificate else ssl.PROTOCOL_TLS_SERVER
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it loads the weak ones too
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "presented.pem")
        file.write_text(_key_pem(case) + pem(case.chain))
        context.load_cert_chain(file)
    return context


def judging_context(library: type[ssl.SSLContext], case: Case) -> ssl.SSLContext:
    """Return a context of a library that verifies what it is shown by the rules of the case."""
    context = library(ssl.PROTOCOL_TLS_SERVER if case.client_certificate else ssl.PROTOCOL_TLS_CLIENT)
    if not case.client_certificate:
        context.check_hostname = case.host is not None
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= case.flags
    if case.trusted:
        context.load_verify_locations(cadata=b"".join(_der(one) for one in case.trusted))
    return context


def _give_certificate(context: ssl.SSLContext, judge_of: Case) -> None:
    """A judge of client certificates is a server, and needs a certificate itself."""
    from certs import server_credential

    if judge_of.client_certificate:
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*server_credential().write(Path(folder)))


def _refusal(error: ssl.SSLError) -> Verdict:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Verdict(error.verify_code, error.verify_message)
    return Verdict(-1, error.reason or str(error))


def judge(library: type[ssl.SSLContext], case: Case) -> Verdict:
    """Return the verdict of a library on a case, after a handshake with `ssl` that shows the chain."""
    context = judging_context(library, case)
    _give_certificate(context, case)
    to_judge, from_judge = ssl.MemoryBIO(), ssl.MemoryBIO()
    is_server = case.client_certificate
    name = None if is_server else case.host or HOST
    judging = context.wrap_bio(to_judge, from_judge, server_side=is_server, server_hostname=name)
    presenting = _presenter(case).wrap_bio(from_judge, to_judge, server_side=not is_server)
    try:
        return _run(judging, presenting)
    except ssl.SSLError as error:
        verdict = _refusal(error)
        return Verdict(verdict.code, verdict.words, _alert_seen(presenting))


def _run(judging: ssl.SSLObject, presenting: ssl.SSLObject) -> Verdict:
    for _ in range(10):
        done = True
        for side in (judging, presenting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                done = False
        if done:
            return Verdict(0)
    raise AssertionError("the handshake does not end")


def _alert_seen(presenting: ssl.SSLObject) -> str | None:
    """Return OpenSSL's name of the alert that the presenter received."""
    try:
        presenting.do_handshake()
        presenting.read(1)
    except ssl.SSLWantReadError:
        return None
    except ssl.SSLError as error:
        return error.reason
    return None


def both(case: Case) -> tuple[Verdict, Verdict]:
    """Return the verdict of `ssl` and that of fasttls."""
    return judge(ssl.SSLContext, case), judge(fasttls.SSLContext, case)
