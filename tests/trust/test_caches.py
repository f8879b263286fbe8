"""The caches keep what is true of bytes alone: bounded, safe between threads and over a fork, no decision is late."""

from __future__ import annotations

import os
import signal
import ssl
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import harness
import pytest
from api.peers import Bios
from certs import CLIENT, DAY, NOW, SERVER
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from trust.forge import ECDSA_SHA1, HOST, Entity, intermediate, leaf, root, spare_key
from trust.judges import pem

import fasttls
from fasttls.handshake.config import Config
from fasttls.trust import CERTIFICATES, SIGNATURES, CertificateRejected, Purpose, Strength, TrustStore, verify_chain
from fasttls.trust.cache import CacheCounters, PureCache
from fasttls.trust.certificate import Certificate, CertificateCache
from fasttls.trust.policy import CrlCheck

SECONDS = 3.0  # after which whatever hangs is a failure
CACHES = (CERTIFICATES, SIGNATURES)


@pytest.fixture(autouse=True)
def caches_as_they_were() -> Iterator[None]:
    """Begin with empty caches, and leave them with their own sizes."""
    sizes = [cache.size for cache in CACHES]
    for cache in CACHES:
        cache.clear()
    yield
    for cache, size in zip(CACHES, sizes, strict=True):
        cache.enabled, cache.size = True, size


# What every cache does.


def test_new_cache_is_empty() -> None:
    assert PureCache[int, str](3).counters() == CacheCounters(hits=0, misses=0, kept=0, size=3)


def test_counters_tell_hits_misses_and_what_is_kept() -> None:
    cache = PureCache[int, str](3)
    assert cache.find(1) is None
    cache.keep(1, "one")
    cache.keep(2, "two")
    assert [cache.find(key) for key in (1, 2, 1, 3)] == ["one", "two", "one", None]
    assert cache.counters() == (3, 2, 2, 3)


def test_value_that_is_kept_twice_counts_once() -> None:
    cache = PureCache[int, str](3)
    cache.keep(1, "one")
    cache.keep(1, "another")
    assert cache.find(1) == "another"
    assert cache.counters().kept == 1


def test_least_used_goes_first() -> None:
    cache = PureCache[int, str](3)
    for key in (1, 2, 3):
        cache.keep(key, str(key))
    assert cache.find(1) == "1"
    cache.keep(4, "4")
    assert [cache.find(key) for key in (1, 2, 3, 4)] == ["1", None, "3", "4"]


def test_cache_never_outgrows_its_size() -> None:
    cache = PureCache[int, str](5)
    for key in range(100):
        cache.keep(key, str(key))
        assert cache.counters().kept <= 5
    assert [cache.find(key) for key in range(95, 100)] == [str(key) for key in range(95, 100)]


def test_a_large_cache_makes_room_for_several_at_once() -> None:
    cache = PureCache[int, str](800)
    for key in range(10_000):
        cache.keep(key, str(key))
        kept = cache.counters().kept
        assert kept == key + 1 if key < 800 else 780 <= kept <= 800
    assert all(cache.find(key) == str(key) for key in range(9250, 10_000))


def test_smaller_size_drops_the_least_used_at_once() -> None:
    cache = PureCache[int, str](5)
    for key in range(5):
        cache.keep(key, str(key))
    cache.find(0)
    cache.size = 2
    assert cache.size == 2
    assert cache.counters() == (1, 0, 2, 2)
    assert [cache.find(key) for key in range(5)] == ["0", None, None, None, "4"]


def test_larger_size_holds_more() -> None:
    cache = PureCache[int, str](1)
    cache.keep(1, "one")
    cache.size = 2
    cache.keep(2, "two")
    assert (cache.find(1), cache.find(2)) == ("one", "two")


def test_cache_without_room_keeps_nothing() -> None:
    cache = PureCache[int, str](0)
    cache.keep(1, "one")
    assert cache.find(1) is None
    assert cache.counters() == (0, 1, 0, 0)


def test_negative_size_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no entries or more"):
        PureCache[int, str](-1)
    cache = PureCache[int, str](2)
    cache.keep(1, "one")
    with pytest.raises(ValueError, match="no entries or more"):
        cache.size = -1
    assert cache.counters() == (0, 0, 1, 2)


def test_cache_that_is_switched_off_remembers_and_finds_nothing() -> None:
    cache = PureCache[int, str](3)
    cache.keep(1, "one")
    cache.enabled = False
    cache.keep(2, "two")
    assert (cache.find(1), cache.find(2)) == (None, None)
    assert cache.counters() == (0, 0, 1, 3)
    cache.enabled = True
    assert (cache.find(1), cache.find(2)) == ("one", None)


def test_cleared_cache_is_like_new() -> None:
    cache = PureCache[int, str](3)
    cache.keep(1, "one")
    cache.find(1)
    cache.find(2)
    cache.clear()
    assert cache.counters() == (0, 0, 0, 3)
    assert cache.find(1) is None


def test_counters_are_exact_though_many_threads_count() -> None:
    cache = PureCache[int, int](16)
    threads, rounds = 6, 2000
    wrong: list[tuple[int, int]] = []

    def work(number: int) -> None:
        for step in range(rounds):
            key = (number * 7 + step) % 40
            found = cache.find(key)
            if found is None:
                cache.keep(key, key * key)
            elif found != key * key:
                wrong.append((key, found))

    run_in_threads(work, threads)
    hits, misses, kept, size = cache.counters()
    assert not wrong
    assert hits + misses == threads * rounds
    assert kept == size == 16


def test_threads_may_clear_resize_and_switch_a_cache_that_others_use() -> None:
    cache = PureCache[int, int](16)
    wrong: list[int] = []

    def work(number: int) -> None:
        for step in range(1500):
            key = step % 30
            if number == 0:
                (cache.clear, cache.counters)[step % 2]()
                cache.size = step % 20
                cache.enabled = step % 5 != 0
                continue
            cache.keep(key, -key)
            found = cache.find(key)
            if found not in (None, -key):
                wrong.append(key)

    run_in_threads(work, 5)
    assert not wrong
    assert cache.counters().kept <= cache.size


def run_in_threads(work: Callable[[int], None], count: int) -> None:
    """Run work(0), work(1) and so on at once, with threads that take turns often; raise what one of them raises."""
    faults: list[BaseException] = []
    barrier = threading.Barrier(count, timeout=SECONDS)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as exc:
            faults.append(exc)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
            assert not thread.is_alive(), "a thread hangs"
    finally:
        sys.setswitchinterval(before)
    if faults:
        raise faults[0]


# Parsed certificates and signature equations.


def store_of(*trusted: Entity) -> TrustStore:
    store = TrustStore()
    for one in trusted:
        store.add(one.der)
    return store


def refusal(chain: list[Entity | bytes], store: TrustStore, host: str | None = HOST, **rules: object) -> int:
    """Return the code with which a chain is refused, or 0."""
    ders = [one if isinstance(one, bytes) else one.der for one in chain]
    try:
        verify_chain(ders, store, host, **rules)  # type: ignore[arg-type]
    except CertificateRejected as refused:
        return refused.verify_code
    return 0


def test_certificate_is_parsed_once() -> None:
    der = leaf(root()).der
    first = CERTIFICATES.parse(der)
    assert CERTIFICATES.parse(bytes(bytearray(der))) is first
    assert CERTIFICATES.counters()[:3] == (1, 1, 1)


def test_certificate_is_parsed_anew_when_the_cache_is_off() -> None:
    der = leaf(root()).der
    CERTIFICATES.enabled = False
    first, second = CERTIFICATES.parse(der), CERTIFICATES.parse(der)
    assert first == second
    assert first is not second
    assert CERTIFICATES.counters()[:3] == (0, 0, 0)


def test_malformed_certificate_is_refused_every_time_and_never_kept() -> None:
    bad = leaf(root()).der[:-1]
    for _ in range(3):
        with pytest.raises(ValueError, match=r"asn1|DER"):
            CERTIFICATES.parse(bad)
    assert CERTIFICATES.counters()[:3] == (0, 3, 0)


def test_threads_that_parse_one_certificate_get_equal_ones() -> None:
    cache = CertificateCache(8)
    ders = [leaf(root(key=spare_key(0)), key=spare_key(1)).der for _ in range(12)]
    found: list[tuple[bytes, Certificate]] = []

    def work(number: int) -> None:
        for step in range(200):
            der = ders[(step + number) % len(ders)]
            found.append((der, cache.parse(der)))

    run_in_threads(work, 5)
    assert all(certificate.der == der for der, certificate in found)
    assert cache.counters().kept == 8


def test_signatures_of_a_path_are_checked_once() -> None:
    top = root()
    middle = intermediate("Middle", top)
    end, store = leaf(middle), store_of(top)
    assert refusal([end, middle], store) == 0
    assert SIGNATURES.counters()[:3] == (0, 2, 2)
    assert refusal([end, middle], store) == 0
    assert SIGNATURES.counters()[:3] == (2, 2, 2)


def test_signatures_are_checked_every_time_when_the_cache_is_off() -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    assert refusal([end], store) == 0
    SIGNATURES.enabled = False
    for _ in range(2):
        assert refusal([end], store) == 0
    assert SIGNATURES.counters()[:3] == (0, 1, 1)


def test_verification_does_not_depend_on_the_caches() -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    for on in (True, False):
        for size in (0, 1, 100):
            for cache in CACHES:
                cache.enabled, cache.size = on, size
            for _ in range(2):
                assert refusal([end], store) == 0
                assert refusal([end], store, "other.example") == 62


def test_signature_that_does_not_verify_is_never_kept() -> None:
    top, other = root(identifiers=False), root(identifiers=False)
    end = leaf(top, identifiers=False)
    for _ in range(3):
        assert refusal([end], store_of(other)) == 7
    assert SIGNATURES.counters()[:3] == (0, 3, 0)
    assert refusal([end], store_of(top)) == 0
    assert SIGNATURES.counters().kept == 1


def test_signature_by_one_key_says_nothing_of_another_key() -> None:
    top, other = root(identifiers=False), root(identifiers=False)
    end = leaf(top, identifiers=False)
    assert refusal([end], store_of(top)) == 0
    assert refusal([end], store_of(other)) == 7
    assert refusal([end], store_of(top)) == 0


def test_certificate_with_another_signature_is_another_one() -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    assert refusal([end], store) == 0
    spoilt = bytearray(end.der)
    spoilt[-1] ^= 1
    assert refusal([bytes(spoilt)], store) == 7
    assert refusal([end], store) == 0


def test_signature_of_a_key_that_is_not_for_the_algorithm_is_never_kept() -> None:
    # The name is right, the key is of another kind.
    end = leaf(root(identifiers=False), identifiers=False)
    other = root(key=spare_key(0, "ed25519"), identifiers=False)
    assert refusal([end], store_of(other)) == 76
    assert SIGNATURES.counters().kept == 0


def test_size_of_the_signature_cache_bounds_it() -> None:
    top = root()
    SIGNATURES.size = 2
    for _ in range(4):
        assert refusal([leaf(top)], store_of(top)) == 0
    assert SIGNATURES.counters()[:4] == (0, 4, 2, 2)


def test_threads_verify_good_and_bad_chains_at_once() -> None:
    SIGNATURES.size, CERTIFICATES.size = 3, 4
    top, other = root(identifiers=False), root(identifiers=False)
    ends = [leaf(top, identifiers=False) for _ in range(5)]
    good, bad = store_of(top), store_of(other)
    wrong: list[int] = []

    def work(number: int) -> None:
        for step in range(30):
            end = ends[(step + number) % len(ends)]
            code = refusal([end], bad if (step + number) % 2 else good)
            if code != (7 if (step + number) % 2 else 0):
                wrong.append(code)

    run_in_threads(work, 4)
    assert wrong == []
    assert SIGNATURES.counters().kept <= 3


# Over a fork.


def in_child(work: Callable[[], object]) -> None:
    """Run work in a child process made by fork; fail when it raises, returns False, or hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork of a process with threads is what is tested
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 2 if work() is False else 0
        finally:
            os._exit(code)
    deadline = time.monotonic() + SECONDS
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.002)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def held_by_a_thread(lock: threading.Lock, work: Callable[[], None]) -> None:
    """Do work while another thread holds a lock."""
    has_it, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has_it.set()
            may_go.wait(SECONDS)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        assert has_it.wait(SECONDS)
        work()
    finally:
        may_go.set()
        thread.join(SECONDS)


@forks
@pytest.mark.parametrize("which", [0, 1])
def test_child_uses_the_caches_though_a_thread_of_the_parent_has_the_lock(which: int) -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    assert refusal([end], store) == 0

    def work() -> bool:
        if refusal([end], store) != 0 or refusal([leaf(top)], store) != 0:
            return False
        for cache in CACHES:
            cache.size = 10
            cache.counters()
            cache.clear()
        return refusal([end], store) == 0

    held_by_a_thread(CACHES[which]._lock, lambda: in_child(work))
    assert refusal([end], store) == 0


@forks
def test_child_knows_what_the_parent_knew_and_keeps_its_own() -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    assert refusal([end], store) == 0
    before = SIGNATURES.counters()

    def work() -> bool:
        known = refusal([end], store) == 0 and SIGNATURES.counters().hits == before.hits + 1
        return known and refusal([leaf(top)], store) == 0 and SIGNATURES.counters().kept == before.kept + 1

    in_child(work)
    assert SIGNATURES.counters() == before


@forks
def test_child_verifies_though_a_thread_of_the_parent_was_reading_a_certificate() -> None:
    # Before Python 3.12 functools.cached_property has a lock, which is for all objects of the class.
    top = root()
    store = store_of(top)
    lock = getattr(vars(Certificate)["public_key"], "lock", None) or threading.Lock()
    held_by_a_thread(lock, lambda: in_child(lambda: refusal([leaf(top)], store) == 0))


# No decision is remembered: with warm caches, every change takes effect on the very next handshake.


def server_of(end: Entity, *above: Entity) -> fasttls.SSLContext:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    context.use_certificate([end.der, *(one.der for one in above)], end.key)
    return context


ClientOf = Callable[..., fasttls.SSLContext]


@pytest.fixture(
    params=[(ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_3, False)],
    ids=["TLSv1.2", "TLSv1.3", "no resumption"],
)
def client_of(request: pytest.FixtureRequest) -> ClientOf:
    """Return a function that makes a client's context which trusts some authorities."""
    version, resumption = request.param

    def made(*trusted: Entity) -> fasttls.SSLContext:
        context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = version
        context.resumption = resumption
        for one in trusted:
            context.trust(one.der)
        return context

    return made


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str = HOST) -> int:
    """Return the code with which the client refuses the server's certificate in a real handshake, or 0."""
    return finished(Bios(client, server, host))


def finished(pair: Bios) -> int:
    try:
        pair.handshake()
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    return 0


def warmed(client: fasttls.SSLContext, server: ssl.SSLContext) -> None:
    """Shake hands until the caches know everything about the server's certificates."""
    assert handshake(client, server) == 0
    before = SIGNATURES.counters()
    pair = Bios(client, server)
    assert finished(pair) == 0
    assert pair.client.session_reused is client.resumption  # type: ignore[attr-defined]
    after = SIGNATURES.counters()
    assert after.hits > before.hits
    assert after.misses == before.misses


def list_of(issuer: Entity, *revoked: Entity, hours: int = 0) -> bytes:
    """Make a revocation list, DER, so many hours old."""
    since = NOW - DAY / 24 * hours
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.name).last_update(since).next_update(NOW + DAY)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now


def connect(client: Config, server: Config) -> int:
    """Return the code with which the client refuses the server in a handshake between two connections, or 0."""
    try:
        harness.Pair(client, server).connect()
    except CertificateRejected as refused:
        return refused.verify_code
    return 0


def configs(top: Entity, end: Entity, clock: Clock) -> tuple[Config, Config]:
    from fasttls.crypto.signatures import KeySigner
    from fasttls.handshake.config import Credential

    credential = Credential((end.der,), KeySigner(end.key))
    return (
        harness.client_config(trust=store_of(top), now=clock),
        harness.server_config(credentials=(credential,), now=clock),
    )


def test_expiry_takes_effect_on_the_next_handshake() -> None:
    top, clock = root(not_before=NOW - 9 * DAY, not_after=NOW + 90 * DAY), Clock()
    client, server = configs(top, leaf(top, not_before=NOW - DAY, not_after=NOW + DAY), clock)
    for days, code in ((0, 0), (0.5, 0), (1.01, 10), (0, 0), (-1.01, 9), (0, 0), (200, 10), (0, 0)):
        clock.now = (NOW + days * DAY).timestamp()
        assert connect(client, server) == code
    assert SIGNATURES.counters().misses <= 1


def test_expiry_of_the_root_takes_effect_on_the_next_handshake() -> None:
    top, clock = root(not_after=NOW + DAY), Clock()
    client, server = configs(top, leaf(top, not_after=NOW + 90 * DAY), clock)
    assert connect(client, server) == 0
    clock.now += 2 * 86400
    assert connect(client, server) == 10


@pytest.mark.parametrize("as_datetime", [False, True])
def test_time_that_is_given_is_the_one_that_counts(as_datetime: bool) -> None:
    top = root(not_before=NOW - 9 * DAY, not_after=NOW + 90 * DAY)
    end, store = leaf(top, not_before=NOW - DAY, not_after=NOW + DAY), store_of(top)
    for days, code in ((0, 0), (2, 10), (-2, 9), (0, 0)):
        moment = NOW + days * DAY
        assert refusal([end], store, time=moment if as_datetime else moment.timestamp()) == code


def test_root_that_is_trusted_no_longer_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(top), server_of(leaf(top))
    warmed(client, server)
    client._trust.discard(top.der)
    assert handshake(client, server) == 20
    client.trust(top.der)
    assert handshake(client, server) == 0


def test_root_that_is_trusted_no_longer_counts_for_a_configuration_that_was_made_before() -> None:
    top, clock = root(), Clock()
    client, server = configs(top, leaf(top), clock)
    assert connect(client, server) == 0
    client.trust.discard(top.der)
    assert connect(client, server) == 20


def test_root_that_is_taken_away_between_wrapping_and_shaking_hands_counts_no_more(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(top), server_of(leaf(top))
    warmed(client, server)
    pair = Bios(client, server)
    client._trust.discard(top.der)
    assert finished(pair) == 20


def test_root_that_leaves_its_directory_takes_effect_on_the_next_handshake(tmp_path: Path, client_of: ClientOf) -> None:
    top = root()
    file = tmp_path / "0123abcd.0"
    file.write_text(pem([top]))
    client, server = client_of(), server_of(leaf(top))
    client.load_verify_locations(capath=tmp_path)
    warmed(client, server)
    file.unlink()
    assert handshake(client, server) == 20


def test_new_list_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root()
    end = leaf(top)
    client, server = client_of(top), server_of(end)
    warmed(client, server)
    client.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    assert handshake(client, server) == 3
    client.use_crls(list_of(top, hours=2))
    assert handshake(client, server) == 0
    assert handshake(client, server) == 0
    client.use_crls(list_of(top, end, hours=1))
    assert handshake(client, server) == 23
    client.use_crls(list_of(top), replace=True)
    assert handshake(client, server) == 0


def test_list_takes_effect_on_a_connection_that_was_wrapped_before(client_of: ClientOf) -> None:
    top = root()
    end = leaf(top)
    client, server = client_of(top), server_of(end)
    client.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    client.use_crls(list_of(top, hours=2))
    warmed(client, server)
    pair = Bios(client, server)
    client.use_crls(list_of(top, end, hours=1))
    assert finished(pair) == 23


def test_file_of_lists_that_is_renewed_takes_effect_on_the_next_handshake(tmp_path: Path, client_of: ClientOf) -> None:
    top = root()
    end = leaf(top)
    file, new = tmp_path / "list.crl", tmp_path / "list.new"
    file.write_bytes(list_of(top, hours=2))
    client, server = client_of(top), server_of(end)
    client.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    client.use_crls(file)
    warmed(client, server)
    new.write_bytes(list_of(top, end, hours=1))
    os.replace(new, file)
    assert handshake(client, server) == 23


def test_list_that_is_out_of_date_takes_effect_on_the_next_handshake() -> None:
    top, clock = root(), Clock()
    client, server = configs(top, leaf(top), clock)
    client = replace(client, crl_check=CrlCheck.LEAF)
    client.trust.add_crl(list_of(top, hours=1))
    assert connect(client, server) == 0
    clock.now += 2 * 86400
    assert connect(client, server) == 12
    clock.now -= 4 * 86400
    assert connect(client, server) == 11


def test_another_host_name_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(top), server_of(leaf(top, HOST, "127.0.0.1"))
    warmed(client, server)
    assert handshake(client, server, "other.example") == 62
    assert handshake(client, server, "127.0.0.2") == 64
    assert handshake(client, server, "127.0.0.1") == 0
    client.check_hostname = False
    assert handshake(client, server, "other.example") == 0
    client.check_hostname = True
    assert handshake(client, server, "other.example") == 62


def test_strict_flag_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root(identifiers=False)
    client, server = client_of(top), server_of(leaf(top))
    warmed(client, server)
    for _ in range(2):
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        assert handshake(client, server) == 86
        client.verify_flags &= ~ssl.VERIFY_X509_STRICT
        assert handshake(client, server) == 0


def test_partial_chain_flag_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    middle = intermediate("Middle", root())
    client, server = client_of(middle), server_of(leaf(middle), middle)
    for _ in range(2):
        assert handshake(client, server) == 2
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        assert handshake(client, server) == 0
        client.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN


def test_verify_mode_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(), server_of(leaf(top))
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    assert handshake(client, server) == 0
    client.verify_mode = ssl.CERT_REQUIRED
    assert handshake(client, server) == 20


def test_security_level_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root()
    end = leaf(top)
    sha1 = top.signs(lambda tbs: [*tbs[:2], ECDSA_SHA1, *tbs[3:]], end, sha1=True)
    server = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.use_certificate(sha1, end.key)
    client = client_of(top)
    assert handshake(client, server) == 68
    for level, code in ((0, 0), (2, 68), (0, 0), (1, 68)):
        client.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
        assert handshake(client, server) == code


def test_strength_that_is_given_is_the_one_that_counts() -> None:
    top = root()
    end, store = leaf(top), store_of(top)
    for bits, code in ((256, 0), (384, 66), (0, 0), (257, 66)):
        assert refusal([end], store, strength=Strength(ec_bits=bits)) == code


def test_purpose_takes_effect_on_the_next_validation() -> None:
    top = root()
    for_servers, for_clients = leaf(top, purposes=(SERVER,)), leaf(top, purposes=(CLIENT,))
    store = store_of(top)
    for _ in range(2):
        for purpose, codes in ((Purpose.SERVER_AUTH, (0, 26)), (Purpose.CLIENT_AUTH, (26, 0))):
            assert refusal([for_servers], store, purpose=purpose) == codes[0]
            assert refusal([for_clients], store, purpose=purpose) == codes[1]


def test_server_certificate_that_is_known_to_be_good_is_none_for_a_client(client_of: ClientOf) -> None:
    # The same certificate, good for a server a moment ago, shown by a client.
    top = root()
    end = leaf(top, purposes=(SERVER,))
    client, server = client_of(top), server_of(end)
    warmed(client, server)
    client.use_certificate(end.der, end.key)
    server.trust(top.der)
    server.verify_mode = ssl.CERT_REQUIRED
    assert handshake(client, server) == 26


def test_constraints_of_another_authority_are_judged_though_all_signatures_are_known() -> None:
    # The leaf and its issuer's key are the same; one of two certificates of that key allows less.
    top, key = root(), spare_key(2)
    rule = x509.NameConstraints([x509.DNSName("example.com")], None)
    free = intermediate("Middle", top, key=key)
    bound = intermediate("Middle", top, key=key, extensions=[(rule, True)])
    end, store = leaf(free), store_of(top)
    assert refusal([end, free], store) == 0
    assert refusal([end, bound], store) == 47
    assert refusal([end, free], store) == 0


def test_session_that_is_offered_again_does_not_replace_verification(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(), server_of(leaf(top))
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    first = Bios(client, server).handshake()
    client.verify_mode = ssl.CERT_REQUIRED
    pair = Bios(client, server)
    pair.client.session = first.client.session
    assert finished(pair) == 20


def test_session_with_one_host_is_none_with_another(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(top), server_of(leaf(top))
    first = Bios(client, server).handshake()
    pair = Bios(client, server, "other.example")
    pair.client.session = first.client.session
    assert finished(pair) == 62


# The same for a server that verifies its clients, with sessions of theirs.


def mutual(client_of: ClientOf) -> tuple[Entity, Entity, fasttls.SSLContext, fasttls.SSLContext]:
    """Return an authority, a client's certificate, and contexts of that client and of a server that wants it."""
    top = root()
    own, client, server = leaf(top, purposes=(CLIENT,)), client_of(top), server_of(leaf(top))
    client.use_certificate(own.der, own.key)
    server.trust(top.der)
    server.verify_mode = ssl.CERT_REQUIRED
    return top, own, client, server


def test_clients_root_that_is_trusted_no_longer_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top, _, client, server = mutual(client_of)
    warmed(client, server)
    server._trust.discard(top.der)
    # The client trusts the root too, and sends it with its certificate.
    assert handshake(client, server) == 19
    server.trust(top.der)
    assert handshake(client, server) == 0


def test_list_that_revokes_a_client_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top, own, client, server = mutual(client_of)
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    server.use_crls(list_of(top, hours=2))
    warmed(client, server)
    server.use_crls(list_of(top, own, hours=1))
    assert handshake(client, server) == 23


def test_strictness_towards_clients_takes_effect_on_the_next_handshake(client_of: ClientOf) -> None:
    top = root(identifiers=False)
    own, client, server = leaf(top, purposes=(CLIENT,)), client_of(top), server_of(leaf(top))
    client.use_certificate(own.der, own.key)
    server.trust(top.der)
    server.verify_mode = ssl.CERT_REQUIRED
    warmed(client, server)
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    assert handshake(client, server) == 86


def test_client_that_was_not_asked_for_a_certificate_is_asked_as_soon_as_one_is_needed(client_of: ClientOf) -> None:
    top = root()
    client, server = client_of(top), server_of(leaf(top))
    warmed(client, server)
    server.trust(top.der)
    server.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        Bios(client, server).handshake()
