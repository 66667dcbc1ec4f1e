"""Inputs on which the harness failed: one of each cause is kept, and can be run again."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import BUG, CLEAN
from vblkfuzz.scenario.artifact import Artifact, read_input
from vblkfuzz.scenario.codec import encode
from vblkfuzz.store.failed_inputs import MAX_KEPT, FailedInputs

TRACEBACK = """Traceback (most recent call last):
  File "x.py", line {}, in run
    step()
ValueError: 0x7f12 is no place at turn {}
"""


def failed(folder: Path) -> FailedInputs:
    return FailedInputs(folder, "model", "mine.py:Device", "inline")


def kept(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def test_an_input_says_what_it_was_run_on(tmp_path: Path) -> None:
    failed(tmp_path).keep(encode(BUG), "it failed")
    (path,) = kept(tmp_path, ".vblk")
    assert read_input(path) == Artifact(BUG, device="mine.py:Device", mode="inline")
    assert path.with_suffix(".txt").read_text() == "it failed"


def test_one_of_each_cause_and_how_often(tmp_path: Path) -> None:
    inputs = failed(tmp_path)
    for turn in range(7):
        inputs.keep(encode(BUG if turn else CLEAN), TRACEBACK.format(3, turn))
    inputs.keep(encode(CLEAN), TRACEBACK.format(4, 0))  # the same input, another line of code
    second, first = kept(tmp_path, ".txt")
    assert first.read_text() == (
        f"Seen at least 4 times. The first time:\n\n{TRACEBACK.format(3, 0)}"
    )
    assert second.read_text() == TRACEBACK.format(4, 0)
    assert [read_input(path).scenario for path in kept(tmp_path, ".vblk")] == [CLEAN, CLEAN]


def test_few_are_kept(tmp_path: Path) -> None:
    inputs = failed(tmp_path)
    for number in range(3 * MAX_KEPT):
        inputs.keep(bytes([number]), f"error {'x' * number}")
    assert len(kept(tmp_path, ".vblk")) == len(kept(tmp_path, ".txt")) == MAX_KEPT
