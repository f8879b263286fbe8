"""What a context shows of itself and whom it trusts: certificates, keys, authorities, revocation."""

from __future__ import annotations

import os
import ssl

from fasttls.api.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from cryptography.x509 import CertificateRevocationList
    from typing_extensions import Buffer

    from fasttls.api.keyfile import Path
    from fasttls.api.staple import OcspSource
    from fasttls.handshake.config import Credential
    from fasttls.trust.policy import OCSPStapling
    from fasttls.trust.store import TrustStore

    CrlSource = bytes | CertificateRevocationList | str | os.PathLike[str] | Iterable[bytes | CertificateRevocationList]


def _trust_store() -> TrustStore:
    from fasttls.trust.store import TrustStore

    return TrustStore()


def _no_stapling() -> OCSPStapling:
    from fasttls.trust.policy import OCSPStapling

    return OCSPStapling.OFF


class TrustSettings:
    """The part of SSLContext that is about certificates."""

    _trust: TrustStore = later(_trust_store)
    _credentials: tuple[Credential, ...] = ()
    _ocsp_stapling: OCSPStapling = later(_no_stapling)
    _level: int

    def load_cert_chain(self, certfile: Path, keyfile: Path | None = None, password: Any = None) -> None:
        """Load a PEM chain and its private key; one of another key type is added, of the same replaced."""
        from fasttls.api.keyfile import load_credential

        self._add_credential(load_credential(certfile, keyfile, password))

    def use_certificate(self, chain: object, key: object, password: Any = None) -> None:
        """Use a chain and the key of its first certificate, straight from memory; one of the same key type is replaced.

        chain is PEM text, PEM or DER bytes, one of `cryptography`'s certificates, or a list of these,
        the own certificate first. key is PEM or DER, encrypted when there is a password (or a function
        that returns it), one of `cryptography`'s private keys, or any object that signs, as
        `fasttls.crypto.signatures.Signer` has it. Raises ssl.SSLError for what cannot be used, a key
        that is not the certificate's among it.
        """
        from fasttls.api.keyfile import credential_of

        self._add_credential(credential_of(chain, key, password))

    def _add_credential(self, credential: Credential) -> None:
        from fasttls.api.errors import ssl_error
        from fasttls.api.keyfile import key_type
        from fasttls.trust.certificate import CERTIFICATES
        from fasttls.trust.policy import Strength
        from fasttls.trust.rules import check_strength
        from fasttls.trust.verdicts import CertificateRejected, VerifyCode

        leaf = CERTIFICATES.parse(credential.chain[0])
        try:
            check_strength(leaf, 0, Strength.of_level(self._level), trusted=leaf.self_issued)
        except CertificateRejected as exc:
            reason = "CA_MD_TOO_WEAK" if exc.verify_code == VerifyCode.CA_MD_TOO_WEAK else "EE_KEY_TOO_SMALL"
            raise ssl_error(reason, f"{reason.lower().replace('_', ' ')}: {exc.detail}") from exc
        kept = tuple(one for one in self._credentials if key_type(one) != key_type(credential))
        self._credentials = (*kept, credential)

    def set_ocsp_response(self, source: OcspSource) -> None:
        """Staple an OCSP response to the certificate that was loaded last, for clients that ask (RFC 6066 §8).

        source is the response itself, DER bytes; the path of a file, str or PathLike, that is read
        again when it changes; a function that returns the response or None; or None for no response.
        Raises ValueError when no certificate is loaded, OSError for a file that cannot be read.
        """
        if not self._credentials:
            raise ValueError("a certificate is loaded first, then its OCSP response")
        from dataclasses import replace

        from fasttls.api.staple import staple_of

        *others, last = self._credentials
        self._credentials = (*others, replace(last, staple=staple_of(source)))

    @property
    def ocsp_stapling(self) -> OCSPStapling:
        """Whether a client asks for a stapled OCSP response, and whether there must be a good one.

        It counts for clients that verify, and is OFF at first, as in `ssl`, which has no OCSP.
        """
        return self._ocsp_stapling

    @ocsp_stapling.setter
    def ocsp_stapling(self, mode: OCSPStapling) -> None:
        from fasttls.trust.policy import OCSPStapling

        self._ocsp_stapling = OCSPStapling(mode)

    def _changed(self) -> None:
        """Let the next connection look at the settings anew."""

    def load_verify_locations(
        self,
        cafile: Path | None = None,
        capath: Path | None = None,
        cadata: str | Buffer | None = None,
    ) -> None:
        """Trust the certificates of a PEM file, a directory of hashed names, or PEM text or DER bytes."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        from fasttls.api.errors import ssl_error
        from fasttls.trust import files
        from fasttls.trust.bundle import read_bundle
        from fasttls.trust.pem import NotBase64

        if cafile is not None:
            files.encoded(cafile, "cafile")
        if capath is not None and not files.encoded(capath, "capath"):
            raise ssl_error("INVALID_DIRECTORY", "invalid directory: it has no name", library="X509")
        if cadata is not None and not cadata:
            raise ValueError("Empty certificate data")
        try:
            if cadata is not None:
                self._add_trusted(_certificates_of(cadata))
            if cafile is not None:
                bundle = read_bundle(cafile)
                try:
                    bundle.check()
                except ValueError as exc:
                    raise type(exc)(f"{exc}: {os.fsdecode(cafile)!r}{_what_it_is(cafile)}") from exc.__cause__
                self._trust.add_bundle(bundle)
        except ValueError as exc:
            if isinstance(exc, NotBase64) or isinstance(exc.__cause__, NotBase64):
                raise ssl_error(None, f"PEM lib: {exc}", library="X509") from exc
            raise ssl_error(
                "NO_CERTIFICATE_OR_CRL_FOUND", f"no certificate or crl found: {exc}", library="X509"
            ) from exc
        if capath is not None:
            self._trust.add_directories(capath)
        self._changed()

    def trust(self, authorities: object) -> None:
        """Trust certificates straight from memory: PEM or DER, `cryptography` objects, or a list of these.

        Raises ssl.SSLError for what is malformed, ValueError when there is none.
        """
        from fasttls.api.errors import ssl_error
        from fasttls.api.keyfile import certificate_ders

        try:
            found = certificate_ders(authorities)
        except ValueError as exc:
            raise ssl_error("ASN1_LIB", f"ASN1 lib: a certificate is malformed: {exc}", library="X509") from exc
        if not found:
            raise ValueError("there is no certificate to trust")
        self._add_trusted(found)
        self._changed()

    def use_crls(self, crls: CrlSource, *, replace: bool = False) -> None:
        """Take certificate revocation lists, for VERIFY_CRL_CHECK_LEAF and VERIFY_CRL_CHECK_CHAIN.

        crls is PEM or DER bytes, one of `cryptography`'s lists, a list of these, or the path of a
        file, str or PathLike, which is read again whenever it changes. With replace, those that were
        given before count no longer, those of files aside. A list takes effect on the next handshake, of
        this context and of connections wrapped before. Raises OSError, and ValueError for what is malformed.
        """
        if isinstance(crls, str | os.PathLike):
            self._trust.add_crl_file(crls, replace=replace)
            return
        from cryptography.x509 import CertificateRevocationList

        from fasttls.trust.crl import crl_der

        given = [crls] if isinstance(crls, bytes | bytearray | CertificateRevocationList) else list(crls)
        ders = [der for one in given for der in crl_der(one)]
        self._trust.add_crls(ders, replace=replace)

    def _add_trusted(self, found: Iterable[bytes]) -> None:
        for der in found:
            try:
                self._trust.add(der)
            except ValueError as exc:
                from fasttls.api.errors import ssl_error

                raise ssl_error("ASN1_LIB", f"ASN1 lib: a certificate is malformed: {exc}", library="X509") from exc

    def set_default_verify_paths(self) -> None:
        """Trust what the platform trusts."""
        from fasttls.trust.store import add_default_paths

        add_default_paths(self._trust)

    def load_default_certs(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        """Trust what the platform trusts for a purpose."""
        if not isinstance(purpose, ssl._ASN1Object):
            raise TypeError(purpose)
        self.set_default_verify_paths()

    def get_ca_certs(self, binary_form: bool = False) -> list[Any]:
        """Return the trusted certificates that are CAs, as DER or as dicts."""
        from fasttls.api.certdict import certificate_dict

        return [
            certificate.der if binary_form else certificate_dict(certificate.der)
            for certificate in self._trust
            if certificate.is_ca
        ]

    def cert_store_stats(self) -> dict[str, int]:
        """Return how many certificates, CAs among them and CRLs are loaded."""
        loaded = list(self._trust)
        authorities = sum(certificate.is_ca for certificate in loaded)
        return {"x509": len(loaded), "crl": len(self._trust.loaded_crls), "x509_ca": authorities}


def _what_it_is(path: Path) -> str:
    """Return what a file seems to be that has no certificates, for messages."""
    from fasttls.trust import files

    try:
        start = files.read(path)[:4096]
    except OSError:
        return ""
    if start[:1] == b"\x30":
        return " is DER, and PEM is wanted; cadata takes DER"
    if b"PRIVATE KEY-----" in start:
        return " has a private key"
    return "" if start.strip() else " is empty"


def _certificates_of(cadata: str | Buffer) -> list[bytes]:
    """Return the certificates of PEM text or DER bytes. Raises ValueError when there is none."""
    from fasttls.api.errors import ssl_error
    from fasttls.trust.pem import der_certificates, pem_certificates

    if isinstance(cadata, str):
        try:
            found = pem_certificates(cadata.encode("ascii"))
        except UnicodeEncodeError:
            raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
        if not found:
            raise ssl_error("NO_START_LINE", "no start line: cadata does not contain a certificate", library="PEM")
        return found
    try:
        data = bytes(memoryview(cadata))
    except TypeError:
        raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
    try:
        return der_certificates(data)
    except ValueError as exc:
        raise ssl_error(
            "NOT_ENOUGH_DATA",
            f"not enough data: cadata does not contain a certificate: {exc}",
            library="ASN1",
        ) from exc
