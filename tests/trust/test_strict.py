"""VERIFY_X509_STRICT: what RFC 5280 demands of the form of certificates, judged by `ssl` and by fasttls."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from trust.chains import CASES
from trust.forge import HOST, extension, intermediate, leaf, make, root, tlv
from trust.judges import OPENSSL_3_0, Case, judge

import fasttls


def good() -> Case:
    return CASES["good_with_intermediates"]()


def self_signed_leaf_is_trusted_itself() -> Case:
    return CASES["self_signed_leaf_is_trusted_itself"]()


def self_signed_leaf_without_identifiers_is_trusted_itself() -> Case:
    alone = leaf(None, identifiers=False)
    return Case([alone], [alone])


def constraints_of_a_ca_not_critical() -> Case:
    top = root()
    middle = intermediate("Middle", top, constraints_critical=False)
    return Case([leaf(middle), middle], [top])


def constraints_of_the_root_not_critical() -> Case:
    top = root(constraints_critical=False)
    return Case([leaf(top)], [top])


def ca_without_key_usage() -> Case:
    top = root()
    middle = intermediate("Middle", top, usage=None)
    return Case([leaf(middle), middle], [top])


def leaf_that_may_sign_certificates() -> Case:
    top = root()
    return Case([leaf(top, usage=("digital_signature", "key_cert_sign"))], [top])


def path_length_of_a_leaf() -> Case:
    top = root()
    value = tlv(0x30, b"\x02\x01\x00")
    return Case([leaf(top, ca=None, extensions=[extension("2.5.29.19", value, critical=True)])], [top])


def empty_subject_with_names_not_critical() -> Case:
    top = root()
    return Case([make(x509.Name([]), top, names=(HOST,))], [top])


def empty_subject_without_names() -> Case:
    top = root()
    return Case([make(x509.Name([]), top)], [top], host=None)


def leaf_without_authority_key_identifier() -> Case:
    top = root()
    return Case([leaf(top, identifiers=False)], [top])


def ca_without_subject_key_identifier() -> Case:
    top = root()
    middle = intermediate("Middle", top, identifiers=False)
    return Case([leaf(middle), middle], [top])


def root_without_identifiers() -> Case:
    top = root(identifiers=False)
    return Case([leaf(top)], [top])


def critical_subject_key_identifier() -> Case:
    top = root()
    identifiers = [(x509.SubjectKeyIdentifier(b"1234"), True), _authority(top.certificate)]
    return Case([leaf(top, identifiers=False, extensions=identifiers)], [top])


def critical_authority_key_identifier() -> Case:
    top = root()
    authority, _ = _authority(top.certificate)
    return Case([leaf(top, identifiers=False, extensions=[(authority, True)])], [top])


def version_1_root() -> Case:
    return CASES["version_1_root"]()


def _authority(issuer: x509.Certificate) -> tuple[x509.AuthorityKeyIdentifier, bool]:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False  # type: ignore[arg-type]


EXPECTED: dict[Callable[[], Case], tuple[int, int]] = {
    good: (0, 0),
    self_signed_leaf_is_trusted_itself: (0, 0),
    self_signed_leaf_without_identifiers_is_trusted_itself: (0, 0),
    constraints_of_a_ca_not_critical: (0, 89),
    constraints_of_the_root_not_critical: (0, 89),
    ca_without_key_usage: (0, 92),
    leaf_that_may_sign_certificates: (0, 82),
    empty_subject_with_names_not_critical: (0, 88),
    empty_subject_without_names: (0, 84),
    leaf_without_authority_key_identifier: (0, 85),
    ca_without_subject_key_identifier: (0, 85),
    root_without_identifiers: (0, 86),
    critical_subject_key_identifier: (34, 34),
    critical_authority_key_identifier: (34, 34),
    version_1_root: (0, 79),
}
"""The codes without and with VERIFY_X509_STRICT."""


@pytest.mark.parametrize("make_case", EXPECTED)
@pytest.mark.parametrize("strict", [False, True])
def test_strict_profile_is_openssls(make_case: Callable[[], Case], strict: bool) -> None:
    case = make_case()
    if strict:
        case = replace(case, flags=ssl.VERIFY_X509_STRICT)
    ours, theirs = judge(fasttls.SSLContext, case), judge(ssl.SSLContext, case)
    assert ours.code == EXPECTED[make_case][strict]
    if OPENSSL_3_0:
        assert (ours.code, ours.words) == (theirs.code, theirs.words)


def test_path_length_of_a_leaf_is_refused_when_strict() -> None:
    case = path_length_of_a_leaf()
    assert judge(fasttls.SSLContext, case).accepted
    assert judge(fasttls.SSLContext, replace(case, flags=ssl.VERIFY_X509_STRICT)).code == 80
    if OPENSSL_3_0:
        assert judge(ssl.SSLContext, case).accepted
        assert judge(ssl.SSLContext, replace(case, flags=ssl.VERIFY_X509_STRICT)).code == 80


def test_default_context_is_as_strict_as_the_standard_librarys() -> None:
    assert fasttls.create_default_context().verify_flags == ssl.create_default_context().verify_flags
