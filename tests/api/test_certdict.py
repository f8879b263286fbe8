"""getpeercert() and what the other methods tell of certificates, compared with `ssl` on the same certificate."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import sys
from pathlib import Path

import pytest
from api.peers import Bios, client_context, server_context
from certs import Authority, Credential, server_credential, test_root
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

import fasttls

URI = x509.UniformResourceIdentifier
EXAMPLE = "http://pki.example/"


def _rich() -> Credential:
    """Return a certificate with everything that the dict shows."""
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.DNSName("*.wild.example"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.IPAddress(ipaddress.ip_address("2001:db8:0:1::abcd")),
            x509.RFC822Name("someone@example.com"),
            URI("https://example.com/path?a=b"),
            x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
            x509.DirectoryName(_subject()),
            x509.OtherName(ObjectIdentifier("1.2.3.4.5"), b"\x0c\x01x"),
        ]
    )
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, URI(EXAMPLE + "ocsp")),
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, URI(EXAMPLE + "ocsp2")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, URI(EXAMPLE + "ca")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.DNSName("no.uri.example")),
        ]
    )
    points = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint([URI(EXAMPLE + "crl"), URI(EXAMPLE + "crl2")], None, None, None),
            x509.DistributionPoint([x509.DirectoryName(_subject())], None, None, None),
        ]
    )
    extensions = ((names, False), (access, False), (points, False))
    return test_root().issue(common_name="rich", extensions=extensions)


def _subject() -> x509.Name:
    attribute = x509.NameAttribute
    return x509.Name(
        [
            attribute(NameOID.COUNTRY_NAME, "DE"),
            attribute(NameOID.STATE_OR_PROVINCE_NAME, "Süden"),
            attribute(NameOID.LOCALITY_NAME, "Ort"),
            attribute(NameOID.ORGANIZATION_NAME, "Firma, GmbH & Co. = KG"),
            attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Abteilung"),
            attribute(NameOID.COMMON_NAME, "localhost"),
            attribute(NameOID.EMAIL_ADDRESS, "someone@example.com"),
            attribute(NameOID.SERIAL_NUMBER, "42"),
            attribute(NameOID.JURISDICTION_COUNTRY_NAME, "DE"),
            attribute(ObjectIdentifier("1.2.3.4.5.6"), "unknown"),
        ]
    )


def _seen(credential: Credential, tmp_path: Path, folder: Path) -> list[object]:
    """Return the dict as `ssl` makes it and as fasttls does, for the same server."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*credential.write(tmp_path))
    found = []
    for library in (ssl, fasttls):
        client = client_context(library, folder)
        client.check_hostname = False
        found.append(Bios(client, server).handshake().client.getpeercert())
    return found


def test_plain_certificate(tmp_path: Path, folder: Path) -> None:
    theirs, ours = _seen(server_credential(), tmp_path, folder)
    assert ours == theirs
    assert list(ours) == list(theirs)  # type: ignore[call-overload]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # ssl's, of an unknown kind of name
def test_certificate_with_everything(tmp_path: Path, folder: Path) -> None:
    theirs, ours = _seen(_rich(), tmp_path, folder)
    assert ours == theirs


@pytest.mark.parametrize(
    "moment",
    [
        datetime.datetime(2049, 12, 31, 23, 59, 59, tzinfo=datetime.UTC),
        datetime.datetime(2050, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC),
    ],
)
def test_dates(tmp_path: Path, folder: Path, moment: datetime.datetime) -> None:
    theirs, ours = _seen(test_root().issue("localhost", not_after=moment), tmp_path, folder)
    assert ours == theirs
    assert ssl.cert_time_to_seconds(ours["notAfter"]) == moment.timestamp()  # type: ignore[index]


def test_dates_are_english_in_every_locale(tmp_path: Path, folder: Path) -> None:
    # `ssl` and cert_time_to_seconds() know English months alone; strftime("%b") follows the locale.
    import inspect

    from fasttls.api import certdict

    assert "%b" not in inspect.getsource(certdict)


def test_chains(tmp_path: Path, folder: Path) -> None:
    middle = Authority("Middle", parent=test_root())
    credential = middle.issue("localhost")
    server = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*credential.write(tmp_path))
    sent = [credential.der, middle.der]
    told = []
    for library in (ssl, fasttls):
        one = Bios(client_context(library, folder), server).handshake().client
        if sys.version_info >= (3, 13):
            told.append((one.get_unverified_chain(), one.get_verified_chain()))
        else:
            chains = one._sslobj.get_unverified_chain(), one._sslobj.get_verified_chain()
            told.append(tuple([found.public_bytes(2) for found in chain] for chain in chains))
    assert told[0] == told[1] == (sent, [*sent, test_root().der])


def test_unverified_certificate_is_shown_in_binary_only(folder: Path) -> None:
    for library in (ssl, fasttls):
        client = library._create_unverified_context()
        one = Bios(client, server_context(fasttls, folder)).handshake().client
        assert one.getpeercert() == {}
        assert one.getpeercert(binary_form=True) == server_credential().der


def test_trusted_certificates_are_shown_as_by_ssl(folder: Path) -> None:
    told = [client_context(library, folder).get_ca_certs() for library in (ssl, fasttls)]
    assert told[0] == told[1]
