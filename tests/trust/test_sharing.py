"""Files and directories of trust are read once for all, and again when they change; they show as `ssl` shows them."""

from __future__ import annotations

import os
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest
from api.peers import each_library
from certs import CLIENT
from cryptography import x509
from trust.forge import Entity, fields, intermediate, leaf, root, sign_fields, spare_key
from trust.judges import pem
from trust.test_caches import (
    SECONDS,
    forks,
    handshake,
    in_child,
    list_of,
    run_in_threads,
    server_of,
    store_of,
)
from trust.test_store import rehash

import fasttls
from fasttls.trust import TrustStore, bundle, verify_chain
from fasttls.trust.bundle import Bundle, read_bundle
from fasttls.trust.certificate import Certificate, canonical_name
from fasttls.trust.store import add_default_paths, directory_source


@cache
def one() -> Entity:
    return root("One", key=spare_key(0))


@cache
def other() -> Entity:
    return root("Other", key=spare_key(1))


@cache
def server_of_one() -> fasttls.SSLContext:
    return server_of(leaf(one()))


@cache
def server_of_other() -> fasttls.SSLContext:
    return server_of(leaf(other()))


def client(library: ModuleType = fasttls, **locations: Any) -> Any:
    """Return a client's context that trusts what is at some places."""
    context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if locations:
        context.load_verify_locations(**locations)
    return context


def lists_pem(*ders: bytes) -> str:
    return "".join(ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "X509 CRL") for der in ders)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with the first root."""
    path = tmp_path / "ca.pem"
    path.write_text(pem([one()]))
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with the first root, under OpenSSL's hashed name."""
    return hashed(tmp_path / "directory", one())


def hashed(folder: Path, *roots: Entity) -> Path:
    """Put roots into a directory, with links of OpenSSL's hashed names to them."""
    folder.mkdir(exist_ok=True)
    for number, found in enumerate(roots):
        (folder / f"{number}.pem").write_text(pem([found]))
    rehash(folder)
    return folder


# One parsed bundle for all.


def test_two_contexts_share_what_is_in_a_file(file: Path) -> None:
    first, second = client(cafile=file), client(cafile=file)
    assert first._trust._bundles[0] is second._trust._bundles[0]
    assert read_bundle(file) is first._trust._bundles[0]
    subject = canonical_name(one().name)
    assert first._trust.find(subject)[0] is second._trust.find(subject)[0]
    assert handshake(first, server_of_one()) == handshake(second, server_of_one()) == 0


def test_path_of_any_kind_is_the_same_file(file: Path) -> None:
    assert read_bundle(str(file)) is read_bundle(file) is read_bundle(os.fsencode(file))


def test_two_files_with_the_same_certificate_count_it_once(file: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy.pem"
    copied.write_bytes(file.read_bytes())
    told = []
    for library in (ssl, fasttls):
        context = client(library, cafile=file)
        context.load_verify_locations(cafile=copied)
        context.load_verify_locations(cafile=file)
        context.load_verify_locations(cadata=one().der)
        told.append((context.cert_store_stats(), context.get_ca_certs()))
    assert told[0] == told[1]
    assert told[1][0] == {"x509": 1, "crl": 0, "x509_ca": 1}


def same_size(path: Path) -> None:
    text = pem([other()])
    path.write_text(text + "\n" * (path.stat().st_size - len(text)))


def other_size(path: Path) -> None:
    path.write_text("# other\n" * 100 + pem([other()]))


def another_file(path: Path) -> None:
    new = path.with_suffix(".new")
    new.write_text(pem([other()]))
    os.replace(new, path)


def old_time_is_put_back(path: Path) -> None:
    # The change time stays, which no program can set.
    status = path.stat()
    same_size(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns


def link_to_another(path: Path) -> None:
    target = path.with_name("target.pem")
    target.write_text(pem([other()]))
    path.unlink()
    path.symlink_to(target)


def removed_and_made_anew(path: Path) -> None:
    path.unlink()
    path.write_text(pem([other()]))


@pytest.mark.parametrize(
    "change", [same_size, other_size, another_file, old_time_is_put_back, link_to_another, removed_and_made_anew]
)
def test_file_that_changed_is_read_anew(tmp_path: Path, change: Callable[[Path], None]) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(pem([one()]) + "\n" * 80)
    before = read_bundle(file)
    assert list(before.known) == [one().der]
    time.sleep(0.01)  # the times of files are no finer than this on some systems
    change(file)
    after = read_bundle(file)
    assert list(after.known) == [other().der]
    assert list(before.known) == [one().der]
    assert [handshake(client(cafile=file), server) for server in (server_of_one(), server_of_other())] == [20, 0]


def test_link_whose_target_changed_is_read_anew(tmp_path: Path) -> None:
    target, link = tmp_path / "target.pem", tmp_path / "link.pem"
    target.write_text(pem([one()]))
    link.symlink_to(target)
    assert list(read_bundle(link).known) == [one().der]
    time.sleep(0.01)
    target.write_text("# other\n" + pem([other()]))
    assert list(read_bundle(link).known) == [other().der]


def test_file_that_is_gone_is_an_error_though_it_was_read_before(file: Path) -> None:
    read_bundle(file)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        read_bundle(file)
    with pytest.raises(FileNotFoundError):
        client(cafile=file)


def test_context_that_loaded_a_file_keeps_it_when_it_changes(file: Path) -> None:
    # As `ssl`: a cafile is read when it is loaded.
    for library in (ssl, fasttls):
        file.write_text(pem([one()]))
        context = client(library, cafile=file)
        file.write_text("# other\n" + pem([other()]))
        assert handshake(context, server_of_one()) == 0
        assert handshake(context, server_of_other()) != 0
        context.load_verify_locations(cafile=file)
        assert [handshake(context, server) for server in (server_of_one(), server_of_other())] == [0, 0]


def test_files_that_are_remembered_are_bounded(tmp_path: Path) -> None:
    for number in range(bundle._MOST_KEPT + 10):
        file = tmp_path / f"{number}.pem"
        file.write_text(pem([one()]))
        read_bundle(file)
    assert len(bundle._KEPT) == bundle._MOST_KEPT
    last = read_bundle(file)
    assert read_bundle(file) is last


# What one store does is its own.


def test_what_one_store_does_changes_no_other(file: Path) -> None:
    first, second = client(cafile=file), client(cafile=file)
    shared = first._trust._bundles[0]
    first._trust.discard(one().der)
    first.trust(other().der)
    assert [handshake(first, server) for server in (server_of_one(), server_of_other())] == [20, 0]
    assert [handshake(second, server) for server in (server_of_one(), server_of_other())] == [0, 20]
    assert list(shared.known) == [one().der]
    assert (first.cert_store_stats()["x509"], second.cert_store_stats()["x509"]) == (1, 1)
    assert handshake(client(cafile=file), server_of_one()) == 0


def test_list_that_one_context_takes_is_not_anothers(file: Path) -> None:
    end = leaf(one())
    first, second, server = client(cafile=file), client(cafile=file), server_of(end)
    first.use_crls(list_of(one(), end))
    for context in (first, second):
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    assert (handshake(first, server), handshake(second, server)) == (23, 3)


def test_certificate_that_was_discarded_is_trusted_when_it_is_added_again() -> None:
    store = store_of(one())
    store.discard(one().der)
    assert len(store) == 0
    assert Certificate(one().der) not in store
    store.add(one().der)
    assert len(store) == len(list(store)) == 1
    assert Certificate(one().der) in store


def test_certificate_that_was_discarded_is_trusted_when_another_file_with_it_is_loaded(
    file: Path, tmp_path: Path
) -> None:
    context = client(cafile=file)
    context._trust.discard(one().der)
    again = tmp_path / "again.pem"
    again.write_text("# again\n" + pem([one()]))
    context.load_verify_locations(cafile=again)
    assert handshake(context, server_of_one()) == 0


def test_certificate_that_was_discarded_is_trusted_when_its_file_is_loaded_again(file: Path) -> None:
    context = client(cafile=file)
    context._trust.discard(one().der)
    assert handshake(context, server_of_one()) == 20
    context.load_verify_locations(cafile=file)
    assert handshake(context, server_of_one()) == 0


def test_certificate_that_was_discarded_is_not_found_in_a_directory(directory: Path) -> None:
    context = client(capath=directory)
    assert handshake(context, server_of_one()) == 0
    context._trust.discard(one().der)
    assert handshake(context, server_of_one()) == 20
    assert context.get_ca_certs() == []
    assert handshake(client(capath=directory), server_of_one()) == 0


# Directories.


@each_library
def test_directory_is_looked_at_again_after_a_file_is_added(directory: Path, library: ModuleType) -> None:
    context = client(library, capath=directory)
    assert handshake(context, server_of_one()) == 0
    assert handshake(context, server_of_other()) == 20
    (directory / "other.pem").write_text(pem([other()]))
    rehash(directory)
    assert handshake(context, server_of_other()) == 0
    assert handshake(context, server_of_one()) == 0


def test_two_contexts_share_what_is_in_a_directory(directory: Path) -> None:
    first, second = (directory_source(directory) for _ in range(2))
    assert first.bundle() is second.bundle()
    (directory / "0123abcd.0").write_text(pem([other()]))
    assert other().der in first.bundle().known
    assert first.bundle() is second.bundle()


@each_library
def test_directory_that_comes_later_is_searched(tmp_path: Path, library: ModuleType) -> None:
    folder = tmp_path / "later"
    context = client(library, capath=folder)
    assert handshake(context, server_of_one()) == 20
    hashed(folder, one())
    assert handshake(context, server_of_one()) == 0


@each_library
def test_file_of_a_directory_that_is_written_over_counts_for_the_next_context(
    tmp_path: Path, library: ModuleType
) -> None:
    # The hashed names of /etc/ssl/certs are links: what they lead to changes, and the directory's own time does not.
    old, new = root("Same"), root("Same")
    folder = hashed(tmp_path / "directory", old)
    assert handshake(client(library, capath=folder), server_of(leaf(old))) == 0
    (folder / "0.pem").write_text("# renewed\n" + pem([new]))
    assert handshake(client(library, capath=folder), server_of(leaf(new))) == 0
    assert handshake(client(library, capath=folder), server_of(leaf(old))) != 0


@each_library
def test_list_of_a_directory_that_is_written_over_counts_for_the_next_context(
    tmp_path: Path, library: ModuleType
) -> None:
    top = root("Same")
    end = leaf(top)
    folder, server = hashed(tmp_path / "directory", top), server_of(end)
    name = next(name for name in os.listdir(folder) if name.endswith(".0"))
    file = folder / name.replace(".0", ".r0")

    def judged() -> int:
        context = client(library, capath=folder)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return handshake(context, server)

    file.write_text(lists_pem(list_of(top, hours=2)))
    assert judged() == 0
    file.write_text(lists_pem(list_of(top, end, hours=1)))
    assert judged() == 23


@each_library
def test_several_directories_are_given_in_one_path(tmp_path: Path, library: ModuleType) -> None:
    # X509_LOOKUP_hash_dir(3): directory names with the separator of PATH between.
    folders = [hashed(tmp_path / name, found) for name, found in (("a", one()), ("b", other()))]
    context = client(library, capath=os.pathsep.join(map(str, folders)))
    assert [handshake(context, server) for server in (server_of_one(), server_of_other())] == [0, 0]


# What is shown of it.


def version_1() -> bytes:
    return sign_fields(fields(one().der)[1:7], one().key)


def listed_in_the_file() -> str:
    return pem([one()]) + lists_pem(list_of(one()), list_of(other()))


SHOWN: dict[str, Callable[[], str]] = {
    "a root": lambda: pem([one()]),
    "two roots": lambda: pem([one(), other()]),
    "one root twice": lambda: pem([one(), one()]),
    "a leaf": lambda: pem([leaf(one())]),
    "a root, an intermediate and a leaf": lambda: pem([one(), intermediate("Middle", one()), leaf(one())]),
    "a root of version 1": lambda: pem([version_1()]),
    "a root without key usage": lambda: pem([root(usage=None)]),
    "a root that says it is none": lambda: pem([root(ca=False)]),
    "an authority whose key may not sign certificates": lambda: pem([root(usage=("digital_signature",))]),
    "no basic constraints": lambda: pem([root(ca=None, usage=None)]),
    "no basic constraints and a key for signing certificates": lambda: pem([root(ca=None)]),
    "a root and revocation lists": listed_in_the_file,
    "a client's certificate": lambda: pem([leaf(one(), purposes=(CLIENT,))]),
}


@pytest.mark.parametrize("what", SHOWN)
def test_file_is_shown_as_ssl_shows_it(tmp_path: Path, what: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(SHOWN[what]())
    theirs, ours = client(ssl, cafile=file), client(fasttls, cafile=file)
    assert ours.cert_store_stats() == theirs.cert_store_stats()
    assert sorted(ours.get_ca_certs(True)) == sorted(theirs.get_ca_certs(True))
    assert sorted(map(str, ours.get_ca_certs())) == sorted(map(str, theirs.get_ca_certs()))


def test_certificates_of_a_directory_are_shown_once_they_are_used(tmp_path: Path) -> None:
    folder = hashed(tmp_path / "directory", one(), other())
    told = []
    for library in (ssl, fasttls):
        context = client(library, capath=folder)
        steps = [(context.cert_store_stats(), context.get_ca_certs(True))]
        for server in (server_of_one(), server_of_one(), server_of_other()):
            assert handshake(context, server) == 0
            steps.append((context.cert_store_stats(), context.get_ca_certs(True)))
        told.append(steps)
    assert [[len(certificates) for _, certificates in steps] for steps in told] == [[0, 1, 1, 2], [0, 1, 1, 2]]
    assert told[0] == told[1]


def test_certificates_of_a_directory_show_in_the_context_that_used_them_alone(directory: Path) -> None:
    used, unused = client(capath=directory), client(capath=directory)
    assert handshake(used, server_of_one()) == 0
    assert (len(used.get_ca_certs()), len(unused.get_ca_certs())) == (1, 0)


def test_lists_of_a_directory_are_counted_once_they_are_used(tmp_path: Path) -> None:
    folder = hashed(tmp_path / "directory", one())
    name = next(name for name in os.listdir(folder) if name.endswith(".0"))
    (folder / name.replace(".0", ".r0")).write_text(lists_pem(list_of(one())))
    told = []
    for library in (ssl, fasttls):
        context = client(library, capath=folder)
        steps = [context.cert_store_stats()["crl"]]
        assert handshake(context, server_of_one()) == 0
        steps.append(context.cert_store_stats()["crl"])
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        assert handshake(context, server_of_one()) == 0
        steps.append(context.cert_store_stats()["crl"])
        told.append(steps)
    assert told[0] == [0, 0, 1]
    assert told[1] == told[0]


def test_file_and_directory_together_show_what_is_in_the_file(tmp_path: Path, file: Path) -> None:
    folder = hashed(tmp_path / "directory", one(), other())
    told = []
    for library in (ssl, fasttls):
        context = client(library, cafile=file, capath=folder)
        steps = [context.cert_store_stats()]
        for server in (server_of_one(), server_of_other()):
            assert handshake(context, server) == 0
            steps.append(context.cert_store_stats())
        told.append(steps)
    assert told[0] == told[1]


# Files that are malformed.


def begun(text: str, size: int) -> str:
    return pem([one()]) + text[:size]


MALFORMED: dict[str, Callable[[], str]] = {
    "one malformed certificate": lambda: ssl.DER_cert_to_PEM_cert(b"\x30\x03\2\1\1"),
    "a malformed one behind a good one": lambda: pem([one()]) + ssl.DER_cert_to_PEM_cert(b"\x30\x03\2\1\1"),
    "a malformed one before a good one": lambda: ssl.DER_cert_to_PEM_cert(b"\x30\x03\2\1\1") + pem([one()]),
    "one whose DER is cut short": lambda: pem([one()]) + ssl.DER_cert_to_PEM_cert(other().der[:-1]),
    "one that is not base64": lambda: pem([one()]) + pem([other()]).replace("MII", "!!!"),
    "one whose text is cut short": lambda: begun(pem([other()]), 300),
    "one whose last line is missing": lambda: begun(pem([other()]), -26),
    "one that ends as something else": lambda: pem([one()]) + pem([other()]).replace("END CERT", "END X509 CERT"),
    "a malformed revocation list": lambda: pem([one()]) + lists_pem(b"\x30\x03\2\1\1"),
    "nothing": lambda: "",
    "text": lambda: "no certificate\n",
}


@each_library
@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_file_raises_ssl_error_and_nothing_of_it_is_trusted(
    tmp_path: Path, library: ModuleType, what: str
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(MALFORMED[what]())
    context = client(library)
    for _ in range(2):
        with pytest.raises(ssl.SSLError) as refused:
            context.load_verify_locations(cafile=file)
        assert refused.value.library == "X509"
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}


WELL_FORMED: dict[str, Callable[[str], str]] = {
    "other ends of lines": lambda text: text.replace("\n", "\r\n"),
    "space at the ends of lines": lambda text: text.replace("\n", " \n"),
    "no end of the last line": lambda text: text.rstrip("\n"),
    "one long line": lambda text: text.replace("\n", "").replace("CERTIFICATE-----", "CERTIFICATE-----\n", 1)
    .replace("-----END", "\n-----END") + "\n",
    "the old name": lambda text: text.replace("CERTIFICATE", "X509 CERTIFICATE"),
    "text around it": lambda text: f"# a root\nSubject: CN=One\n\n{text}# the end",
    "a null byte behind it": lambda text: text + "\0",
}  # fmt: skip


@each_library
@pytest.mark.parametrize("form", WELL_FORMED)
def test_pem_of_many_forms_is_read(tmp_path: Path, library: ModuleType, form: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(WELL_FORMED[form](pem([one()])).encode())
    assert client(library, cafile=file).get_ca_certs(True) == [one().der]


def test_file_that_was_malformed_is_read_when_it_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(b"\x30\x03\2\1\1"))
    context = client()
    with pytest.raises(ssl.SSLError):
        context.load_verify_locations(cafile=file)
    file.write_text(pem([one()]))
    context.load_verify_locations(cafile=file)
    assert handshake(context, server_of_one()) == 0


# What the platform trusts.


def test_defaults_are_parsed_when_they_are_needed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(pem([one(), other()]) + "# never read by another test\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = fasttls.create_default_context()
    (loaded,) = context._trust._bundles
    assert loaded._pem
    assert not loaded._by_subject
    assert handshake(context, server_of_one()) == 0
    assert not loaded._pem
    assert len(context.get_ca_certs()) == 2


@each_library
def test_defaults_that_are_malformed_raise_nothing(
    file: Path, tmp_path: Path, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(ssl.DER_cert_to_PEM_cert(b"\x30\x03\2\1\1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    context = library.create_default_context()
    assert context.get_ca_certs() == []
    assert handshake(context, server_of_one()) == 20


@pytest.mark.parametrize(
    "named", [("SSL_CERT_FILE",), ("SSL_CERT_DIR",), ("SSL_CERT_FILE", "SSL_CERT_DIR")], ids="+".join
)
def test_whoever_names_authorities_that_are_not_there_trusts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...]
) -> None:
    # A mistyped path of a private authority is not to become the trust in all of the web's.
    for name in named:
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    store = TrustStore()
    monkeypatch.setattr(
        "fasttls.trust.store._default_names",
        lambda: ("SSL_CERT_FILE", str(tmp_path / "none.pem"), "SSL_CERT_DIR", str(tmp_path / "no folder")),
    )
    add_default_paths(store)
    assert not len(store)
    assert store._bundles == ()


def test_certifi_stands_in_where_the_platform_has_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certifi = pytest.importorskip("certifi")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "fasttls.trust.store._default_names",
        lambda: ("SSL_CERT_FILE", str(tmp_path / "none.pem"), "SSL_CERT_DIR", str(tmp_path / "no folder")),
    )
    context = fasttls.create_default_context()
    assert context._trust._bundles == (read_bundle(certifi.where()),)
    assert context.get_ca_certs(True) == client(cafile=certifi.where()).get_ca_certs(True)
    assert len(context.get_ca_certs()) > 50


def empty_file(folder: Path, environment: pytest.MonkeyPatch) -> None:
    (folder / "empty.pem").write_text("")
    environment.setenv("SSL_CERT_FILE", str(folder / "empty.pem"))
    environment.setenv("SSL_CERT_DIR", str(folder / "missing"))


def empty_directory(folder: Path, environment: pytest.MonkeyPatch) -> None:
    (folder / "empty").mkdir()
    environment.setenv("SSL_CERT_FILE", str(folder / "missing.pem"))
    environment.setenv("SSL_CERT_DIR", str(folder / "empty"))


def null_device(folder: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SSL_CERT_FILE", os.devnull)
    environment.setenv("SSL_CERT_DIR", str(folder / "missing"))


def two_directories(folder: Path, environment: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
    environment.setenv("SSL_CERT_FILE", str(folder / "missing.pem"))
    environment.setenv("SSL_CERT_DIR", os.pathsep.join((str(folder / "a"), str(folder / "b"))))


@each_library
@pytest.mark.parametrize("arrange", [empty_file, empty_directory, null_device, two_directories])
def test_environment_that_points_at_something_empty_trusts_nobody(
    tmp_path: Path, library: ModuleType, arrange: Callable[[Path, pytest.MonkeyPatch], None], monkeypatch: Any
) -> None:
    arrange(tmp_path, monkeypatch)
    context = library.create_default_context()
    assert context.get_ca_certs() == []
    assert handshake(context, server_of_one()) == 20
    assert context.get_ca_certs() == []


@each_library
def test_several_default_directories(tmp_path: Path, library: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    # openssl-env(7): SSL_CERT_DIR is a list of directories.
    folders = [hashed(tmp_path / name, found) for name, found in (("a", one()), ("b", other()))]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(map(str, folders)))
    context = library.create_default_context()
    assert [handshake(context, server) for server in (server_of_one(), server_of_other())] == [0, 0]


def test_bundle_of_the_web_is_the_same_to_both_libraries() -> None:
    certifi = pytest.importorskip("certifi")
    theirs, ours = client(ssl, cafile=certifi.where()), client(fasttls, cafile=certifi.where())
    assert ours.cert_store_stats() == theirs.cert_store_stats()
    assert sorted(ours.get_ca_certs(True)) == sorted(theirs.get_ca_certs(True))


# Many threads.


def test_many_threads_load_one_file_and_each_finds_all_of_it(tmp_path: Path) -> None:
    roots = [root(f"Root {number}", key=spare_key(0)) for number in range(30)]
    file = tmp_path / "many.pem"
    for attempt in range(5):
        file.write_text(f"# {attempt}\n" + pem(roots))
        missing: list[int] = []

        def work(number: int, missing: list[int] = missing) -> None:
            store = TrustStore()
            store.add_bundle(read_bundle(file))
            for place in range(len(roots)):
                which = (place + 7 * number) % len(roots)
                if not store.find(canonical_name(roots[which].name)):
                    missing.append(which)
            if len(store) != len(roots) or len(list(store)) != len(roots):
                missing.append(-1)

        run_in_threads(work, 4)
        assert missing == []


def test_store_is_filled_and_searched_by_many_threads(directory: Path) -> None:
    fixed, others = one(), [root(f"Root {number}", key=spare_key(1)) for number in range(12)]
    store = store_of(fixed)
    store.add_source(directory_source(directory))
    end, now = leaf(fixed).der, time.time()
    wrong: list[str] = []

    def work(number: int) -> None:
        mine = others[number::4]
        for _ in range(20):
            for found in mine:
                store.add(found.der)
                if not store.find(canonical_name(found.name)):
                    wrong.append("not found after it was added")
                store.discard(found.der)
                if store.find(canonical_name(found.name)):
                    wrong.append("found after it was discarded")
            verify_chain([end], store, "localhost", time=now)

    run_in_threads(work, 4)
    assert wrong == []
    assert [found.der for found in store] == [fixed.der]


def codes_of(function: Callable[..., object]) -> Iterator[CodeType]:
    """Yield a function's code and that of the comprehensions in it."""
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]


def interrupted(
    call: Callable[[], object], change: Callable[[], object], step: int, *functions: Callable[..., object]
) -> tuple[bool, object]:
    """Do call, and let another thread do change right before one step of some functions.

    Returns whether there is such a step, and what call returned or raised. What the thread has to wait
    for, because a lock is held there, it does as soon as it can.
    """
    codes = {code for function in functions for code in codes_of(function)}
    thread, count = threading.Thread(target=change, daemon=True), 0

    def in_call(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code not in codes:
            return None
        frame.f_trace_opcodes = True
        return at_step

    def at_step(_: FrameType, event: str, __: object) -> Any:
        nonlocal count
        if event == "opcode":
            if count == step:
                thread.start()
                thread.join(0.01)
            count += 1
        return at_step

    before = sys.gettrace()
    sys.settrace(in_call)
    try:
        outcome = call()
    except Exception as exc:
        outcome = exc
    finally:
        sys.settrace(before)
    if thread.ident is None:
        return False, outcome
    thread.join(SECONDS)
    assert not thread.is_alive()
    return True, outcome


def at_every_step(
    make: Callable[[], TrustStore],
    call: Callable[[TrustStore], object],
    change: Callable[[TrustStore], object],
    *functions: Callable[..., object],
) -> list[object]:
    """Return the outcomes of a call on a new store each time, with a change by another thread at every step of it."""
    outcomes = []
    for step in range(2000):
        store = make()
        reached, outcome = interrupted(lambda: call(store), lambda: change(store), step, *functions)  # noqa: B023
        outcomes.append(outcome)
        if not reached:
            return outcomes
    raise AssertionError("the call never ends")


def indexed() -> TrustStore:
    """Return a store with both roots that was searched before."""
    store = store_of(one(), other())
    store.find(canonical_name(one().name))
    return store


CHANGES: dict[str, Callable[[TrustStore], object]] = {
    "another one is discarded": lambda store: store.discard(other().der),
    "another one is added": lambda store: store.add(root("Third", key=spare_key(2)).der),
}


@pytest.mark.parametrize("change", CHANGES)
def test_certificate_is_found_while_another_thread_changes_the_store(change: str) -> None:
    subject = canonical_name(one().name)
    outcomes = at_every_step(
        indexed,
        lambda store: [found.der for found in store.find(subject)],
        CHANGES[change],
        TrustStore.find,
        Bundle.find,
    )
    # From Python 3.12 on a frame that runs already is not traced by instruction: there are fewer steps to stop at.
    assert len(outcomes) > (20 if sys.version_info < (3, 12) else 0)
    assert outcomes == [[one().der]] * len(outcomes)


@pytest.mark.parametrize("change", CHANGES)
def test_store_is_counted_while_another_thread_changes_it(change: str) -> None:
    outcomes = at_every_step(indexed, len, CHANGES[change], TrustStore.__len__)
    assert len(outcomes) > (10 if sys.version_info < (3, 12) else 0)  # as above
    assert set(map(repr, outcomes)) <= {"1", "2", "3"}


@pytest.mark.parametrize("change", CHANGES)
def test_store_is_listed_while_another_thread_changes_it(change: str) -> None:
    outcomes = at_every_step(
        indexed,
        lambda store: sorted(found.description for found in store),
        CHANGES[change],
        TrustStore.__iter__,
        Bundle.certificates,
    )
    assert len(outcomes) > (10 if sys.version_info < (3, 12) else 0)  # as above
    for outcome in outcomes:
        assert outcome in (["CN=One", "CN=Other"], ["CN=One"], ["CN=One", "CN=Other", "CN=Third"])


# Over a fork.


@forks
def test_child_searches_and_changes_a_store_of_its_own(file: Path, directory: Path) -> None:
    context = client(cafile=file)
    context.load_verify_locations(capath=directory)
    assert handshake(context, server_of_one()) == 0

    def work() -> bool:
        good = handshake(context, server_of_one()) == 0
        context._trust.discard(one().der)
        context.trust(other().der)
        return good and [handshake(context, each) for each in (server_of_one(), server_of_other())] == [20, 0]

    in_child(work)
    assert [handshake(context, each) for each in (server_of_one(), server_of_other())] == [0, 20]


@forks
def test_processes_are_forked_while_threads_fill_stores(tmp_path: Path) -> None:
    roots = [root(f"Root {number}", key=spare_key(0)) for number in range(20)]
    file = tmp_path / "many.pem"
    file.write_text(pem(roots))
    shared, stop = TrustStore(), threading.Event()
    shared.add_bundle(read_bundle(file))

    def fill() -> None:
        while not stop.is_set():
            store = TrustStore()
            for found in roots:
                store.add_unchecked(found.der)
                shared.add_unchecked(found.der)
                shared.discard(found.der)
            store.find(canonical_name(roots[0].name))

    def work() -> bool:
        store = TrustStore()
        store.add_bundle(read_bundle(file))
        shared.add(one().der)
        return len(store.find(canonical_name(roots[3].name))) == len(shared.find(canonical_name(one().name))) == 1

    threads = [threading.Thread(target=fill, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(12):
            in_child(work)
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS)


def test_certificates_of_a_store_are_those_of_cryptography() -> None:
    store = store_of(one(), other())
    assert {found.x509 for found in store} == {x509.load_der_x509_certificate(each.der) for each in (one(), other())}
