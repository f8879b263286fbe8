"""Trust stores: what PEM and DER they read, and that they find issuers wherever they are."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from trust.forge import leaf, root
from trust.judges import pem

from fasttls.trust.certificate import Certificate, CertificateCache, canonical_name
from fasttls.trust.path import Policy, Purpose, verify_chain
from fasttls.trust.pem import der_certificates, pem_certificates
from fasttls.trust.store import TrustStore, add_default_paths, directory_source, read_file


def test_pem_may_have_other_text_around_it() -> None:
    one, other = root("One"), root("Other")
    text = f"# one\n{pem([one])}\nCertificate: other\r\n{pem([other])}trailing"
    assert pem_certificates(text.encode()) == [one.der, other.der]


def test_pem_with_other_line_ends() -> None:
    one = root()
    assert pem_certificates(pem([one]).replace("\n", "\r\n").encode()) == [one.der]


@pytest.mark.parametrize("kind", ["X509 CRL", "TRUSTED CERTIFICATE"])
def test_pem_that_would_change_what_is_trusted_is_not_passed_over(kind: str) -> None:
    text = pem([root()]).replace("CERTIFICATE", kind)
    with pytest.raises(ValueError, match="not supported"):
        pem_certificates(text.encode())


def test_pem_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        pem_certificates(b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n")


def test_der_certificates_stand_one_after_another() -> None:
    one, other = root("One").der, root("Other").der
    assert der_certificates(one + other) == [one, other]
    assert der_certificates(b"") == []


@pytest.mark.parametrize(
    "data", [b"\x31\x00", b"\x30", b"\x30\x80", b"\x30\x85\1\1\1\1\1", b"\x30\x82\xff", b"\x30\x05\0"]
)
def test_der_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="DER certificate"):
        der_certificates(data)


def test_malformed_trusted_certificate_counts_for_nothing() -> None:
    good = root()
    store = TrustStore()
    store.add_unchecked(b"\x30\x00")
    store.add_unchecked(good.der)
    assert [one.der for one in store] == [good.der]
    assert store.find(canonical_name(good.name)) == [Certificate(good.der)]


def test_certificate_is_kept_once() -> None:
    store, one = TrustStore(), root()
    store.add(one.der)
    store.add(one.der)
    assert len(list(store)) == 1


def test_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="no certificate"):
        read_file(file)


def test_directory_of_hashed_names_is_read_when_it_is_needed(tmp_path: Path) -> None:
    one, other = root("One"), root("Other")
    (tmp_path / "0123abcd.0").write_text(pem([one]))
    (tmp_path / "0123abcd.1").write_text("nothing")
    (tmp_path / "other.pem").write_text(pem([other]))
    store = TrustStore()
    store.add_source(directory_source(tmp_path))
    assert list(store) == []
    assert store.find(canonical_name(one.name)) == [Certificate(one.der)]
    assert store.find(canonical_name(other.name)) == []


def test_directory_is_searched_though_another_certificate_of_the_name_is_loaded(tmp_path: Path) -> None:
    # A root that was renewed with another key stands in the directory, the old one in the file.
    old, new = root("Root"), root("Root")
    (tmp_path / "0123abcd.0").write_text(pem([new]))
    store = TrustStore()
    store.add(old.der)
    store.add_source(directory_source(tmp_path))
    policy = Policy(Purpose.SERVER_AUTH, time.time())
    assert verify_chain([leaf(new).der], store, policy)[-1] == Certificate(new.der)


def test_directory_that_is_not_there_counts_for_nothing(tmp_path: Path) -> None:
    store = TrustStore()
    store.add_source(directory_source(tmp_path / "missing"))
    assert store.find(canonical_name(root().name)) == []


def rehash(folder: Path) -> None:
    """Let OpenSSL make its hashed names in a folder."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no openssl to make the names")
    subprocess.run(["openssl", "rehash", str(folder)], timeout=20, check=True)


def test_openssls_own_names_are_read(tmp_path: Path) -> None:
    one = root()
    (tmp_path / "one.pem").write_text(pem([one]))
    rehash(tmp_path)
    store = TrustStore()
    store.add_source(directory_source(tmp_path))
    assert store.find(canonical_name(one.name)) == [Certificate(one.der)]


def test_defaults_are_openssls_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = root()
    file = tmp_path / "ca.pem"
    file.write_text(pem([one]))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    assert ssl.get_default_verify_paths().cafile == str(file)
    store = TrustStore()
    add_default_paths(store)
    assert [found.der for found in store] == [one.der]


def test_cache_is_bounded_and_gives_the_same_object() -> None:
    cache = CertificateCache(size=2)
    ders = [leaf(root()).der for _ in range(3)]
    first = cache.parse(ders[0])
    assert cache.parse(ders[0]) is first
    for der in ders[1:]:
        cache.parse(der)
    assert cache.parse(ders[0]) is not first
    assert len(cache._kept) == 2


def test_store_may_be_filled_and_searched_by_many_threads() -> None:
    store = TrustStore()
    roots = [root(f"Root {number}") for number in range(20)]
    missing: list[str] = []

    def work(part: int) -> None:
        for one in roots[part::4]:
            store.add(one.der)
            if not store.find(canonical_name(one.name)):
                missing.append(str(one.name))
            list(store)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert missing == []
    assert len(list(store)) == 20
