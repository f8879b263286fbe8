"""Validating a chain of two certificates, cold and warm, and what of it the signatures are."""

from __future__ import annotations

import time

from fasttls import trust
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.handshakes import forget
from fasttls.diagnose.bench.rounds import Case, Contender, run
from fasttls.trust.path import Policy, verify_chain
from fasttls.trust.store import read_file


def test_validation_of_two_certificates(files: Files) -> None:
    chain = read_file(files["P-256"].chain)
    store = trust.TrustStore()
    for der in read_file(files["P-256"].root):
        store.add(der)

    def validate() -> tuple[trust.Certificate, ...]:
        # As a default context of Python 3.13 does.
        policy = Policy(trust.Purpose.SERVER_AUTH, time.time(), "localhost", partial_chain=True, strict=True)
        return verify_chain(chain, store, policy)

    path = validate()
    assert [one.der for one in path[:2]] == chain
    keys = [one.public_key.key for one in path]

    def cold() -> int:
        forget()
        return warm()

    def warm() -> int:
        start = time.thread_time_ns()
        found = validate()
        took = time.thread_time_ns() - start
        assert len(found) == 3
        return took

    def signatures() -> int:
        # With keys that are loaded; loading that of the intermediate is a part of validating, and not in here.
        start = time.thread_time_ns()
        held = [one.signed_with.verify(key, one.signature, one.tbs) for one, key in zip(path, keys[1:], strict=False)]
        took = time.thread_time_ns() - start
        assert all(held)
        return took

    contenders = [Contender("signatures", signatures), Contender("cold", cold), Contender("warm", warm)]
    alone, first, again = (result.best for result in run(Case("validation", contenders, steps=20), 30))
    print(
        f"\nvalidating 2 certificates, µs: cold {first:.1f}, of which signatures {alone:.1f}, "
        f"beyond them {first - alone:.1f}; warm {again:.1f}"
    )
    assert again < first
