"""`python -m fasttls bench`: what it measures is what it says, and the report holds it."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fasttls.__main__ import main
from fasttls.diagnose.bench import handshakes as hs
from fasttls.diagnose.bench import replay, svg
from fasttls.diagnose.bench.breakdown import FLOOR, LAYERS, RECORD, SCHEDULE, TRUST, WIRE, bar
from fasttls.diagnose.bench.cases import COLD, WARM, Files, Suite
from fasttls.diagnose.bench.ends import Pair, observe, pair_of
from fasttls.diagnose.bench.libraries import AES128, FASTTLS, HYBRID, SSL, Setting, UnsupportedSetting
from fasttls.diagnose.bench.rounds import Case, Contender, Result, run
from fasttls.diagnose.bench.wirefacts import agreed


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("certificates"))


def test_report_has_a_row_for_each_contender_and_its_goal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "resumption 1.2", "--rounds", "2", "-o", str(tmp_path)]) == 0
    assert "resumption 1.2" in capsys.readouterr().out
    run_of = json.loads((tmp_path / "report.json").read_text())
    rows = {(one["case"], one["contender"]): one for one in run_of["results"]}
    assert rows["resumption 1.2", "ssl"]["ratio"] == 1
    assert rows["resumption 1.2", "fasttls"]["goal"] == 0.2
    assert rows["resumption 1.2", "fasttls"]["met"] is (rows["resumption 1.2", "fasttls"]["ratio"] <= 0.2)
    markdown = (tmp_path / "report.md").read_text()
    assert "| resumption 1.2; fasttls | ≤ 0.2 |" in markdown
    for plot in ("ratios.svg", "breakdown.svg"):
        assert ET.fromstring((tmp_path / plot).read_text()).tag.endswith("svg")


def test_quick_writes_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--quick", "--only", "ping-pong", "--rounds", "1"]) == 0
    assert "64-byte ping-pong" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_case_without_rounds_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--rounds", "0"])


@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
@pytest.mark.parametrize("library", [FASTTLS, SSL], ids=lambda library: library.name)
def test_wire_says_what_was_agreed_on(files: Files, library, version: str) -> None:
    for group in ("X25519", "secp256r1"):
        found = observe(pair_of(library, library, files["P-256"], Setting(version, group))).agreed
        assert found.version == version
        assert found.group == group.upper()
        assert found.suite.endswith("AES_256_GCM_SHA384")
        assert not found.resumed


def test_wire_without_a_server_hello_is_refused() -> None:
    for stream in (b"", b"\x15\x03\x03\x00\x02\x02\x28"):
        with pytest.raises(ValueError, match="no ServerHello"):
            agreed(stream)


def test_a_suite_that_was_not_asked_for_fails_the_check(files: Files) -> None:
    pair = pair_of(FASTTLS, FASTTLS, files["P-256"], Setting())
    with pytest.raises(AssertionError):
        hs.check(pair, Setting(suite=AES128), files["P-256"])
    with pytest.raises(AssertionError):
        hs.check(pair, Setting(group="secp256r1"), files["P-256"])


def test_a_client_that_takes_any_authority_fails_the_check(files: Files) -> None:
    trusting = pair_of(FASTTLS, FASTTLS, files["unknown"], Setting())
    with pytest.raises(AssertionError, match="was accepted"):
        hs.check_refuses(trusting)
    hs.check_refuses(trusting._replace(client=FASTTLS.context(files["P-256"], Setting(), False)))


def test_what_a_library_cannot_be_told_is_said(files: Files) -> None:
    with pytest.raises(UnsupportedSetting, match=HYBRID):
        SSL.context(files["P-256"], Setting(group=HYBRID), False)


def test_cold_forgets_and_warm_remembers(files: Files) -> None:
    contenders = {one.name: one for one in Suite(files, ()).full("TLSv1.3", "P-256")}
    from fasttls import trust

    contenders[WARM].step()
    before = trust.SIGNATURES.counters()
    contenders[WARM].step()
    assert trust.SIGNATURES.counters().misses == before.misses
    contenders[COLD].step()
    assert trust.SIGNATURES.counters().misses == 2


def test_ratio_is_that_of_the_rounds() -> None:
    def spending(microseconds: int) -> Contender:
        def step() -> int:
            start = time.thread_time_ns()
            while time.thread_time_ns() - start < 1000 * microseconds:
                pass
            return time.thread_time_ns() - start

        return Contender("ssl" if microseconds == 100 else "twice", step, 3.0 if microseconds == 200 else None)

    base, twice = run(Case("spinning", [spending(100), spending(200)]), 10)
    assert base.ratio == 1
    assert 1.6 < twice.ratio < 2.4
    assert twice.met is True
    assert base.met is None


@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
def test_bar_is_made_of_its_parts(files: Files, version: str) -> None:
    pair: Pair = pair_of(FASTTLS, FASTTLS, files["P-256"], Setting(version))
    found = bar("warm", pair, files["P-256"], Setting(version), cold=False, times=16)
    assert tuple(found.parts) == LAYERS
    assert all(value >= 0 for value in found.parts.values())
    for layer in (FLOOR, SCHEDULE, WIRE, RECORD, TRUST):
        assert 1 < found.parts[layer] < found.whole / 1.2, layer


@pytest.mark.parametrize(
    ("version", "kinds"), [("TLSv1.3", [1, 2, 8, 11, 15, 20, 20]), ("TLSv1.2", [1, 2, 11, 12, 14, 16, 20, 4, 20])]
)
def test_what_is_done_again_is_one_handshake(files: Files, version: str, kinds: list[int]) -> None:
    recorded = replay.record(pair_of(FASTTLS, FASTTLS, files["P-256"], Setting(version)))
    assert [sent.data[0] for sent in recorded.messages if sent.data[0] != 4 or version == "TLSv1.2"] == kinds
    assert recorded.messages[0].by_client
    assert not recorded.messages[1].by_client
    assert [written[0] for written in recorded.written] == [22, 22]
    assert len(recorded.chain) == 2
    for part in (replay.wire, replay.key_schedule, replay.records, replay.validation):
        part(recorded)()


def test_plots_name_what_they_show_and_escape_it() -> None:
    drawn = svg.ratios("title", "below", {"<case>": [svg.Ratio("fasttls", 0.5, 0.3), svg.Ratio("slow", 40.0)]})
    text = " ".join(ET.fromstring(drawn).itertext())
    assert "<case>" in text
    assert "40.00 →" in text
    stacked = svg.stacked("title", "below", {"bar": {"a": 1.0, "b": 2.0}}, "µs")
    assert "3 µs" in " ".join(ET.fromstring(stacked).itertext())


def test_a_goal_is_met_at_its_value() -> None:
    result = Result("case", "fasttls", 1.0, 1.0, 0.37, 0.37, 0.37)
    assert result.met is True
    assert result._replace(ratio=0.38).met is False
