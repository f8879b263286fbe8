"""Chains to be judged, good and bad, by name: each is a function that makes the case."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from ipaddress import ip_network

from certs import CLIENT, DAY, NOW, SERVER, distinguished_name
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from trust.forge import ECDSA_SHA1, HOST, Entity, extension, intermediate, leaf, make, root, spare_key
from trust.judges import Case

CASES: dict[str, Callable[[], Case]] = {}


def case(function: Callable[[], Case]) -> Callable[[], Case]:
    """Put a case into the table, under its function's name."""
    CASES[function.__name__] = function
    return function


# Trust.


@case
def good() -> Case:
    top = root()
    return Case([leaf(top)], [top])


@case
def good_with_intermediates() -> Case:
    top = root()
    upper = intermediate("Upper", top)
    lower = intermediate("Lower", upper)
    return Case([leaf(lower), lower, upper], [top])


@case
def intermediates_in_the_wrong_order_among_strangers() -> Case:
    top = root()
    upper = intermediate("Upper", top)
    lower = intermediate("Lower", upper)
    return Case([leaf(lower), root("Stranger"), upper, lower], [top])


@case
def root_is_sent_too() -> Case:
    top = root()
    return Case([leaf(top), top], [top])


@case
def nothing_is_trusted() -> Case:
    return Case([leaf(root())], [])


@case
def another_root_is_trusted() -> Case:
    return Case([leaf(root())], [root("Other")])


@case
def root_of_the_same_name_is_trusted() -> Case:
    # The key identifiers tell the two apart.
    return Case([leaf(root())], [root()])


@case
def root_of_the_same_name_without_identifiers_is_trusted() -> Case:
    return Case([leaf(root(), identifiers=False)], [root(identifiers=False)])


@case
def untrusted_root_is_sent() -> Case:
    top = root()
    return Case([leaf(top), top], [root("Other")])


@case
def self_signed_leaf() -> Case:
    return Case([leaf(None)], [root()])


@case
def self_signed_leaf_is_trusted_itself() -> Case:
    alone = leaf(None)
    return Case([alone], [alone])


@case
def self_signed_authority_is_trusted_itself_as_a_server() -> Case:
    alone = leaf(None, ca=True, usage=("digital_signature", "key_cert_sign"))
    return Case([alone], [alone])


@case
def intermediate_is_missing() -> Case:
    top = root()
    return Case([leaf(intermediate("Middle", top))], [top])


@case
def root_of_intermediate_is_missing() -> Case:
    middle = intermediate("Middle", root())
    return Case([leaf(middle), middle], [])


@case
def trusted_intermediate_is_no_anchor() -> Case:
    middle = intermediate("Middle", root())
    return Case([leaf(middle), middle], [middle])


@case
def trusted_intermediate_is_an_anchor_of_a_partial_chain() -> Case:
    middle = intermediate("Middle", root())
    return Case([leaf(middle), middle], [middle], flags=ssl.VERIFY_X509_PARTIAL_CHAIN)


@case
def trusted_leaf_is_no_anchor() -> Case:
    one = leaf(root())
    return Case([one], [one])


@case
def trusted_leaf_is_an_anchor_of_a_partial_chain() -> Case:
    one = leaf(root())
    return Case([one], [one], flags=ssl.VERIFY_X509_PARTIAL_CHAIN)


@case
def root_that_expired_is_replaced_by_a_cross_signed_one() -> Case:
    old, new = root("Old", not_after=NOW - DAY / 2), root("New")
    key = spare_key(1)
    by_old = intermediate("Middle", old, key=key)
    by_new = intermediate("Middle", new, key=key)
    return Case([leaf(by_new), by_old, by_new], [new])


@case
def two_intermediates_of_each_others_name() -> Case:
    first_key, second_key = spare_key(1), spare_key(2)
    first = root("First", key=first_key)
    second = intermediate("Second", first, key=second_key)
    loop = intermediate("First", second, key=first_key)
    return Case([leaf(second), second, loop], [])


# Signatures.


@case
def leaf_signed_by_a_key_that_is_not_the_issuers() -> Case:
    top = root(identifiers=False)
    return Case([leaf(root(identifiers=False), identifiers=False)], [top])


@case
def intermediate_signed_by_a_key_that_is_not_the_issuers() -> Case:
    middle = intermediate("Middle", root(identifiers=False), identifiers=False)
    return Case([leaf(middle, identifiers=False), middle], [root(identifiers=False)])


def _with_sha1(subject: Entity, issuer: Entity) -> bytes:
    return issuer.signs(lambda tbs: [*tbs[:2], ECDSA_SHA1, *tbs[3:]], subject, sha1=True)


@case
def sha1_signature() -> Case:
    top = root()
    one = leaf(top)
    return Case([_with_sha1(one, top)], [top], key=one.key)


@case
def sha1_signature_on_an_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top)
    return Case([leaf(middle), _with_sha1(middle, top)], [top])


@case
def sha1_signature_on_the_trusted_root() -> Case:
    top = root()
    return Case([leaf(top)], [_with_sha1(top, top)])


@case
def sha224_signature() -> Case:
    top = root()
    return Case([leaf(top, digest=hashes.SHA224())], [top])


@case
def rsa_1024_leaf() -> Case:
    top = root()
    return Case([leaf(top, key=spare_key(1, "rsa-1024"))], [top])


@case
def rsa_1024_root() -> Case:
    top = root(key=spare_key(1, "rsa-1024"))
    return Case([leaf(top)], [top])


@case
def rsa_2048_root_with_pkcs1() -> Case:
    top = root(key=spare_key(1, "rsa-2048"))
    return Case([leaf(top)], [top])


@case
def rsa_2048_root_with_pss() -> Case:
    top = root(key=spare_key(1, "rsa-2048"))
    return Case([leaf(top, pss=True)], [top])


@case
def p192_root() -> Case:
    top = root(key=spare_key(1, "p192"))
    return Case([leaf(top)], [top])


@case
def p224_root() -> Case:
    top = root(key=spare_key(1, "p224"))
    return Case([leaf(top)], [top])


@case
def p521_root_with_sha512() -> Case:
    top = root(key=spare_key(1, "p521"))
    return Case([leaf(top, digest=hashes.SHA512())], [top])


@case
def ed25519_root() -> Case:
    top = root(key=spare_key(1, "ed25519"))
    return Case([leaf(top)], [top])


@case
def ed448_root() -> Case:
    top = root(key=spare_key(1, "ed448"))
    return Case([leaf(top)], [top])


# Dates.


@case
def expired() -> Case:
    top = root()
    return Case([leaf(top, not_before=NOW - 3 * DAY, not_after=NOW - DAY)], [top])


@case
def not_yet_valid() -> Case:
    top = root()
    return Case([leaf(top, not_before=NOW + DAY)], [top])


@case
def expired_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top, not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    return Case([leaf(middle), middle], [top])


@case
def expired_root() -> Case:
    top = root(not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    return Case([leaf(top)], [top])


@case
def root_not_yet_valid() -> Case:
    top = root(not_before=NOW + DAY)
    return Case([leaf(top)], [top])


@case
def expired_self_signed_leaf_that_is_trusted() -> Case:
    alone = leaf(None, not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    return Case([alone], [alone])


# Issuers that may not issue.


@case
def issued_by_a_leaf() -> Case:
    top = root()
    middle = make("Middle", top)
    return Case([leaf(middle), middle], [top])


@case
def issued_by_one_without_basic_constraints() -> Case:
    top = root()
    middle = make("Middle", top, ca=None, usage=None)
    return Case([leaf(middle), middle], [top])


@case
def issued_by_one_with_key_usage_and_without_basic_constraints() -> Case:
    top = root()
    middle = intermediate("Middle", top, ca=None)
    return Case([leaf(middle), middle], [top])


@case
def root_without_basic_constraints() -> Case:
    top = root(ca=None, usage=None)
    return Case([leaf(top)], [top])


@case
def root_that_says_it_is_no_authority() -> Case:
    top = root(ca=False)
    return Case([leaf(top)], [top])


@case
def intermediate_without_cert_sign() -> Case:
    top = root()
    middle = intermediate("Middle", top, usage=("crl_sign", "digital_signature"))
    return Case([leaf(middle), middle], [top])


@case
def root_without_cert_sign() -> Case:
    top = root(usage=("crl_sign",))
    return Case([leaf(top)], [top])


@case
def authority_without_key_usage() -> Case:
    top = root(usage=None)
    return Case([leaf(top)], [top])


@case
def path_length_is_kept() -> Case:
    top = root(path_length=1)
    middle = intermediate("Middle", top, path_length=0)
    return Case([leaf(middle), middle], [top])


@case
def path_length_of_the_root_is_exceeded() -> Case:
    top = root(path_length=0)
    middle = intermediate("Middle", top)
    return Case([leaf(middle), middle], [top])


@case
def path_length_of_an_intermediate_is_exceeded() -> Case:
    top = root()
    upper = intermediate("Upper", top, path_length=0)
    lower = intermediate("Lower", upper)
    return Case([leaf(lower), lower, upper], [top])


@case
def self_issued_intermediate_does_not_count_for_path_length() -> Case:
    # RFC 5280 §6.1.4 (l): a root's new key, signed by its old one.
    top = root(path_length=0)
    renewed = intermediate("Root", top)
    return Case([leaf(renewed), renewed], [top])


# What the certificate is for.


@case
def leaf_for_clients_only() -> Case:
    top = root()
    return Case([leaf(top, purposes=(CLIENT,))], [top])


@case
def leaf_for_code_signing_only() -> Case:
    top = root()
    return Case([leaf(top, purposes=(ExtendedKeyUsageOID.CODE_SIGNING,))], [top])


@case
def leaf_for_any_purpose() -> Case:
    top = root()
    return Case([leaf(top, purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))], [top])


@case
def leaf_without_extended_key_usage() -> Case:
    top = root()
    return Case([leaf(top, purposes=None)], [top])


@case
def intermediate_for_clients_only() -> Case:
    top = root()
    middle = intermediate("Middle", top, purposes=(CLIENT,))
    return Case([leaf(middle), middle], [top])


@case
def root_for_clients_only() -> Case:
    top = root(purposes=(CLIENT,))
    return Case([leaf(top)], [top])


@case
def leaf_without_key_usage() -> Case:
    top = root()
    return Case([leaf(top, usage=None)], [top])


@case
def leaf_whose_key_may_only_sign_certificates() -> Case:
    top = root()
    return Case([leaf(top, usage=("key_cert_sign",))], [top])


@case
def leaf_whose_key_may_only_encrypt() -> Case:
    top = root()
    return Case([leaf(top, usage=("key_encipherment",))], [top])


@case
def client_certificate() -> Case:
    top = root()
    return Case([leaf(top, purposes=(CLIENT,))], [top], client_certificate=True)


@case
def server_certificate_of_a_client() -> Case:
    top = root()
    return Case([leaf(top, purposes=(SERVER,))], [top], client_certificate=True)


@case
def untrusted_client_certificate() -> Case:
    return Case([leaf(root(), purposes=(CLIENT,))], [root("Other")], client_certificate=True)


@case
def expired_client_certificate() -> Case:
    top = root()
    one = leaf(top, purposes=(CLIENT,), not_after=NOW - DAY / 2)
    return Case([one], [top], client_certificate=True)


# Extensions.


@case
def unknown_critical_extension() -> Case:
    top = root()
    return Case([leaf(top, extensions=[extension("1.3.6.1.4.1.99999.1", b"\5\0", critical=True)])], [top])


@case
def unknown_extension_that_is_not_critical() -> Case:
    top = root()
    return Case([leaf(top, extensions=[extension("1.3.6.1.4.1.99999.1", b"\5\0")])], [top])


@case
def unknown_critical_extension_of_an_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top, extensions=[extension("1.3.6.1.4.1.99999.1", b"\5\0", critical=True)])
    return Case([leaf(middle), middle], [top])


@case
def unknown_critical_extension_of_the_root() -> Case:
    top = root(extensions=[extension("1.3.6.1.4.1.99999.1", b"\5\0", critical=True)])
    return Case([leaf(top)], [top])


@case
def critical_policies() -> Case:
    top = root()
    policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)])
    return Case([leaf(top, extensions=[(policy, True)])], [top])


@case
def critical_crl_distribution_points() -> Case:
    top = root()
    where = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example/1")], None, None, None)
    return Case([leaf(top, extensions=[(x509.CRLDistributionPoints([where]), True)])], [top])


def _version_1(subject: Entity, issuer: Entity) -> bytes:
    return issuer.signs(lambda tbs: tbs[1:-1], subject)


@case
def version_1_root() -> Case:
    top = root()
    return Case([leaf(top)], [_version_1(top, top)])


@case
def version_1_intermediate() -> Case:
    top = root()
    middle = intermediate("Middle", top)
    return Case([leaf(middle), _version_1(middle, top)], [top])


@case
def version_1_leaf() -> Case:
    top = root()
    one = leaf(top)
    return Case([_version_1(one, top)], [top], key=one.key, host=None)


@case
def malformed_basic_constraints() -> Case:
    top = root()
    bad = extension("2.5.29.19", b"\x30\x03\x02\x01\xff")
    middle = intermediate("Middle", top, ca=None, extensions=[bad])
    return Case([leaf(middle), middle], [top])


# Names.


@case
def another_host() -> Case:
    top = root()
    return Case([leaf(top, "other.example")], [top])


@case
def another_host_that_is_not_checked() -> Case:
    top = root()
    return Case([leaf(top, "other.example")], [top], host=None)


@case
def another_address() -> Case:
    top = root()
    return Case([leaf(top, "127.0.0.2")], [top], host="127.0.0.1")


@case
def address_as_a_host_name() -> Case:
    top = root()
    name = x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")])
    return Case([make("leaf", top, extensions=[(name, False)])], [top], host="127.0.0.1")


@case
def common_name_beside_other_names() -> Case:
    top = root()
    return Case([make(HOST, top, names=("other.example",))], [top])


@case
def common_name_alone() -> Case:
    top = root()
    return Case([make(HOST, top)], [top])


@case
def empty_subject() -> Case:
    top = root()
    name = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    return Case([make(x509.Name([]), top, extensions=[(name, True)])], [top])


@case
def issuer_name_in_another_case() -> Case:
    # RFC 5280 §7.1: comparing names ignores case and runs of white space.
    top = root("The  Root")
    return Case([leaf(top, issuer_name="the root")], [top])


# Name constraints.


def _constrained(permitted: list[x509.GeneralName], excluded: list[x509.GeneralName], *names: str) -> Case:
    top = root()
    rule = x509.NameConstraints(permitted or None, excluded or None)
    middle = intermediate("Middle", top, extensions=[(rule, True)])
    return Case([leaf(middle, *names), middle], [top], host=names[0] if "*" not in names[0] else None)


@case
def name_is_permitted() -> Case:
    return _constrained([x509.DNSName("example.com")], [], "www.example.com")


@case
def name_is_not_permitted() -> Case:
    return _constrained([x509.DNSName("example.com")], [], "www.example.org")


@case
def one_of_two_names_is_not_permitted() -> Case:
    return _constrained([x509.DNSName("example.com")], [], "www.example.com", "www.example.org")


@case
def name_only_ends_like_the_permitted_one() -> Case:
    return _constrained([x509.DNSName("example.com")], [], "notexample.com")


@case
def name_is_excluded() -> Case:
    return _constrained([], [x509.DNSName("example.com")], "www.EXAMPLE.com")


@case
def everything_is_excluded() -> Case:
    return _constrained([], [x509.DNSName("")], "www.example.com")


@case
def address_is_permitted() -> Case:
    return _constrained([x509.IPAddress(ip_network("127.0.0.0/8"))], [], "127.0.0.1")


@case
def address_is_not_permitted() -> Case:
    return _constrained([x509.IPAddress(ip_network("10.0.0.0/8"))], [], "127.0.0.1")


@case
def address_is_excluded() -> Case:
    return _constrained([], [x509.IPAddress(ip_network("127.0.0.0/8"))], "127.0.0.1")


@case
def name_among_permitted_addresses() -> Case:
    return _constrained([x509.IPAddress(ip_network("10.0.0.0/8"))], [], "www.example.com")


@case
def address_of_the_other_family_is_not_permitted() -> Case:
    return _constrained([x509.IPAddress(ip_network("10.0.0.0/8"))], [], "::1")


@case
def subject_is_not_permitted() -> Case:
    return _constrained([x509.DirectoryName(distinguished_name("someone else"))], [], HOST)


@case
def subject_is_excluded() -> Case:
    return _constrained([], [x509.DirectoryName(distinguished_name("leaf"))], HOST)


@case
def mail_address_in_the_subject_is_excluded() -> Case:
    top = root()
    rule = x509.NameConstraints(None, [x509.RFC822Name("example.com")])
    middle = intermediate("Middle", top, extensions=[(rule, True)])
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@example.com")])
    return Case([make(subject, middle, names=(HOST,)), middle], [top])


@case
def constraints_of_the_root_are_kept() -> Case:
    top = root(extensions=[(x509.NameConstraints([x509.DNSName("example.com")], None), True)])
    return Case([leaf(top)], [top])


@case
def constraint_of_a_kind_that_the_leaf_has_not() -> Case:
    return _constrained([x509.RFC822Name("example.com")], [], HOST)


@case
def wildcard_covers_an_excluded_name() -> Case:
    # The certificate is good for the very name that the authority may not vouch for.
    return _constrained([], [x509.DNSName("bar.example.com")], "*.example.com")


@case
def wildcard_is_wider_than_the_permitted_name() -> Case:
    return _constrained([x509.DNSName("bar.example.com")], [], "*.example.com")
