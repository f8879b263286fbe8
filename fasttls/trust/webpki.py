"""The strictest profile: the form that the web's public authorities give certificates.

On top of VERIFY_X509_STRICT, what RFC 5280 asks of issuers and the CA/Browser Forum's Baseline Requirements
(section 7.1.2) of public certificates. Private authorities break these rules every day, so that they are asked for
by `trust.verify_chain(strict=True)` and not by VERIFY_X509_STRICT, which means what it means in OpenSSL.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from fasttls.trust.certificate import Certificate, UnknownFeature
from fasttls.trust.names import as_ip_address, host_names
from fasttls.trust.rules import refusal
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# The contents of the DER of identifiers: under id-ce, and anyExtendedKeyUsage.
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")
_NAME_CONSTRAINTS = bytes.fromhex("551d1e")
_EXTENDED_KEY_USAGE = bytes.fromhex("551d25")
_ANY_USAGE = bytes.fromhex("551d2500")

_LOOSE_IPV4 = re.compile(r"(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})(?:\.(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})){0,3}")

_LONGEST_SERIAL = 20  # octets, RFC 5280 §4.1.2.2


def check_web_pki(path: tuple[Certificate, ...]) -> None:
    """Hold a path to the form of the web's. Raises CertificateRejected."""
    for depth, certificate in enumerate(path):
        with suppress(UnknownFeature):  # RFC 7633 §4.2.3: it is about what a client offers, and this one does not
            len(certificate.extensions)  # all of them are well formed, or ValueError
        _check_serial(certificate, depth)
        _check_constraints(certificate, depth)
    top = len(path) - 1
    if top:
        _check_leaf(path[0])
        _check_root(path[top], top)


def _refused(certificate: Certificate, depth: int, rule: str, found: str, expected: str) -> CertificateRejected:
    return refusal(VerifyCode.INVALID_EXTENSION, certificate, depth, rule, found, expected)


def _check_serial(certificate: Certificate, depth: int) -> None:
    serial = certificate.serial
    if len(serial) > _LONGEST_SERIAL or serial[:1] > b"\x7f" or not any(serial):
        raise _refused(
            certificate, depth, "RFC 5280 §4.1.2.2", f"the serial number {serial.hex()}", "a positive one of 20 octets"
        )


def _check_constraints(certificate: Certificate, depth: int) -> None:
    """Name constraints are a CA's, and those on DNS names have no leading period (RFC 5280 §4.2.1.10)."""
    if _NAME_CONSTRAINTS not in certificate.extension_values:
        return
    if not certificate.ca:
        raise _refused(certificate, depth, "RFC 5280 §4.2.1.10", "name constraints of no CA", "none")
    constraints: x509.NameConstraints = certificate.extension(ExtensionOID.NAME_CONSTRAINTS)
    for base in (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())):
        if isinstance(base, x509.DNSName) and base.value.startswith("."):
            raise _refused(certificate, depth, "RFC 5280 §4.2.1.10", f"a constraint on {base.value}", "a host name")


def _check_leaf(leaf: Certificate) -> None:
    rule = "Baseline Requirements §7.1.2.7"
    if leaf.ca:
        raise _refused(leaf, 0, rule, "basicConstraints with cA true", "cA false")
    alternative = leaf.extension_values.get(_SUBJECT_ALTERNATIVE_NAME)
    if alternative is not None and alternative[0] and leaf.subject:
        raise _refused(leaf, 0, rule, "a critical subjectAltName beside a subject", "one that is not critical")
    names = host_names(leaf)
    for attribute in leaf.subject_name.get_attributes_for_oid(NameOID.COMMON_NAME):
        name = str(attribute.value)
        if name not in names and _is_misspelt(name, names):
            raise _refused(leaf, 0, rule, f"the common name {name}", f"one of {', '.join(names)}, to the letter")
    uses = leaf.extended_key_usage
    if uses is not None and (_ANY_USAGE in uses or leaf.extension_values[_EXTENDED_KEY_USAGE][0]):
        raise _refused(leaf, 0, rule, "an extended key usage that is critical or for anything", "neither")


def _is_misspelt(name: str, names: list[str]) -> bool:
    """Whether a common name is a host name or an address in another form than names are (BR §7.1.4.3)."""
    if any(name.casefold() == known.casefold() for known in names):
        return True
    if not name.isascii():
        return "." in name and not any(letter.isspace() for letter in name)  # a name with U-labels
    if ":" in name:
        return as_ip_address(name) is not None and str(ip_address(name)) != name
    # What the C library's inet_aton takes for an address, and nobody should write.
    return _LOOSE_IPV4.fullmatch(name) is not None and as_ip_address(name) is None


def _check_root(root: Certificate, depth: int) -> None:
    rule = "Baseline Requirements §7.1.2.1"
    if root.extended_key_usage is not None:
        raise _refused(root, depth, rule, "an extended key usage", "none")
    if root.authority_serial is not None:
        raise _refused(root, depth, rule, "an authority key identifier with a serial number", "the key's alone")
