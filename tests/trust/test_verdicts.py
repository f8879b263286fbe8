"""Every chain of the table, judged by `ssl` and by fasttls in real handshakes: the same verdict, or a reason."""

from __future__ import annotations

import ssl

import pytest
from trust.chains import CASES
from trust.judges import OPENSSL_3_0, Verdict, judge

import fasttls

ACCEPTED = 0

EXPECTED = {
    # Trust.
    "good": ACCEPTED,
    "good_with_intermediates": ACCEPTED,
    "intermediates_in_the_wrong_order_among_strangers": ACCEPTED,
    "root_is_sent_too": ACCEPTED,
    "nothing_is_trusted": 20,
    "another_root_is_trusted": 20,
    "root_of_the_same_name_is_trusted": 20,
    "root_of_the_same_name_without_identifiers_is_trusted": 7,
    "untrusted_root_is_sent": 19,
    "self_signed_leaf": 18,
    "self_signed_leaf_is_trusted_itself": ACCEPTED,
    "self_signed_authority_is_trusted_itself_as_a_server": ACCEPTED,
    "intermediate_is_missing": 20,
    "root_of_intermediate_is_missing": 20,
    "trusted_intermediate_is_no_anchor": 2,
    "trusted_intermediate_is_an_anchor_of_a_partial_chain": ACCEPTED,
    "trusted_leaf_is_no_anchor": 20,
    "trusted_leaf_is_an_anchor_of_a_partial_chain": ACCEPTED,
    "two_intermediates_of_each_others_name": 20,
    # Signatures.
    "leaf_signed_by_a_key_that_is_not_the_issuers": 7,
    "intermediate_signed_by_a_key_that_is_not_the_issuers": 7,
    "sha1_signature": 68,
    "sha1_signature_on_an_intermediate": 68,
    "sha1_signature_on_the_trusted_root": ACCEPTED,
    "sha224_signature": ACCEPTED,
    "rsa_1024_leaf": 66,
    "rsa_1024_root": 67,
    "rsa_2048_root_with_pkcs1": ACCEPTED,
    "rsa_2048_root_with_pss": ACCEPTED,
    "p192_root": 67,
    "p224_root": ACCEPTED,
    "p521_root_with_sha512": ACCEPTED,
    "ed25519_root": ACCEPTED,
    "ed448_root": ACCEPTED,
    # Dates.
    "expired": 10,
    "not_yet_valid": 9,
    "expired_intermediate": 10,
    "expired_root": 10,
    "root_not_yet_valid": 9,
    "expired_self_signed_leaf_that_is_trusted": 10,
    # Issuers that may not issue.
    "issued_by_a_leaf": 79,
    "issued_by_one_without_basic_constraints": 79,
    "issued_by_one_with_key_usage_and_without_basic_constraints": 79,
    "root_without_basic_constraints": 79,
    "root_that_says_it_is_no_authority": 79,
    "authority_without_key_usage": ACCEPTED,
    "path_length_is_kept": ACCEPTED,
    "path_length_of_the_root_is_exceeded": 25,
    "path_length_of_an_intermediate_is_exceeded": 25,
    "self_issued_intermediate_does_not_count_for_path_length": ACCEPTED,
    # What the certificate is for.
    "leaf_for_clients_only": 26,
    "leaf_for_code_signing_only": 26,
    "leaf_for_any_purpose": 26,
    "leaf_without_extended_key_usage": ACCEPTED,
    "intermediate_for_clients_only": 26,
    "root_for_clients_only": 26,
    "leaf_without_key_usage": ACCEPTED,
    "leaf_whose_key_may_only_sign_certificates": 26,
    "client_certificate": ACCEPTED,
    "server_certificate_of_a_client": 26,
    "untrusted_client_certificate": 20,
    "expired_client_certificate": 10,
    # Extensions and versions.
    "unknown_critical_extension": 34,
    "unknown_extension_that_is_not_critical": ACCEPTED,
    "unknown_critical_extension_of_an_intermediate": 34,
    "unknown_critical_extension_of_the_root": 34,
    "critical_policies": ACCEPTED,
    "critical_crl_distribution_points": ACCEPTED,
    "version_1_root": ACCEPTED,
    "version_1_intermediate": 79,
    "version_1_leaf": ACCEPTED,
    # Names.
    "another_host": 62,
    "another_host_that_is_not_checked": ACCEPTED,
    "another_address": 64,
    "address_as_a_host_name": 64,
    "common_name_beside_other_names": 62,
    "common_name_alone": ACCEPTED,
    "empty_subject": ACCEPTED,
    "issuer_name_in_another_case": ACCEPTED,
    # Name constraints.
    "name_is_permitted": ACCEPTED,
    "name_is_not_permitted": 47,
    "one_of_two_names_is_not_permitted": 47,
    "name_only_ends_like_the_permitted_one": 47,
    "name_is_excluded": 48,
    "everything_is_excluded": 48,
    "address_is_permitted": ACCEPTED,
    "address_is_not_permitted": 47,
    "address_is_excluded": 48,
    "name_among_permitted_addresses": ACCEPTED,
    "address_of_the_other_family_is_not_permitted": 47,
    "subject_is_not_permitted": 47,
    "subject_is_excluded": 48,
    "constraints_of_the_root_are_kept": 47,
    "constraint_of_a_kind_that_the_leaf_has_not": ACCEPTED,
    "wildcard_is_wider_than_the_permitted_name": 47,
}
"""The code that both libraries give."""

DIFFERENT = {
    "root_that_expired_is_replaced_by_a_cross_signed_one": (
        20,
        ACCEPTED,
        "a path that leads nowhere is given up for another one; OpenSSL 3.0 follows the first issuer only",
    ),
    "intermediate_without_cert_sign": (
        79,
        32,
        "the code says which rule is broken (RFC 5280 §6.1.4 (n)), OpenSSL's says only that it is no CA",
    ),
    "root_without_cert_sign": (79, 32, "as above"),
    "leaf_whose_key_may_only_encrypt": (
        ACCEPTED,
        26,
        "RFC 8446 §4.4.2.2: a key usage must have digitalSignature; OpenSSL does not look",
    ),
    "malformed_basic_constraints": (20, 1, "a malformed certificate ends the search at once, as bad_certificate"),
    "mail_address_in_the_subject_is_excluded": (
        48,
        ACCEPTED,
        "RFC 5280 §4.2.1.10: an address in the subject is constrained when there is no subjectAltName",
    ),
    "wildcard_covers_an_excluded_name": (
        ACCEPTED,
        48,
        "a wildcard that is good for an excluded name must not be passed; OpenSSL compares the text only",
    ),
}
"""Deliberate differences: the code of `ssl`, that of fasttls, and why."""

ALERTS_DIFFER = {
    9: "RFC 8446 §6.2: certificate_expired is for one that is not currently valid too; OpenSSL says bad_certificate",
}
"""Codes after which another alert is sent than OpenSSL sends, and why."""


def test_every_case_has_a_verdict() -> None:
    assert set(CASES) == set(EXPECTED) | set(DIFFERENT)
    assert not set(EXPECTED) & set(DIFFERENT)


@pytest.mark.parametrize("name", EXPECTED)
def test_both_judge_alike(name: str) -> None:
    case = CASES[name]()
    ours, theirs = judge(fasttls.SSLContext, case), judge(ssl.SSLContext, case)
    assert ours.code == EXPECTED[name]
    assert theirs.accepted == ours.accepted
    if OPENSSL_3_0:
        assert (ours.code, ours.words) == (theirs.code, theirs.words)


@pytest.mark.parametrize("name", DIFFERENT)
def test_difference_is_deliberate(name: str) -> None:
    case = CASES[name]()
    code_of_ssl, ours, _ = DIFFERENT[name]
    assert judge(fasttls.SSLContext, case).code == ours
    if OPENSSL_3_0:
        assert judge(ssl.SSLContext, case).code == code_of_ssl


@pytest.mark.skipif(not OPENSSL_3_0, reason="the alerts of OpenSSL 3.0 are compared")
@pytest.mark.parametrize("name", [name for name, code in EXPECTED.items() if code != ACCEPTED])
def test_alert_is_that_of_openssl(name: str) -> None:
    # RFC 8446 §6.2 leaves a choice between certificate alerts; peers know OpenSSL's.
    case = CASES[name]()
    ours, theirs = judge(fasttls.SSLContext, case), judge(ssl.SSLContext, case)
    assert ours.alert is not None
    if ours.code in ALERTS_DIFFER:
        assert ours.alert != theirs.alert
    else:
        assert ours.alert == theirs.alert


def test_differing_alert_is_the_one_that_the_rfc_names() -> None:
    assert judge(fasttls.SSLContext, CASES["not_yet_valid"]()).alert == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_error_is_the_standard_librarys() -> None:
    from trust.judges import both

    theirs, ours = both(CASES["another_host"]())
    assert theirs == ours
    assert ours == Verdict(
        62,
        "Hostname mismatch, certificate is not valid for 'localhost'.",
        "SSLV3_ALERT_BAD_CERTIFICATE",
    )
