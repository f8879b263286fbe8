"""Clients of HTTP: each posts one MiB and gets it back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drop_in.way import BODY, SECONDS, Peer, Tls


def _url(peer: Peer) -> str:
    return f"https://{peer.host}:{peer.port}/echo"


@contextmanager
def _default_trust(tls: Tls) -> Iterator[None]:
    """Let the authority be the one that default contexts load."""
    os.environ["SSL_CERT_FILE"] = tls.ca
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]


def http_client(tls: Tls, peer: Peer) -> None:
    import http.client

    connection = http.client.HTTPSConnection(peer.host, peer.port, context=tls.client(), timeout=SECONDS)
    try:
        for _ in range(2):
            connection.request("POST", "/echo", body=BODY)
            assert connection.getresponse().read() == BODY
    finally:
        connection.close()


def http_client_default(tls: Tls, peer: Peer) -> None:
    import http.client

    with _default_trust(tls):
        connection = http.client.HTTPSConnection(peer.host, peer.port, timeout=SECONDS)
        try:
            connection.request("POST", "/echo", body=BODY)
            assert connection.getresponse().read() == BODY
        finally:
            connection.close()


def urllib_request(tls: Tls, peer: Peer) -> None:
    import urllib.request

    with urllib.request.urlopen(_url(peer), data=BODY, context=tls.client(), timeout=SECONDS) as page:
        assert page.read() == BODY


def urllib_request_default(tls: Tls, peer: Peer) -> None:
    import urllib.request

    with _default_trust(tls), urllib.request.urlopen(_url(peer), data=BODY, timeout=SECONDS) as page:
        assert page.read() == BODY


def urllib3(tls: Tls, peer: Peer) -> None:
    import urllib3

    certificate, key = tls.client_files
    settings: dict[str, Any] = {"ssl_context": tls.client()}
    if tls.injected:
        settings = {"ca_certs": tls.ca, "cert_file": certificate, "key_file": key}
    with urllib3.PoolManager(retries=False, timeout=SECONDS, **settings) as pool:
        for _ in range(2):
            assert pool.request("POST", _url(peer), body=BODY).data == BODY


def requests(tls: Tls, peer: Peer) -> None:
    import requests
    import requests.adapters

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=tls.client(), **kwargs)

    with requests.Session() as session:
        session.trust_env = False
        session.verify = tls.ca
        if tls.injected:
            session.cert = tls.client_files
        else:
            session.mount("https://", Adapter())
        for _ in range(2):
            assert session.post(_url(peer), data=BODY, timeout=SECONDS).content == BODY


def httpx(tls: Tls, peer: Peer) -> None:
    import httpx

    with httpx.Client(verify=tls.client(), trust_env=False, timeout=SECONDS) as client:
        for _ in range(2):
            assert client.post(_url(peer), content=BODY).content == BODY


def httpx_http2(tls: Tls, peer: Peer) -> None:
    import httpx

    with httpx.Client(verify=tls.client(), http2=True, trust_env=False, timeout=SECONDS) as client:
        for _ in range(2):
            response = client.post(_url(peer), content=BODY)
            assert (response.http_version, response.content) == ("HTTP/2", BODY)


def httpx_default(tls: Tls, peer: Peer) -> None:
    import httpx

    with _default_trust(tls), httpx.Client(timeout=SECONDS) as client:
        assert client.post(_url(peer), content=BODY).content == BODY


async def _httpx(tls: Tls, peer: Peer) -> None:
    import httpx

    async with httpx.AsyncClient(verify=tls.client(), trust_env=False, timeout=SECONDS) as client:
        for _ in range(2):
            assert (await client.post(_url(peer), content=BODY)).content == BODY


def httpx_asyncio(tls: Tls, peer: Peer) -> None:
    import asyncio

    asyncio.run(_httpx(tls, peer))


def httpx_trio(tls: Tls, peer: Peer) -> None:
    import trio

    trio.run(_httpx, tls, peer)


async def _aiohttp(tls: Tls, peer: Peer) -> None:
    import aiohttp

    timeout = aiohttp.ClientTimeout(SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for _ in range(2):
            async with session.post(_url(peer), data=BODY, ssl=tls.client()) as response:
                assert await response.read() == BODY


def aiohttp(tls: Tls, peer: Peer) -> None:
    import asyncio

    asyncio.run(_aiohttp(tls, peer))


def aiohttp_uvloop(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_aiohttp(tls, peer))


async def _tornado(tls: Tls, peer: Peer) -> None:
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    certificate, key = tls.client_files
    settings: dict[str, Any] = {"ssl_options": tls.client()}
    if tls.injected:
        settings = {"ca_certs": tls.ca, "client_cert": certificate, "client_key": key}
    client = SimpleAsyncHTTPClient(force_instance=True)
    try:
        response = await client.fetch(_url(peer), method="POST", body=BODY, request_timeout=SECONDS, **settings)
        assert response.body == BODY
    finally:
        client.close()


def tornado(tls: Tls, peer: Peer) -> None:
    import asyncio

    asyncio.run(_tornado(tls, peer))
