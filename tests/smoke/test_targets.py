"""The fuzz targets in fuzz/ find what they must; budgets are executions, seeds are fixed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import WAIT_S

TARGETS = Path(__file__).resolve().parent.parent.parent / "fuzz"
SEEDS = (1, 2, 3, 4)
RUNS = 10_000
"""Executions for each seed. Three of these four find the canary within it; of the mutator before
that began with walks, four of eight within half of it."""
pytestmark = pytest.mark.e2e


def run(target: str, out: Path, *arguments: str | Path) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, TARGETS / target, "-verbosity=0", *arguments],
        env={**os.environ, "VBLKFUZZ_OUT": str(out)},
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    return ended.returncode, ended.stderr


def found_canary(out: Path, *arguments: str) -> bool:
    for seed in SEEDS:
        status, said = run("fuzz_canary.py", out, f"-runs={RUNS}", f"-seed={seed}", *arguments)
        assert status in {0, 77}, said
        if status == 77:
            (finding,) = (out / "findings").iterdir()
            assert finding.name.startswith("planted")
            return True
    return False


def test_feedback_from_the_device_process_leads_to_the_canary(tmp_path: Path) -> None:
    assert found_canary(tmp_path / "out")


def test_state_features_do_not_bury_the_canary(tmp_path: Path) -> None:
    """With the options of a campaign; three of four seeds find it within 20,000 executions."""
    campaign = ("-states=1", "-entropic=1", "-cross_over=1", "-mutate_depth=2")
    for seed in SEEDS:
        arguments = ("-runs=20000", f"-seed={seed}", *campaign)
        status, said = run("fuzz_canary.py", tmp_path / "out", *arguments)
        assert status in {0, 77}, said
        if status == 77:
            return
    raise AssertionError("no seed found it")


def test_without_feedback_no_seed_finds_the_canary(tmp_path: Path) -> None:
    assert not found_canary(tmp_path / "out", "-feedback=0")


def test_drain_ends_with_the_first_finding(tmp_path: Path) -> None:
    status, said = run("fuzz_drain.py", tmp_path / "out", "-runs=5000", "-seed=1")
    assert status == 77, said
    (finding,) = (tmp_path / "out" / "findings").iterdir()
    again, said = run("fuzz_drain.py", tmp_path / "again", finding / "input.bin")
    assert again == 77, said


def test_drain_goes_on_with_ignore_crashes(tmp_path: Path) -> None:
    arguments = ("-runs=3000", "-seed=1", "-ignore_crashes=1")
    status, said = run("fuzz_drain.py", tmp_path / "out", *arguments)
    assert status == 0, said
    assert len(list((tmp_path / "out" / "findings").iterdir())) > 5


def test_the_corpus_folder_takes_new_inputs(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    arguments = ("-runs=200", "-seed=1", "-ignore_crashes=1", corpus)
    assert run("fuzz_drain.py", tmp_path / "out", *arguments)[0] == 0
    assert len(list(corpus.iterdir())) > 5


@pytest.mark.parametrize("argument", ["-runs=many", "-fork=2", "gone"])
def test_usage(tmp_path: Path, argument: str) -> None:
    status, said = run("fuzz_drain.py", tmp_path / "out", argument)
    assert status == 2
    assert argument in said.splitlines()[-1]
