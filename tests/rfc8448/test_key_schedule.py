"""Every secret, key and Finished of RFC 8448's traces, computed (RFC 8446 §7.1, §7.3, §4.4.4)."""

from __future__ import annotations

import hashlib

import pytest
from rfc8448.trace import RESUMED, SECTIONS, find, messages, steps

from fasttls.crypto.key_schedule import EarlySecret
from fasttls.native._finished import finished13, finished13_matches
from fasttls.native._kdf import derive_secret, hkdf_expand, hkdf_extract, traffic_keys
from fasttls.native._secret import Secret

EMPTY = hashlib.sha256(b"").digest()


def label_of(info: bytes) -> tuple[bytes, bytes]:
    """Return the label without its prefix, and the context, of an HkdfLabel."""
    size = info[2]
    assert info[3:9] == b"tls13 "
    return info[9 : 3 + size], info[4 + size :]


@pytest.mark.parametrize("section", SECTIONS)
def test_extracted_secrets(section: int) -> None:
    extracted = [step for step in steps(section) if step.title.startswith("extract secret") and step.values]
    assert extracted
    for step in extracted:
        salt = Secret(step["salt"]) if "salt" in step.values else None
        assert hkdf_extract("sha256", salt, Secret(step["IKM"])) == step["secret"], step.title


@pytest.mark.parametrize("section", SECTIONS)
def test_derived_secrets(section: int) -> None:
    derived = [step for step in steps(section) if step.title.startswith("derive secret") and step.values]
    assert len(derived) > 5
    for step in derived:
        label, context = label_of(step["info"])
        assert context == step["hash"]
        assert derive_secret("sha256", Secret(step["PRK"]), label, context) == step["expanded"], step.title
        assert hkdf_expand("sha256", Secret(step["PRK"]), step["info"], 32) == step["expanded"], step.title


@pytest.mark.parametrize("section", SECTIONS)
def test_traffic_keys(section: int) -> None:
    derived = [step for step in steps(section) if "traffic keys" in step.title and step.values]
    assert derived
    for step in derived:
        key, iv = traffic_keys("sha256", Secret(step["PRK"]), len(step["key expanded"]))
        assert key == step["key expanded"], step.title
        assert iv == step["iv expanded"], step.title


@pytest.mark.parametrize("section", SECTIONS)
def test_finished(section: int) -> None:
    """The digest that Finished covers is that of the messages before it, in the order of the wire."""
    server_done = messages(section, "server")
    server_done = server_done[: next(i for i, m in enumerate(server_done) if m[0] == 20) + 1]
    client = messages(section, "client")
    hellos = [m for m in client if m[0] == 1]
    if len(hellos) == 2:
        first = hashlib.sha256(hellos[0]).digest()
        server_part = [b"\xfe\0\0\x20" + first, server_done[0], hellos[1], *server_done[1:]]
    else:
        server_part = [*hellos, *server_done]
    client_part = [m for m in client if m[0] != 1]
    before = {
        "server": b"".join(server_part[:-1]),
        "client": b"".join([*server_part, *client_part[:-1]]),
    }
    for side in ("server", "client"):
        step = next(
            step
            for step in steps(section)
            if step.side == side and step.title.startswith("calculate finished") and step.values
        )
        digest = hashlib.sha256(before[side]).digest()
        assert finished13("sha256", Secret(step["PRK"]), digest) == step["finished"], (section, side)
        assert finished13_matches("sha256", Secret(step["PRK"]), digest, step["finished"])
        assert not finished13_matches("sha256", Secret(step["PRK"]), digest, step["finished"][:-1] + b"\0")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_stages_of_the_key_schedule(section: int) -> None:
    """EarlySecret, HandshakeSecret and MasterSecret give the trace's secrets, one after another."""
    shared = find(section, "server", 'extract secret "handshake"')["IKM"]
    psk = Secret(find(section, "client", 'extract secret "early"')["IKM"]) if section == RESUMED else None

    def derived(title: str) -> tuple[bytes, bytes]:
        for step in steps(section):
            if step.title.startswith(f'derive secret "tls13 {title}"') and step.values:
                return step["hash"], step["expanded"]
        raise AssertionError(title)

    handshake = EarlySecret("sha256", psk).into_handshake(Secret(shared))
    hellos, client = derived("c hs traffic")
    traffic = handshake.traffic(hellos)
    assert (traffic.client, traffic.server) == (client, derived("s hs traffic")[1])
    master = handshake.into_master()
    digest, client = derived("c ap traffic")
    application = master.traffic(digest)
    assert (application.client, application.server) == (client, derived("s ap traffic")[1])
    assert master.exporter(digest).secret == derived("exp master")[1]
    digest, resumption = derived("res master")
    assert master.into_resumption(digest) == resumption
    with pytest.raises(ValueError, match="wiped"):
        master.traffic(digest)
