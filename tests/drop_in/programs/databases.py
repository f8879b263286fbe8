"""Clients of MongoDB and PostgreSQL: each sends one MiB and receives it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from drop_in.way import BODY, SECONDS, Peer, Tls


def _pymongo_settings(tls: Tls, peer: Peer) -> dict[str, Any]:
    milliseconds = int(SECONDS * 1000)
    return {
        "host": peer.host,
        "port": peer.port,
        "tls": True,
        "tlsCAFile": tls.ca,
        "tlsCertificateKeyFile": str(tls.folder / "client.pem"),
        "serverSelectionTimeoutMS": 300,
        "socketTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "serverMonitoringMode": "poll",
        "uuidRepresentation": "standard",
    }


def pymongo(tls: Tls, peer: Peer) -> None:
    import pymongo

    with pymongo.MongoClient(**_pymongo_settings(tls, peer)) as client:
        collection = client["database"]["collection"]
        collection.insert_one({"_id": 1, "body": BODY})
        assert collection.find_one() == {"_id": 1, "body": BODY}


def pymongo_asyncio(tls: Tls, peer: Peer) -> None:
    import pymongo

    async def main() -> None:
        async with pymongo.AsyncMongoClient(**_pymongo_settings(tls, peer)) as client:
            collection = client["database"]["collection"]
            await collection.insert_one({"_id": 1, "body": BODY})
            assert await collection.find_one() == {"_id": 1, "body": BODY}

    asyncio.run(main())


async def _asyncpg(tls: Tls, peer: Peer) -> None:
    import asyncpg

    settings: dict[str, Any] = {"host": peer.host, "port": peer.port, "user": "somebody", "ssl": tls.client()}
    if tls.injected:
        certificate, key = tls.client_files
        query = {"sslmode": "verify-full", "sslrootcert": tls.ca, "sslcert": certificate, "sslkey": key}
        settings = {"dsn": f"postgres://somebody@{peer.host}:{peer.port}/database?{urlencode(query)}"}
    connection = await asyncpg.connect(**settings, timeout=SECONDS)
    assert await connection.fetchval("select $1::bytea", BODY) == BODY
    await connection.close(timeout=SECONDS)


def asyncpg(tls: Tls, peer: Peer) -> None:
    asyncio.run(_asyncpg(tls, peer))


def asyncpg_uvloop(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_asyncpg(tls, peer))
