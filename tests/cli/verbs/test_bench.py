"""``vblkfuzz bench``: the keys of its JSON, the sizes of its scenarios, and what detect takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.bench.trials_made_up import trial
from tests.cli.conftest import Cli
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.bench import detect
from vblkfuzz.bench.ping_pong import PingPong
from vblkfuzz.bench.scenarios import SCENARIOS
from vblkfuzz.bench.searches.registry import SEARCHES
from vblkfuzz.bench.searches.search import Budget
from vblkfuzz.bench.trial import Key, Trial
from vblkfuzz.dataplane.defects import DEFECTS
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


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[Key]:
    """Let trials not run: the default search needs as many executions as its seed, others none."""
    ran: list[Key] = []

    def run(todo: Iterable[Key], budget: Budget, _jobs: int) -> Iterator[Trial]:
        for key in todo:
            ran.append(key)
            found = key.search == "default"
            yield trial(key, key.seed if found else budget.runs, "l3" if found else "")

    monkeypatch.setattr(detect, "run_all", run)
    return ran


def test_detect_shows_a_line_for_each_search(cli: Cli, tmp_path: Path, made_up: list[Key]) -> None:
    pytest.importorskip("scipy")
    options = ("--results", tmp_path / "r.jsonl", "--runs", "500", "--defect", "wakes_one")
    searches = ("--search", "uniform", "--search", "default")
    result = cli("bench", "detect", *options, *searches)
    assert result.exit_code == 0
    default, uniform = (re.split("  +", line) for line in result.stdout.splitlines())
    assert default == ["wakes_one", "default", "10/10", "5 [2, 8]", "0.1"]
    assert uniform[:5] == ["wakes_one", "uniform", "0/10", "- [-, -]", "1.00 [1.00, 1.00]"]
    assert uniform[5:] == ["<0.001", "better", "-", "better"]
    assert result.stderr.splitlines()[-1] == "20 of 20 trials, about 0s left"
    assert len(result.stderr.splitlines()) == 10
    found = json.loads(cli("bench", "detect", *options, *searches, "--json").stdout)
    assert len(made_up) == 20  # none is run twice
    first, second = found["rows"]
    assert (first["execs"], first["by_execs"]) == (5, None)
    assert (second["execs"], second["found"], second["trials"]) == (None, 0, 10)
    assert second["by_execs"]["default_is"] == "better"
    assert found["setup"]["runs"] == 500


def test_detect_names_devices_and_searches(cli: Cli, tmp_path: Path, made_up: list[Key]) -> None:
    pytest.importorskip("scipy")
    results = ("--results", tmp_path / "r.jsonl", "--runs", "500", "--trials", "1")
    default = (*results, "--search", "default")
    assert cli("bench", "detect", *default, "--device", "patch-v4").exit_code == 0
    assert made_up == [Key("patch-v4", "default", 1)]
    assert cli("bench", "detect", *default, "--short").exit_code == 0
    assert [key.device for key in made_up[1:]] == [f"reference+{name}" for name in detect.SHORT]
    assert cli("bench", "detect", *results, "--short").exit_code == 0
    assert {key.search for key in made_up} == {*SEARCHES}
    assert cli("bench", "detect", *default).exit_code == 0
    assert {key.device for key in made_up} > {f"reference+{name}" for name in DEFECTS}


def test_detect_writes_a_page(cli: Cli, tmp_path: Path, made_up: list[Key]) -> None:
    pytest.importorskip("matplotlib")
    results, page = tmp_path / "r.jsonl", tmp_path / "page.md"
    options = ("--results", results, "--write", page)
    assert cli("bench", "detect", "--short", "--search", "default", *options).exit_code == 0
    written = page.read_bytes()
    names = {path.name for path in (tmp_path / "page").iterdir()}
    assert names == {"executions.svg", "cpu.svg", "bugs.svg"}
    before = len(made_up)
    assert cli("bench", "detect", "--report-only", *options).exit_code == 0
    assert (page.read_bytes(), len(made_up)) == (written, before)
    page.write_text("# Mine\n")
    refused = cli("bench", "detect", "--report-only", *options)
    assert (refused.exit_code, page.read_text()) == (2, "# Mine\n")
    assert "is no page of bench detect" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--defect", "no_such"), "no_such"),
        (("--device", "no_such"), "device no_such: expected"),
        (("--search", "unifrom"), "search unifrom: expected default, .*; did you mean uniform?"),
        (("--report-only",), "r.jsonl: cannot be read"),
    ],
)
def test_what_detect_cannot_run_is_refused_at_once(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    pytest.importorskip("scipy")
    result = cli("bench", "detect", *options, "--results", tmp_path / "r.jsonl")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert re.search(said, result.stderr)
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize("package", ["scipy", "matplotlib", "hypothesis"])
def test_a_package_that_is_missing_is_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(detect, "find_spec", lambda name: None if name == package else object())
    page = tmp_path / "page.md"
    result = cli("bench", "detect", "--write", page, "--results", tmp_path / "r.jsonl")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"needs {package}, which is not installed" in result.stderr
    assert "pip install 'vblkfuzz[bench]'" in result.stderr


@pytest.mark.realdevice
@NEEDS_QEMU
def test_qemu(cli: Cli) -> None:
    figures = json.loads(cli("bench", "qemu", "--rounds", "1", "--json").stdout)
    assert figures["windows_per_s"] > 0
    assert figures["all_windows_per_s"] > 0
    assert figures["bare_windows_per_s"] > 0


@pytest.mark.realdevice
@NEEDS_QSD
def test_qsd(cli: Cli) -> None:
    figures = json.loads(cli("bench", "qsd", "--rounds", "1", "--json").stdout)
    assert figures["sessions_per_s"] > 0
    assert figures["bare_sessions_per_s"] > 0
