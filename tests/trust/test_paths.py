"""Building paths: every way that leads to an anchor is found, and no chain costs more than a bounded search."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from certs import CLIENT, DAY, NOW, SERVER
from cryptography import x509
from trust.forge import HOST, Entity, intermediate, leaf, root, spare_key

from fasttls.trust.certificate import Certificate
from fasttls.trust.path import MOST_INTERMEDIATES, Policy, Purpose, verify_chain
from fasttls.trust.store import TrustStore
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

SECONDS_THAT_A_CHAIN_MAY_COST = 2.0


def _store(*trusted: Entity) -> TrustStore:
    store = TrustStore()
    for one in trusted:
        store.add(one.der)
    return store


def _verify(
    chain: list[Entity], *trusted: Entity, host: str | None = HOST, now: float | None = None, **rules: bool
) -> list[str]:
    policy = Policy(Purpose.SERVER_AUTH, time.time() if now is None else now, host, **rules)
    path = verify_chain([one.der for one in chain], _store(*trusted), policy)
    return [certificate.description.removeprefix("CN=") for certificate in path]


def _code(call: Callable[[], object]) -> VerifyCode:
    started = time.perf_counter()
    with pytest.raises(CertificateRejected) as refused:
        call()
    assert time.perf_counter() - started < SECONDS_THAT_A_CHAIN_MAY_COST
    return VerifyCode(refused.value.verify_code)


def _ladder(rungs: int) -> tuple[Entity, list[Entity]]:
    """Return a root and the intermediates below it, the lowest first."""
    top = root(key=spare_key(0))
    found: list[Entity] = []
    for number in range(rungs):
        found.insert(0, intermediate(f"CA {number}", found[0] if found else top, key=spare_key(number % 4)))
    return top, found


def test_path_goes_from_the_leaf_to_the_anchor() -> None:
    top, rungs = _ladder(2)
    assert _verify([leaf(rungs[0]), *rungs], top) == ["leaf", "CA 1", "CA 0", "Root"]


def test_shortest_path_ends_at_the_first_anchor() -> None:
    top, rungs = _ladder(2)
    path = _verify([leaf(rungs[0]), *rungs], rungs[0], top, partial_chain=True)
    assert path == ["leaf", "CA 1"]


def test_intermediate_of_the_store_is_used_when_the_peer_does_not_send_it() -> None:
    top, rungs = _ladder(1)
    assert _verify([leaf(rungs[0])], top, rungs[0]) == ["leaf", "CA 0", "Root"]


def test_longest_path_that_is_allowed() -> None:
    top, rungs = _ladder(MOST_INTERMEDIATES)
    assert len(_verify([leaf(rungs[0]), *rungs], top)) == MOST_INTERMEDIATES + 2


def test_path_that_is_too_long_is_refused() -> None:
    top, rungs = _ladder(MOST_INTERMEDIATES + 1)
    assert _code(lambda: _verify([leaf(rungs[0]), *rungs], top)) is VerifyCode.CERT_CHAIN_TOO_LONG


def test_loop_of_cross_signed_authorities_ends() -> None:
    names = ["A", "B", "C", "D"]
    keys = {name: spare_key(number) for number, name in enumerate(names)}
    alone = {name: root(name, key=keys[name]) for name in names}
    crossed = [intermediate(a, alone[b], key=keys[a]) for a in names for b in names if a != b]
    chain = [leaf(alone["A"]), *crossed]
    assert _code(lambda: _verify(chain)) in (
        VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        VerifyCode.SELF_SIGNED_CERT_IN_CHAIN,
        VerifyCode.CERT_CHAIN_TOO_LONG,
    )
    assert _verify(chain, alone["D"])[-1] == "D"


def test_many_authorities_of_one_name_end_the_search() -> None:
    # Every one of them may have issued every other: there are more paths than can be walked.
    same = [root("Same", identifiers=False) for _ in range(15)]
    pairs = itertools.pairwise(same)
    signed = [intermediate("Same", one, identifiers=False, key=other.key) for one, other in pairs]
    chain = [leaf(same[0], identifiers=False), *signed]
    assert _code(lambda: _verify(chain)) is not VerifyCode.OK
    assert _code(lambda: _verify(chain, *[root("Same", identifiers=False) for _ in range(15)])) is not VerifyCode.OK


def test_many_trusted_authorities_of_one_name_cost_a_bounded_number_of_signatures() -> None:
    trusted = [root("Same", identifiers=False) for _ in range(60)]
    one = leaf(root("Same", identifiers=False), identifiers=False)
    assert _code(lambda: _verify([one], *trusted)) is VerifyCode.CERT_SIGNATURE_FAILURE


def test_hundreds_of_certificates_of_a_peer_are_not_all_looked_at() -> None:
    top = root()
    strangers = [leaf(top)] * 500
    assert _verify([leaf(top), *strangers], top)[-1] == "Root"


def test_hundreds_of_names_under_hundreds_of_constraints_end() -> None:
    # CVE-2023-0464's kind: names times constraints.
    top = root()
    rule = x509.NameConstraints([x509.DNSName(f"d{number}.example") for number in range(700)], None)
    middle = intermediate("Middle", top, extensions=[(rule, True)])
    one = leaf(middle, *[f"a.d{number}.example" for number in range(700)])
    assert _code(lambda: _verify([one, middle], top, host=None)) is VerifyCode.CERT_REJECTED


def test_another_path_is_tried_when_the_first_is_not_valid() -> None:
    key = spare_key(1)
    old, new = root("Old", not_after=NOW - DAY / 2), root("New")
    expired, good = intermediate("Middle", old, key=key), intermediate("Middle", new, key=key)
    assert _verify([leaf(good), expired, good], old, new) == ["leaf", "Middle", "New"]
    assert _verify([leaf(good), good, expired], old, new) == ["leaf", "Middle", "New"]


def test_anchor_whose_key_signed_is_found_among_anchors_of_the_same_name() -> None:
    others = [root("Same", identifiers=False) for _ in range(5)]
    right = root("Same", identifiers=False)
    assert _verify([leaf(right, identifiers=False)], *others, right)[-1] == "Same"


def test_key_rollover_certificate_does_not_confuse() -> None:
    # RFC 5280 §6.1: self-issued certificates join an authority's old and new key.
    old, new_key = root("Root", key=spare_key(1)), spare_key(2)
    renewed = intermediate("Root", old, key=new_key)
    assert _verify([leaf(renewed), renewed], old) == ["leaf", "Root", "Root"]


@pytest.mark.parametrize(("seconds", "code"), [(-1, 9), (0, 0), (86400, 0), (86400.9, 0), (86401, 10)])
def test_first_and_last_second_belong_to_the_validity(seconds: float, code: int) -> None:
    # RFC 5280 §4.1.2.5: from notBefore through notAfter, inclusive.
    top = root(not_before=NOW - 9 * DAY)
    one = leaf(top, not_before=NOW, not_after=NOW + DAY)
    now = NOW.timestamp() + seconds
    if code == 0:
        assert _verify([one], top, now=now) == ["leaf", "Root"]
    else:
        assert _code(lambda: _verify([one], top, now=now)) == code


def test_refusal_tells_the_certificate_and_the_value() -> None:
    top, rungs = _ladder(1)
    expired = leaf(rungs[0], not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    with pytest.raises(CertificateRejected, match="valid until") as refused:
        _verify([expired, *rungs], top)
    assert refused.value.depth == 0
    assert refused.value.verify_message == "certificate has expired"


@pytest.mark.parametrize(("purpose", "usage"), [(Purpose.SERVER_AUTH, CLIENT), (Purpose.CLIENT_AUTH, SERVER)])
def test_purpose_is_judged_for_either_side(purpose: Purpose, usage: x509.ObjectIdentifier) -> None:
    top = root()
    one = leaf(top, purposes=(usage,))
    policy = Policy(purpose, time.time())
    assert _code(lambda: verify_chain([one.der], _store(top), policy)) is VerifyCode.INVALID_PURPOSE


def test_certificate_is_equal_to_another_of_the_same_bytes() -> None:
    der = leaf(root()).der
    assert Certificate(der) == Certificate(der)
    assert hash(Certificate(der)) == hash(Certificate(der))
    assert Certificate(der) != Certificate(leaf(root()).der)


def test_no_decision_is_remembered() -> None:
    # The caches hold what is true of the bytes alone: a root taken away is not trusted any more.
    top = root()
    one = leaf(top)
    assert _verify([one], top)
    assert _code(lambda: _verify([one])) is VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    assert _code(lambda: _verify([one], top, host="other.example")) is VerifyCode.HOSTNAME_MISMATCH
    assert _code(lambda: _verify([one], top, now=time.time() + 1e9)) is VerifyCode.CERT_HAS_EXPIRED
