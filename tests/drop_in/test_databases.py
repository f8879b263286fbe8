"""Clients of databases."""

from __future__ import annotations

import pytest
from drop_in.checks import Peers, check_client, check_refusal, each_wrong
from drop_in.peers_databases import talk_mongodb, talk_postgresql
from drop_in.way import Peer
from drop_in.ways import Way

MONGO = ["pymongo", "pymongo_asyncio"]
"""They take files alone."""
POSTGRESQL = ["asyncpg", "asyncpg_uvloop"]


@pytest.mark.parametrize("program", MONGO)
def test_mongodb(injected: Way, program: str, peer: Peers) -> None:
    check_client(injected, f"databases:{program}", peer, talk_mongodb)


@each_wrong
@pytest.mark.parametrize("program", MONGO)
def test_mongodb_and_a_wrong_certificate(injected: Way, program: str, peer: Peers, certificate: str) -> None:
    outcome = injected.run(f"databases:{program}", Peer(peer(talk_mongodb, certificate).port))
    # pymongo takes the cause out of its exceptions, and keeps the words.
    assert outcome.errors[0] == "pymongo.errors.ServerSelectionTimeoutError"
    assert "[SSL: CERTIFICATE_VERIFY_FAILED]" in outcome.text
    assert outcome.clients == 0


@pytest.mark.parametrize("program", POSTGRESQL)
def test_postgresql(each_way: Way, program: str, peer: Peers) -> None:
    check_client(each_way, f"databases:{program}", peer, talk_postgresql, tls_first=False)


@each_wrong
@pytest.mark.parametrize("program", POSTGRESQL)
def test_postgresql_and_a_wrong_certificate(each_way: Way, program: str, peer: Peers, certificate: str) -> None:
    check_refusal(each_way, f"databases:{program}", peer, talk_postgresql, certificate, tls_first=False)
