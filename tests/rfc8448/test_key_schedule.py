"""Every secret, key and Finished of RFC 8448's traces, computed (RFC 8446 §7.1, §7.3, §4.4.4)."""

from __future__ import annotations

import hashlib

import pytest
from rfc8448.trace import RESUMED, SECTIONS, SIMPLE, find, messages, secret, steps

from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EarlySecret, Exporter
from fasttls.native._finished import finished13, finished13_matches
from fasttls.native._hash import Transcript
from fasttls.native._kdf import derive_secret, hkdf_expand, hkdf_expand_label, hkdf_extract, traffic_keys
from fasttls.native._secret import Secret

EMPTY = hashlib.sha256(b"").digest()
# What the steps of a trace are about; test_every_step_is_checked finds one that nothing here computes.
COMPUTED = (
    "extract secret",
    "derive secret",
    "derive write traffic keys",
    "derive read traffic keys",
    "calculate finished",
    "calculate PSK binder",
    "generate resumption secret",
)
NOT_COMPUTED = ("create an ephemeral", "construct a", "send ")


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
    assert len(derived) == (10 if section == RESUMED else 8) + 1  # "derived" is printed for either side
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
        for part, info in (("key expanded", step["key info"]), ("iv expanded", step["iv info"])):
            assert hkdf_expand("sha256", Secret(step["PRK"]), info, len(step[part])) == step[part], step.title


def transcripts(section: int) -> tuple[Transcript, Transcript]:
    """Return the transcript up to the server's Finished, and the one up to the client's."""
    client, server = messages(section, "client"), messages(section, "server")
    server = server[: next(index for index, raw in enumerate(server) if raw[0] == 20) + 1]
    hellos = [raw for raw in client if raw[0] == 1]
    retried = len(hellos) == 2
    to_server_finished = Transcript()
    to_server_finished.add(hellos[0])
    to_server_finished.choose("sha256", retried=retried)
    if retried:
        to_server_finished.add(server.pop(0))
        to_server_finished.add(hellos[1])
    for raw in server:
        to_server_finished.add(raw)
    to_client_finished = to_server_finished.copy()
    for raw in client[len(hellos) :]:
        to_client_finished.add(raw)
    return to_server_finished, to_client_finished


def hellos_only(section: int) -> Transcript:
    """Return the transcript that ends with ServerHello."""
    client, server = messages(section, "client"), messages(section, "server")
    hellos = [raw for raw in client if raw[0] == 1]
    transcript = Transcript()
    transcript.add(hellos[0])
    transcript.choose("sha256", retried=len(hellos) == 2)
    if len(hellos) == 2:
        transcript.add(server.pop(0))
        transcript.add(hellos[1])
    transcript.add(server[0])
    return transcript


@pytest.mark.parametrize("section", SECTIONS)
def test_the_digests_of_the_secrets_are_those_of_the_transcript(section: int) -> None:
    """RFC 8446 §7.1: which messages each secret is bound to."""
    to_server_finished, to_client_finished = transcripts(section)
    for label in ("c hs traffic", "s hs traffic"):
        assert hellos_only(section).digest() == secret(section, label)["hash"], label
    for label in ("c ap traffic", "s ap traffic", "exp master"):
        assert to_server_finished.digest() == secret(section, label)["hash"], label
    assert to_client_finished.digest() == secret(section, "res master")["hash"]
    if section == RESUMED:
        hello = hashlib.sha256(messages(section, "client")[0]).digest()
        for label in ("c e traffic", "e exp master"):
            assert hello == secret(section, label)["hash"], label


@pytest.mark.parametrize("section", SECTIONS)
def test_finished(section: int) -> None:
    """RFC 8446 §4.4.4: Finished covers the messages before it, under the handshake traffic secret of its side."""
    for side, transcript in zip(("server", "client"), transcripts(section), strict=True):
        step = find(section, side, 'calculate finished "tls13 finished"')
        if not step.values:  # the other side's comes first, and is the same
            step = find(section, side, 'calculate finished "tls13 finished"', 1)
        assert step["PRK"] == secret(section, f"{side[0]} hs traffic")["expanded"]
        base = Secret(step["PRK"])
        assert hkdf_expand_label("sha256", base, b"finished", b"", 32) == step["expanded"]
        assert hkdf_expand("sha256", base, step["info"], 32) == step["expanded"]
        assert finished13("sha256", base, transcript.digest_before()) == step["finished"], (section, side)
        assert FinishedKey("sha256", base).verify(step["finished"], transcript.digest_before())
        assert not finished13_matches("sha256", base, transcript.digest_before(), step["finished"][:-1] + b"\0")
        assert not FinishedKey("sha256", base).verify(step["finished"], transcript.digest())


def test_the_psk_binder() -> None:
    """RFC 8446 §4.2.11.2: a Finished over the ClientHello without its binders, under a key of the early secret."""
    step = find(RESUMED, "client", "calculate PSK binder")
    early = hkdf_extract("sha256", None, Secret(find(RESUMED, "client", 'extract secret "early"')["IKM"]))
    binder_key = derive_secret("sha256", early, b"res binder", EMPTY)
    assert binder_key == step["PRK"]
    assert hkdf_expand_label("sha256", binder_key, b"finished", b"", 32) == step["expanded"]
    assert hashlib.sha256(step["ClientHello prefix"]).digest() == step["binder hash"]
    assert finished13("sha256", binder_key, step["binder hash"]) == step["finished"]
    assert messages(RESUMED, "client")[0] == step["ClientHello prefix"] + b"\0\x21\x20" + step["finished"]


def test_the_resumption_secret() -> None:
    """RFC 8446 §4.6.1: the pre-shared key of the ticket, which the next trace begins with."""
    step = find(SIMPLE, "server", "generate resumption secret")
    assert step["PRK"] == secret(SIMPLE, "res master")["expanded"]
    ticket = next(raw for raw in messages(SIMPLE, "server") if raw[0] == 4)
    nonce = ticket[13 : 13 + ticket[12]]
    assert nonce == step["hash"]
    psk = hkdf_expand_label("sha256", Secret(step["PRK"]), b"resumption", nonce, 32)
    assert psk == step["expanded"]
    assert psk == find(RESUMED, "client", 'extract secret "early"')["IKM"]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_stages_of_the_key_schedule(section: int) -> None:
    """EarlySecret, HandshakeSecret and MasterSecret give the trace's secrets, one after another."""
    shared = Secret(find(section, "server", 'extract secret "handshake"')["IKM"])
    psk = Secret(find(section, "client", 'extract secret "early"')["IKM"]) if section == RESUMED else None
    to_server_finished, to_client_finished = transcripts(section)

    early = EarlySecret("sha256", psk)
    handshake = early.into_handshake(shared)
    assert shared.wiped
    if psk is not None:
        with pytest.raises(ValueError, match="wiped"):
            early.into_handshake(Secret(bytes(32)))
    traffic = handshake.traffic(hellos_only(section).digest())
    assert traffic.client == secret(section, "c hs traffic")["expanded"]
    assert traffic.server == secret(section, "s hs traffic")["expanded"]
    master = handshake.into_master()
    with pytest.raises(ValueError, match="wiped"):
        handshake.traffic(hellos_only(section).digest())
    application = master.traffic(to_server_finished.digest())
    assert application.client == secret(section, "c ap traffic")["expanded"]
    assert application.server == secret(section, "s ap traffic")["expanded"]
    exporter = master.exporter(to_server_finished.digest())
    assert exporter.secret == secret(section, "exp master")["expanded"]
    assert master.into_resumption(to_client_finished.digest()) == secret(section, "res master")["expanded"]
    with pytest.raises(ValueError, match="wiped"):
        master.traffic(to_server_finished.digest())


@pytest.mark.parametrize("section", SECTIONS)
def test_an_exporter_of_the_traces_secret(section: int) -> None:
    """RFC 8446 §7.5: the label's secret from the exporter secret, then "exporter" with the digest of the context."""
    expected = secret(section, "exp master")["expanded"]
    of_label = hkdf_expand("sha256", Secret(expected), b"\0\x20\x0atls13 test\x20" + EMPTY, 32)
    context = hashlib.sha256(b"context").digest()
    exported = hkdf_expand("sha256", of_label, b"\0\x30\x0etls13 exporter\x20" + context, 48)
    assert Exporter("sha256", Secret(expected)).export(b"test", 48, b"context") == bytes(exported)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_step_is_checked(section: int) -> None:
    for step in steps(section):
        assert step.title.startswith(COMPUTED) is not step.title.startswith(NOT_COMPUTED), step.title
