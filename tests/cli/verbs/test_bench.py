"""``vblkfuzz bench``: the keys of its JSON, and the sizes of its scenarios."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.cli.conftest import Cli
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.bench import detection
from vblkfuzz.bench.detection import Detection
from vblkfuzz.bench.ping_pong import PingPong
from vblkfuzz.bench.scenarios import SCENARIOS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.targets.model import model

COMMAND = [sys.executable, "-m", "vblkfuzz", "bench", "core", "--rounds", "1"]


@pytest.mark.e2e
def test_json_ends_with_one_object_that_has_the_keys() -> None:
    run = subprocess.run([*COMMAND, "--json"], capture_output=True, text=True, check=True)
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures["inline_execs_per_s"] > 0
    assert figures["processes_execs_per_s"] > 0
    assert {"handover_overhead", "handover_us", "handovers", "events"} <= figures.keys()
    assert figures["handovers"] > 2


def test_a_benchmark_that_fails_is_a_harness_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert cli("bench", "core", "--rounds", "1").exit_code == 125


def test_the_scenarios_are_of_20_to_30_operations_and_clean() -> None:
    with model("reference", "inline") as target:
        for scenario in SCENARIOS:
            assert 20 <= len(scenario.ops) <= 30
            assert judge(scenario, target.run(scenario)).clean


def test_ping_pong_answers_each_turn() -> None:
    with PingPong() as ping_pong:
        ping_pong.run(100)


def test_detection_shows_a_row_for_each_search(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Detection("wakes_one", search, seed, 1000 * seed, 1.5, found)
        for seed, found in ((1, "l3"), (2, "l3"), (3, ""))
        for search in ("guided", "blind")
    ]
    rows[1] = replace(rows[1], found="")
    monkeypatch.setattr(detection, "detections", lambda *_: iter(rows))
    result = cli("bench", "detection", "--defect", "wakes_one", "--seeds", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.split() == [
        *("wakes_one", "guided", "2/3", "2,000", "1.5"),
        *("wakes_one", "blind", "1/3", "-", "-"),
    ]
    found = json.loads(cli("bench", "detection", "--seeds", "3", "--json").stdout)
    assert found["seeds"] == 3
    assert found["detections"][0] == {
        "defect": "wakes_one",
        "search": "guided",
        "found": 2,
        "seeds": 3,
        "execs": 2000,
        "seconds": 1.5,
    }


def test_detection_of_an_unknown_bug_is_refused_at_once(cli: Cli) -> None:
    result = cli("bench", "detection", "--defect", "no_such")
    assert result.exit_code == 2
    assert "no_such" in result.stderr


@pytest.mark.realdevice
@NEEDS_QEMU
def test_qemu(cli: Cli) -> None:
    figures = json.loads(cli("bench", "qemu", "--rounds", "1", "--json").stdout)
    assert figures["windows_per_s"] > 0
    assert figures["bare_windows_per_s"] > 0


@pytest.mark.realdevice
@NEEDS_QSD
def test_qsd(cli: Cli) -> None:
    figures = json.loads(cli("bench", "qsd", "--rounds", "1", "--json").stdout)
    assert figures["sessions_per_s"] > 0
    assert figures["bare_sessions_per_s"] > 0
