"""The checks of this folder fail when they should: no library passes them that fasttls has no part in."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from drop_in import way
from drop_in.checks import (
    VERIFICATION,
    Peers,
    alert_for,
    check_client,
    check_refusal,
    check_server,
    client_of,
    exchange_echo,
    exchange_http,
)
from drop_in.peers import talk_http
from drop_in.way import Outcome, Tls
from drop_in.ways import Passed


class Standard(Passed):
    """The program runs here, and says `import ssl`: nobody has injected fasttls."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._tls = Tls(folder, injected=True)


@pytest.fixture
def standard(keys: Path) -> Standard:
    return Standard(keys)


def test_a_client_of_the_standard_library_does_not_pass(standard: Standard, peer: Peers) -> None:
    with pytest.raises(AssertionError, match="0 == "):
        check_client(standard, "http_clients:http_client", peer, talk_http)


def test_a_server_of_the_standard_library_does_not_pass(standard: Standard, keys: Path) -> None:
    with pytest.raises(AssertionError, match="0 == "):
        check_server(standard, "http_servers:http_server", keys, exchange_http)


def test_a_server_on_asyncio_closes_without_an_alert_with_the_standard_library_too(
    standard: Standard, keys: Path
) -> None:
    for name in ("streams:asyncio_server", "streams:trio_server", "streams:uvloop_server"):
        with standard.serve(name) as (port, _):
            assert alert_for(port, client_of(keys, "strange-client")) is None
    with pytest.raises(AssertionError, match="0 == "):
        check_server(standard, "streams:asyncio_server", keys, exchange_echo, alerts=False)


def test_a_client_that_says_no_certificate_does_not_pass(keys: Path, peer: Peers) -> None:
    with pytest.raises(AssertionError):
        check_client(Passed(keys), "http_clients:http_client", peer, talk_http, anonymous=True)


def test_a_certificate_that_is_right_is_no_refusal(keys: Path, peer: Peers) -> None:
    with pytest.raises(AssertionError, match="was not refused"):
        check_refusal(Passed(keys), "http_clients:http_client", peer, talk_http, "server")


def _fail_in_many_ways() -> None:
    try:
        raise ssl.SSLCertVerificationError("no")
    except ssl.SSLError as error:
        raise ExceptionGroup("many", [RuntimeError(error)]) from None


def test_an_exception_is_found_behind_others() -> None:
    with pytest.raises(ExceptionGroup) as told:
        _fail_in_many_ways()
    assert VERIFICATION in [way.name_of(one) for one in way.behind(told.value)]


def test_a_library_that_is_missing_is_told() -> None:
    outcome = Outcome()
    try:
        import a_library_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401
    except ModuleNotFoundError as error:
        way.fail(outcome, error)
    assert outcome.missing == "a_library_that_nobody_has"


def test_a_server_of_the_standard_library_on_threads_answers_with_an_alert(keys: Path, standard: Standard) -> None:
    for name in ("http_servers:http_server", "http_servers:tornado"):
        with standard.serve(name) as (port, _):
            assert alert_for(port, client_of(keys, "strange-client")) == "TLSV1_ALERT_UNKNOWN_CA"
