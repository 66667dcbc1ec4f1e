"""Trials: their order, several at a time, going on after a kill, and the time that is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.trials_made_up import BUDGET, SETUP, trial
from tests.checkout import CHECKOUT
from tests.waiting import until
from vblkfuzz.bench import detect
from vblkfuzz.bench.detect import SHORT, Plan, run_missing
from vblkfuzz.bench.results import Results, read_results
from vblkfuzz.bench.searches.registry import SEARCHES
from vblkfuzz.bench.searches.search import Budget
from vblkfuzz.bench.searches.state_machine import examples
from vblkfuzz.bench.trial import Key, Trial
from vblkfuzz.bench.trials import order, remaining_s, run_all
from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.errors import HarnessError

PATH = os.pathsep.join((str(CHECKOUT), *sys.path))
EASY = "reference+status_of_last"
NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)


def test_the_defects_of_the_short_form_exist() -> None:
    assert set(SHORT) <= set(DEFECTS)


@given(NAMES, NAMES, st.integers(1, 5))
def test_each_trial_once_and_in_rounds(
    devices: list[str], searches: list[str], trials: int
) -> None:
    keys = list(order(devices, searches, trials))
    assert len(set(keys)) == len(keys) == len(devices) * len(searches) * trials
    assert [key.seed for key in keys] == sorted(key.seed for key in keys)
    # No search is always the first one: each is at each place about as often.
    firsts = Counter(key.search for key in keys[:: len(searches)])
    assert max(firsts.values()) - min(firsts[name] for name in searches) <= len(devices)


def test_trials_run_in_processes_of_their_own() -> None:
    keys = [Key(EASY, "uniform", seed) for seed in (1, 2)]
    found = sorted(run_all(keys, BUDGET, jobs=2), key=lambda one: one.seed)
    assert [one.key for one in found] == keys
    assert all(one.found and one.cpu_s >= one.start_s > 0 for one in found)
    # All are forks of one process, so that start-up is paid once.
    assert len({one.start_s for one in found}) == 1


DEVICE = """
import os
from vblkfuzz.dataplane.revisions import REVISIONS

class Mine(REVISIONS["reference"]):
    def __init__(self, *given):
        {code}
        super().__init__(*given)
"""


def test_what_a_device_prints_disturbs_nobody(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(DEVICE.format(code="print('[]')"))
    (found,) = run_all([Key(f"{path}:Mine", "uniform", 1)], Budget(2, 3600), jobs=1)
    assert (found.execs, found.found) == (2, "")


def test_a_device_that_ends_its_process_ends_the_bench(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(DEVICE.format(code="os.kill(os.getpid(), 9)"))
    said = r"uniform on .*, seed 1 ends with 125: the device process was ended by signal 9"
    with pytest.raises(HarnessError, match=said):
        list(run_all([Key(f"{path}:Mine", "uniform", 1)], BUDGET, jobs=1))


def test_a_search_that_cannot_be_prepared_ends_the_bench() -> None:
    with pytest.raises(HarnessError, match="bench: no_such ends with 1: KeyError: 'no_such'"):
        list(run_all([Key(EASY, "no_such", 1)], BUDGET, jobs=1))


@pytest.mark.e2e
@pytest.mark.parametrize("search", ["default", "byte_mutations"])
def test_a_trial_runs_the_inputs_of_a_campaign(tmp_path: Path, search: str) -> None:
    changed: dict[str, Any] = {"byte_mutations": {"mutate": False}}.get(search, {})
    options = CampaignOptions(
        tmp_path,
        device="reference+no_selfkick",
        mode="inline",
        runs=150,
        seed=5,
        stop_on_first=True,
        minimize=False,
        **changed,
    )
    campaign = Campaign(options, lambda _: None, lambda _: None)
    campaign.run()
    first = next(iter(campaign.summary.findings.values()), None)
    wanted = (first.first_exec, first.signature) if first else (campaign.summary.execs, "")
    key = Key(options.device, search, options.seed)
    (found,) = run_all([key], Budget(options.runs, 3600), jobs=1)
    assert (found.execs, found.found) == wanted


def test_a_trial_that_fails_ends_the_bench_with_its_reason() -> None:
    keys = [Key("no_such", "uniform", 1), Key(EASY, "uniform", 1)]
    with pytest.raises(
        HarnessError, match="uniform on no_such, seed 1 ends with 2: device no_such"
    ):
        list(run_all(keys, BUDGET, jobs=2))


def test_only_what_is_missing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Key] = []

    def run(todo: tuple[Key, ...], _budget: Budget, _jobs: int) -> Iterator[Trial]:
        for key in todo:
            ran.append(key)
            yield trial(key)

    monkeypatch.setattr(detect, "run_all", run)
    plan = Plan(("d", "e"), ("default", "uniform"), 2, BUDGET)
    with Results(tmp_path / "r.jsonl", SETUP) as results:
        stopped = islice(run_missing(plan, results), 3)
        assert [one.done for one in stopped] == [1, 2, 3]
    with Results(tmp_path / "r.jsonl", SETUP) as results:
        progress = list(run_missing(plan, results))
        assert (progress[0].done, progress[-1].done, progress[-1].total) == (4, 8, 8)
        assert progress[-1].remaining_s == 0
        assert list(run_missing(plan, results)) == []
    assert sorted(ran) == sorted(order(plan.devices, plan.searches, plan.trials))


KILLED = f"""
import sys
from pathlib import Path
from vblkfuzz.bench.detect import Plan, run_missing
from vblkfuzz.bench.results import Results
from vblkfuzz.bench.searches.search import Budget
from tests.bench.trials_made_up import SETUP

plan = Plan(({EASY!r},), ("uniform",), 3, Budget(500, 3600))
with Results(Path(sys.argv[1]), SETUP) as results:
    for one in run_missing(plan, results):
        print(one.last.seed, flush=True)
"""


@pytest.mark.e2e
def test_a_bench_that_was_killed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    command = [sys.executable, "-c", KILLED, str(path)]
    environment = {**os.environ, "PYTHONPATH": PATH, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == b"1\n"
        bench.send_signal(signal.SIGKILL)
    until(lambda: not list(tmp_path.glob("vblkfuzz-*")))
    before = read_results(path)[1]
    assert {one.seed for one in before} >= {1}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    trials = read_results(path)[1]
    assert trials[: len(before)] == before
    assert sorted(one.seed for one in trials) == [1, 2, 3]
    assert len(done.stdout.split()) == 3 - len(before)


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_trials_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals
) -> None:
    pytest.importorskip("scipy")
    temporary, path = tmp_path / "temporary", tmp_path / "r.jsonl"
    temporary.mkdir()
    command = [sys.executable, "-m", "vblkfuzz", "bench", "detect", "--results", str(path)]
    options = ["--device", "reference", "--search", "uniform", "--runs", "1000000", "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": PATH, "TMPDIR": str(temporary)}
    with subprocess.Popen([*command, *options], env=environment) as bench:
        running = children_of(bench)
        bench.send_signal(number)
        assert bench.wait() == {signal.SIGTERM: 72, signal.SIGINT: 130}[number]
    # One that it had only just started is ended by the kernel, when the bench itself has ended.
    until(lambda: not any(each.is_running() for each in running))
    assert list(temporary.iterdir()) == []
    assert read_results(path)[1] == []


def children_of(bench: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Wait until a bench runs a trial; return that process, and the one that keeps its folder."""
    while True:
        assert bench.poll() is None
        found = psutil.Process(bench.pid).children()
        if len(found) == 2:
            return found
        time.sleep(0.05)


def test_what_a_trial_takes_is_told_from_those_most_like_it() -> None:
    ended = [replace(trial(Key("d", "slow", 1)), seconds=30), trial(Key("d", "fast", 1))]
    todo = [Key("d", "slow", 2), Key("e", "fast", 1), Key("e", "other", 1)]
    assert remaining_s(ended, todo, jobs=1) == 30 + 2 + 16
    assert remaining_s(ended, todo, jobs=2) == 24
    assert remaining_s([], todo, jobs=1) == 0


@pytest.mark.e2e
@pytest.mark.parametrize("search", SEARCHES)
def test_each_search_finds_an_easy_bug_in_few_executions(search: str) -> None:
    # Examples of a state machine take long to draw.
    runs = 60 if search == "state_machine" else 500
    (found,) = run_all([Key(EASY, search, 1)], Budget(runs, 3600), jobs=1)
    assert found.found
    assert 0 < found.execs <= runs


@pytest.mark.parametrize("seed", [1, 3])
def test_examples_are_the_same_however_many_are_drawn(seed: int) -> None:
    drawn = [one.data for one in examples(seed, 5, 3600)]
    assert len(drawn) == 5
    for count in range(1, 5):
        assert [one.data for one in examples(seed, count, 3600)] == drawn[:count]
    assert len(examples(seed, 5, 0)) == 1


@pytest.mark.e2e
@pytest.mark.parametrize("search", ["uniform", "state_machine"])
def test_a_seed_gives_one_trial_and_none_on_a_correct_device(search: str) -> None:
    pytest.importorskip("hypothesis")
    keys = [Key(EASY, search, 3), Key(EASY, search, 3), Key("reference", search, 1)]
    first, second, clean = run_all(keys, Budget(40, 3600), jobs=1)
    assert (first.execs, first.found) == (second.execs, second.found)
    assert (clean.execs, clean.found) == (40, "")
