"""Revocation lists: judged by `ssl` and by fasttls in real handshakes alike, or for a reason not; and `use_crls`."""

from __future__ import annotations

import datetime
import os
import shutil
import ssl
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from certs import DAY, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from interop.ends import program
from trust.forge import ECDSA_SHA256, Entity, elements, inside, root, tlv
from trust.judges import OPENSSL_3_0, Verdict, pem
from trust.lists import (
    ACCEPTED,
    CHAIN,
    DIFFERENT,
    EXPECTED,
    HOUR,
    KEY_COMPROMISE,
    LEAF,
    OLD,
    SCOPE,
    STALE,
    ListCase,
    bits_changed,
    by_lists,
    client,
    crl,
    crl_pem,
    entry,
    for_clients,
    judge_by_lists,
    judge_from_memory,
    judged,
    load_lists,
    middle,
    of_kind,
    ready,
    reason,
    renamed,
    resigned,
    scope,
    server,
    top,
    with_extensions,
    wrap,
)

import fasttls
from fasttls.trust import BadCertificate, CertificateRejected, CrlCheck, TrustStore, verify_chain
from fasttls.trust.verdicts import VerifyCode

both_libraries = pytest.mark.parametrize("library", [ssl.SSLContext, fasttls.SSLContext])

SECOND = datetime.timedelta(seconds=1)
UNKNOWN_OID = bytes.fromhex("06032a0304")


def test_every_case_is_in_one_table() -> None:
    assert not set(EXPECTED) & set(DIFFERENT)


@pytest.mark.parametrize("name", EXPECTED)
def test_both_judge_alike(name: str) -> None:
    code, make = EXPECTED[name]
    case = make()
    ours, theirs = judge_by_lists(fasttls.SSLContext, case), judge_by_lists(ssl.SSLContext, case)
    assert theirs.accepted == (code == ACCEPTED)
    assert ours.code == code
    if OPENSSL_3_0:
        assert ours == theirs  # the words and the alert too
    assert (ours.alert is None) == ours.accepted


@pytest.mark.parametrize("name", EXPECTED)
def test_lists_from_memory_are_judged_like_those_of_a_file(name: str) -> None:
    code, make = EXPECTED[name]
    assert judge_from_memory(make()).code == code


@pytest.mark.parametrize("name", DIFFERENT)
def test_difference_is_deliberate(name: str) -> None:
    code_of_ssl, code, _, make = DIFFERENT[name]
    case = make()
    assert judge_by_lists(fasttls.SSLContext, case).code == code
    assert judge_from_memory(case).code == code
    if OPENSSL_3_0:
        assert judge_by_lists(ssl.SSLContext, case).code == code_of_ssl


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("is_client", [False, True])
def test_revoked_is_the_alert_in_every_version(is_client: bool, version: ssl.TLSVersion) -> None:
    # RFC 8446 §6.2, RFC 5246 §7.2.2: certificate_revoked.
    case = for_clients(LEAF, crl(middle(), client())) if is_client else by_lists(LEAF, crl(middle(), server()))
    for library in (ssl.SSLContext, fasttls.SSLContext):
        context = ready(library, case)
        context.maximum_version = version
        load_lists(context, *case.lists)
        assert judged(context, case) == Verdict(23, "certificate revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED")


@both_libraries
def test_whoever_does_not_verify_looks_nothing_up(library: type[ssl.SSLContext]) -> None:
    case = by_lists(CHAIN, crl(middle(), server()), host=None)
    context = ready(library, case)
    load_lists(context, *case.lists)
    context.verify_mode = ssl.CERT_NONE
    assert judged(context, case).accepted


# Files of what is trusted.


@both_libraries
@pytest.mark.parametrize("revoked", [False, True])
def test_certificates_and_lists_stand_in_one_file(revoked: bool, library: type[ssl.SSLContext], tmp_path: Path) -> None:
    lists = [crl(top()), crl(middle(), *([server()] if revoked else []))]
    file = tmp_path / "all.pem"
    file.write_text(f"# everything\n{crl_pem(lists[0])}{pem([top()])}text\n{crl_pem(lists[1])}{pem([middle()])}")
    case = by_lists(CHAIN, chain=[server()], trusted=[])
    context = ready(library, case)
    context.load_verify_locations(file)
    assert context.cert_store_stats() == {"x509": 2, "crl": 2, "x509_ca": 2}
    assert judged(context, case).code == (23 if revoked else ACCEPTED)


@both_libraries
def test_lists_are_counted_once(library: type[ssl.SSLContext]) -> None:
    lists = crl(middle()), crl(top())
    context = library(ssl.PROTOCOL_TLS_CLIENT)
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
    for _ in range(2):
        load_lists(context, *lists)
        assert context.cert_store_stats() == {"x509": 0, "crl": 2, "x509_ca": 0}
    assert context.get_ca_certs() == []


@both_libraries
@pytest.mark.parametrize("revoked", [False, True])
def test_lists_stand_in_a_directory_of_hashed_names(
    revoked: bool, library: type[ssl.SSLContext], tmp_path: Path
) -> None:
    (tmp_path / "top.pem").write_text(pem([top()]))
    (tmp_path / "list.pem").write_text(crl_pem(crl(middle(), *([server()] if revoked else []))))
    subprocess.run([program("openssl"), "rehash", str(tmp_path)], timeout=20, check=True)
    case = by_lists(LEAF, trusted=[])
    context = ready(library, case)
    context.load_verify_locations(capath=tmp_path)
    assert judged(context, case).code == (23 if revoked else ACCEPTED)


# What is malformed.

OF_VERSION_3 = resigned(crl(middle()), middle().key, lambda tbs: [b"\2\1\2", *tbs[1:]])
NOT_PARSED = {
    "empty": b"",
    "text": b"nothing",
    "certificate": middle().der,
    "certificate_in_pem": pem([middle()]).encode(),
    "cut_short": crl(middle())[:-1],
    "with_more_behind": crl(middle()) + b"\0",
    "not_base64": b"-----BEGIN X509 CRL-----\nA\n-----END X509 CRL-----\n",
    "not_der": b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    "no_end": crl_pem(crl(middle())).encode()[:-10],
    "version_3": OF_VERSION_3,
    "version_3_in_pem": crl_pem(OF_VERSION_3).encode(),
    "one_extension_twice": with_extensions(crl(middle()), middle().key, *[tlv(0x30, UNKNOWN_OID, tlv(4, b"\5\0"))] * 2),
    "scope_that_is_none": with_extensions(crl(middle()), middle().key, tlv(0x30, SCOPE, tlv(4, b"\5\0"))),
    "scope_of_users_and_of_authorities": with_extensions(
        crl(middle()), middle().key, tlv(0x30, SCOPE, tlv(4, tlv(0x30, b"\x81\1\xff\x82\1\xff")))
    ),
}
"""What is no list, or none that means something (RFC 5280 §5.1.2.1, §5.2, §5.2.5)."""


@pytest.fixture
def context() -> fasttls.SSLContext:
    """Return a client's context that looks up the server's certificate, and has no list yet."""
    made = ready(fasttls.SSLContext, by_lists(LEAF))
    assert isinstance(made, fasttls.SSLContext)
    return made


def code_of(context: ssl.SSLContext) -> int:
    """Return the verdict on the shared server's certificate."""
    return judged(context, by_lists(LEAF)).code


@pytest.mark.parametrize("name", NOT_PARSED)
def test_malformed_list_is_refused_when_it_is_given(name: str, context: fasttls.SSLContext) -> None:
    with pytest.raises(ValueError, match=r"."):
        context.use_crls(NOT_PARSED[name])
    with pytest.raises(ValueError, match=r"."):
        context.use_crls([NOT_PARSED[name]], replace=True)
    assert context.cert_store_stats()["crl"] == 0


@pytest.mark.parametrize("name", NOT_PARSED)
def test_file_with_a_malformed_list_is_refused(name: str, context: fasttls.SSLContext, tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_bytes(NOT_PARSED[name])
    with pytest.raises(ValueError, match=r"."):
        context.use_crls(file)
    assert context.cert_store_stats()["crl"] == 0


@pytest.mark.parametrize("name", ["not_base64", "not_der", "version_3_in_pem"])
def test_malformed_list_in_a_file_of_certificates_is_an_ssl_error(
    name: str, context: fasttls.SSLContext, tmp_path: Path
) -> None:
    file = tmp_path / "list.pem"
    file.write_bytes(pem([middle()]).encode() + NOT_PARSED[name])
    with pytest.raises(ssl.SSLError):
        context.load_verify_locations(file)
    assert context.cert_store_stats()["crl"] == 0


@pytest.mark.parametrize("name", ["not_base64", "not_der", "version_3_in_pem"])
def test_malformed_list_in_a_directory_counts_for_nothing(
    name: str, context: fasttls.SSLContext, tmp_path: Path
) -> None:
    (tmp_path / "0123abcd.r0").write_bytes(NOT_PARSED[name])
    context.load_verify_locations(capath=tmp_path)
    context.use_crls(crl(middle()))
    assert code_of(context) == ACCEPTED


def test_list_that_stands_where_certificates_are_expected_is_refused() -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLError):
        context.load_verify_locations(cadata=pem([top()]) + crl_pem(crl(top())))


# use_crls.

FORMS: dict[str, Callable[[bytes, Path], object]] = {
    "der": lambda der, folder: der,
    "pem": lambda der, folder: crl_pem(der).encode(),
    "bytearray": lambda der, folder: bytearray(der),
    "pem_with_text_and_certificates": lambda der, folder: f"text\n{pem([top()])}{crl_pem(der)}text".encode(),
    "pem_of_several": lambda der, folder: crl_pem(crl(top()), der).encode(),
    "object": lambda der, folder: x509.load_der_x509_crl(der),
    "list": lambda der, folder: [crl_pem(crl(top())).encode(), x509.load_der_x509_crl(der)],
    "iterator": lambda der, folder: iter([der]),
    "path_of_der": lambda der, folder: written(folder, der),
    "path_of_pem": lambda der, folder: written(folder, crl_pem(crl(top()), der).encode()),
    "path_as_text": lambda der, folder: str(written(folder, der)),
}


def written(folder: Path, data: bytes) -> Path:
    """Write a file and return its path."""
    file = folder / "list"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("form", FORMS)
def test_list_is_taken_in_every_form(form: str, context: fasttls.SSLContext, tmp_path: Path) -> None:
    context.use_crls(FORMS[form](crl(middle(), server()), tmp_path))  # type: ignore[arg-type]
    assert context.cert_store_stats()["crl"] == (2 if form in ("pem_of_several", "list", "path_of_pem") else 1)
    assert code_of(context) == 23


def test_certificates_beside_a_list_are_not_trusted(context: fasttls.SSLContext) -> None:
    context.use_crls((pem([root("Other")]) + crl_pem(crl(middle()))).encode())
    assert context.cert_store_stats() == {"x509": 1, "crl": 1, "x509_ca": 1}


def test_what_is_no_list_at_all_is_a_type_error(context: fasttls.SSLContext) -> None:
    with pytest.raises(TypeError):
        context.use_crls(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        context.use_crls(None)  # type: ignore[arg-type]


def test_file_that_is_not_there_is_an_os_error(context: fasttls.SSLContext, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        context.use_crls(tmp_path / "missing")
    assert context.cert_store_stats()["crl"] == 0


def test_list_takes_effect_on_connections_that_were_wrapped_before(context: fasttls.SSLContext) -> None:
    case = by_lists(LEAF)
    wrapped = [wrap(context, case) for _ in range(3)]
    assert wrapped[0].run(case).code == 3
    context.use_crls(crl(middle(), **OLD))
    assert wrapped[1].run(case).code == ACCEPTED
    context.use_crls(crl(middle(), server()))
    assert wrapped[2].run(case).code == 23


def test_lists_are_added_and_counted(context: fasttls.SSLContext) -> None:
    for number, der in enumerate((crl(middle()), crl(top()), crl(root("Other")))):
        context.use_crls(der)
        context.use_crls([der, der])
        assert context.cert_store_stats()["crl"] == number + 1


def test_replacing_drops_what_was_given_before(context: fasttls.SSLContext) -> None:
    context.use_crls([crl(middle(), server()), crl(top())])
    context.use_crls(crl(middle(), **OLD), replace=True)
    assert context.cert_store_stats()["crl"] == 1
    assert code_of(context) == ACCEPTED
    context.use_crls([], replace=True)
    assert context.cert_store_stats()["crl"] == 0
    assert code_of(context) == 3


def test_replacing_leaves_files_alone(context: fasttls.SSLContext, tmp_path: Path) -> None:
    context.use_crls(written(tmp_path, crl(middle(), server())))
    context.use_crls([crl(top())])
    context.use_crls([], replace=True)
    assert context.cert_store_stats()["crl"] == 1
    assert code_of(context) == 23


def test_file_may_replace_what_was_given_before(context: fasttls.SSLContext, tmp_path: Path) -> None:
    context.use_crls([crl(middle(), server()), crl(top())])
    context.use_crls(written(tmp_path, crl(middle(), **OLD)), replace=True)
    assert context.cert_store_stats()["crl"] == 1
    assert code_of(context) == ACCEPTED


def test_replacing_with_what_is_malformed_changes_nothing(context: fasttls.SSLContext, tmp_path: Path) -> None:
    context.use_crls(crl(middle(), server()))
    for bad in (b"nothing", [crl(middle()), b"\x30\0"], written(tmp_path, b"nothing"), tmp_path / "missing"):
        with pytest.raises((ValueError, OSError)):
            context.use_crls(bad, replace=True)
        assert context.cert_store_stats()["crl"] == 1
        assert code_of(context) == 23


def test_adding_what_is_partly_malformed_changes_nothing(context: fasttls.SSLContext) -> None:
    with pytest.raises(ValueError, match=r"."):
        context.use_crls([crl(middle()), b"\x30\0"])
    assert context.cert_store_stats()["crl"] == 0


# Files that are watched.


@pytest.mark.parametrize("change", [Path.write_bytes, renamed])
def test_changed_file_takes_effect_on_the_next_handshake(
    change: Callable[[Path, bytes], object], context: fasttls.SSLContext, tmp_path: Path
) -> None:
    file = written(tmp_path, crl(middle()))
    context.use_crls(file)
    case = by_lists(LEAF)
    wrapped = [wrap(context, case) for _ in range(3)]
    assert code_of(context) == ACCEPTED
    change(file, crl(middle(), server()))
    assert wrapped[0].run(case).code == 23
    assert code_of(context) == 23
    change(file, crl_pem(crl(top()), crl(middle(), 77)).encode())
    assert wrapped[1].run(case).code == ACCEPTED
    assert context.cert_store_stats()["crl"] == 2
    change(file, crl(middle(), 77, 78, server()))
    assert wrapped[2].run(case).code == 23
    assert context.cert_store_stats()["crl"] == 1


def test_changed_file_of_the_same_size_and_age_takes_effect(context: fasttls.SSLContext, tmp_path: Path) -> None:
    # As when a list is restored from a copy, its times with it.
    number = server().certificate.serial_number
    good, revoked = crl(middle(), number ^ 1), crl(middle(), number)
    while len(good) != len(revoked):  # a signature has a byte more or less
        good = crl(middle(), number ^ 1)
    file = written(tmp_path, good)
    os.utime(file, (1, 1))
    context.use_crls(file)
    assert code_of(context) == ACCEPTED
    renamed(file, revoked)
    os.utime(file, (1, 1))
    assert code_of(context) == 23


@pytest.mark.parametrize("revoked", [False, True])
@pytest.mark.parametrize("name", [*NOT_PARSED, "missing", "directory"])
def test_file_that_is_broken_later_leaves_the_lists_as_they_were(
    name: str, revoked: bool, context: fasttls.SSLContext, tmp_path: Path
) -> None:
    before = ACCEPTED if not revoked else 23
    file = written(tmp_path, crl(middle(), *([server()] if revoked else [])))
    context.use_crls(file)
    file.unlink()
    if name == "directory":
        file.mkdir()
    elif name != "missing":
        file.write_bytes(NOT_PARSED[name])
    for _ in range(2):
        assert code_of(context) == before
        assert context.cert_store_stats()["crl"] == 1
    shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    file.write_bytes(crl(middle(), *([] if revoked else [server()])))
    assert code_of(context) == (ACCEPTED if revoked else 23)


def test_stale_list_of_a_file_that_is_gone_counts_no_longer(context: fasttls.SSLContext, tmp_path: Path) -> None:
    file = written(tmp_path, crl(middle(), **STALE))
    context.use_crls(file)
    file.unlink()
    assert code_of(context) == 12


def test_file_serves_every_context_that_takes_it(tmp_path: Path) -> None:
    file = written(tmp_path, crl(middle()))
    contexts = [ready(fasttls.SSLContext, by_lists(LEAF)) for _ in range(2)]
    for one in contexts:
        assert isinstance(one, fasttls.SSLContext)
        one.use_crls(file)
        one.use_crls(str(file))
        assert code_of(one) == ACCEPTED
    file.write_bytes(crl(middle(), server()))
    assert [code_of(one) for one in contexts] == [23, 23]


# What the error tells.

REFUSED = (
    "revoked",
    "revoked_client",
    "revoked_intermediate",
    "no_list",
    "no_list_of_the_root",
    "stale",
    "not_yet_valid",
    "forged",
    "signed_with_a_key_of_another_kind",
    "issuer_without_crl_sign",
    "only_ca_certificates",
    "unknown_critical_extension",
    "unknown_critical_extension_of_the_entry",
)


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_says_which_certificate_which_rule_and_why(name: str) -> None:
    code, make = EXPECTED[name]
    case = make()
    context = ready(fasttls.SSLContext, case)
    assert isinstance(context, fasttls.SSLContext)
    context.use_crls(case.lists)
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        wrap(context, case).shake_hands(case)
    refusal = caught.value.refusal  # type: ignore[attr-defined]
    assert isinstance(refusal, CertificateRejected)
    assert refusal.verify_code == caught.value.verify_code == code
    assert refusal.verify_message in str(caught.value)
    assert refusal.rule.startswith("RFC 5280 §")
    assert refusal.found
    assert refusal.expected
    by_depth = [one.certificate.subject.rfc4514_string() for one in (*case.chain, *case.trusted)]  # type: ignore[union-attr]
    assert refusal.certificate == by_depth[refusal.depth], "depth and certificate are of one and the same"


def test_revoked_says_when_and_for_what_reason() -> None:
    store = store_with(crl(middle(), entry(server(), reason(KEY_COMPROMISE))))
    with pytest.raises(CertificateRejected) as caught:
        look_up(store)
    assert caught.value.found == f"revoked on {NOW - HOUR:%Y-%m-%d %H:%M:%S}Z, reason keyCompromise"
    assert caught.value.certificate == "CN=leaf"
    assert caught.value.depth == 0


def test_revoked_intermediate_is_told_from_the_leaf() -> None:
    store = store_with(crl(middle()), crl(top(), middle()))
    with pytest.raises(CertificateRejected) as caught:
        look_up(store, CrlCheck.CHAIN)
    assert (caught.value.certificate, caught.value.depth) == ("CN=Middle", 1)


def test_dates_are_those_of_the_moment_that_is_judged() -> None:
    # RFC 5280 §5.1.2.4, §5.1.2.5: both in force at their own second.
    until = NOW + DAY
    store = store_with(crl(middle(), since=NOW - HOUR, until=until))
    for moment, code in {
        NOW - HOUR - SECOND: VerifyCode.CRL_NOT_YET_VALID,
        NOW - HOUR: VerifyCode.OK,
        until: VerifyCode.OK,
        until + SECOND: VerifyCode.CRL_HAS_EXPIRED,
    }.items():
        if code is VerifyCode.OK:
            look_up(store, time=moment)
            continue
        with pytest.raises(CertificateRejected) as caught:
            look_up(store, time=moment)
        assert caught.value.verify_code == code


# Every bit of a list, changed.


def store_with(*lists: bytes) -> TrustStore:
    """Return a store that trusts the shared root and has these lists."""
    store = TrustStore()
    store.add(top().der)
    store.replace_crls(lists)
    return store


def look_up(store: TrustStore, whose: CrlCheck = CrlCheck.LEAF, **settings: Any) -> None:
    """Verify the shared server's chain. Raises CertificateRejected and BadCertificate."""
    verify_chain([server().der, middle().der], store, "localhost", crl_check=whose, **settings)


def outcomes(case: ListCase, lists: Iterable[bytes]) -> tuple[list[bytes], Counter[str]]:
    """Return which lists let the certificate of a case pass, and what else was raised than should be."""
    store, chain = TrustStore(), [one.der for one in case.chain if isinstance(one, Entity)]
    store.add(case.trusted[0].der)  # type: ignore[union-attr]
    passed, faults = [], Counter[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `cryptography`, about the nonsense
        for der in lists:
            try:
                store.replace_crls([der])
            except ValueError:
                continue
            except Exception as exc:
                faults[f"{type(exc).__name__} when it is given: {exc}"] += 1
                continue
            try:
                verify_chain(chain, store, "localhost", crl_check=CrlCheck.LEAF)
            except (CertificateRejected, BadCertificate):
                continue
            except Exception as exc:
                faults[f"{type(exc).__name__} when it is looked at: {exc}"] += 1
            else:
                passed.append(der)
    return passed, faults


SHAPES: dict[str, ListCase] = {
    "with_entries": by_lists(LEAF, crl(middle(), entry(77, reason(KEY_COMPROMISE)), 78)),
    "with_a_scope": by_lists(LEAF, crl(middle(), extensions=[scope(user=True)])),
    "that_revokes": by_lists(LEAF, crl(middle(), entry(server(), reason(KEY_COMPROMISE)), 77)),
    "by_rsa": of_kind("rsa-2048"),
}


def tbs_of(der: bytes) -> bytes:
    """Return what is signed of a list."""
    return elements(inside(der))[0]


@pytest.mark.parametrize("name", SHAPES)
def test_changed_list_is_never_taken_for_the_issuers(name: str) -> None:
    """One bit at a time: what is signed is refused, and nothing is raised that is no refusal."""
    case = SHAPES[name]
    (shape,) = case.lists
    revokes = name == "that_revokes"
    assert outcomes(case, [shape]) == ([] if revokes else [shape], Counter())
    passed, faults = outcomes(case, bits_changed(shape))
    assert [der for der in passed if revokes or tbs_of(der) != tbs_of(shape)] == []
    assert faults == Counter()


@pytest.mark.parametrize("name", SHAPES)
def test_list_that_is_cut_short_is_refused_when_it_is_given(name: str) -> None:
    (shape,) = SHAPES[name].lists
    for size in range(len(shape)):
        with pytest.raises(ValueError, match=r"."):
            TrustStore().add_crl(shape[:size])


@pytest.mark.parametrize("name", ["with_entries", "with_a_scope", "that_revokes"])
def test_issuer_that_signs_nonsense_is_refused_or_understood(name: str) -> None:
    """The same with a signature that is right: whatever it says, nothing is raised that is no refusal."""
    case, key = SHAPES[name], middle().key
    assert isinstance(key, ec.EllipticCurvePrivateKey)

    def signed() -> Iterator[bytes]:
        for tbs in bits_changed(tbs_of(case.lists[0])):
            yield tlv(0x30, tbs, ECDSA_SHA256, tlv(3, b"\0", key.sign(tbs, ec.ECDSA(hashes.SHA256()))))

    passed, faults = outcomes(case, signed())
    assert passed
    assert faults == Counter()
