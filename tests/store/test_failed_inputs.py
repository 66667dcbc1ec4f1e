"""Inputs on which the harness failed: one of each cause is kept, and can be run again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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


def test_the_next_campaign_goes_on_with_names_and_counts(tmp_path: Path) -> None:
    for turn in range(4):
        failed(tmp_path).keep(encode(BUG), TRACEBACK.format(3, turn))
    (text,) = kept(tmp_path, ".txt")
    assert text.read_text().startswith("Seen at least 4 times.")
    failed(tmp_path).keep(encode(BUG), "another error")
    assert [path.name for path in kept(tmp_path, ".vblk")] == [
        f"{text.stem}-2.vblk",
        f"{text.stem}.vblk",
    ]
    assert text.read_text().startswith("Seen at least 4 times.")


def test_few_are_kept_over_all_campaigns(tmp_path: Path) -> None:
    for number in range(MAX_KEPT + 5):
        failed(tmp_path).keep(bytes([number]), f"error {'x' * number}")
    assert len(kept(tmp_path, ".vblk")) == MAX_KEPT


@pytest.mark.parametrize("damage", [b"", None, b"Seen at least many times"])
def test_nothing_that_is_there_is_replaced(tmp_path: Path, damage: bytes | None) -> None:
    """Neither if its text is lost, or somebody has edited it."""
    failed(tmp_path).keep(encode(BUG), "it failed")
    ((text,), (file,)) = (kept(tmp_path, suffix) for suffix in (".txt", ".vblk"))
    text.unlink()
    if damage is not None:
        text.write_bytes(damage)
    before = file.stat().st_ino
    failed(tmp_path).keep(encode(BUG), "it failed")
    assert file.stat().st_ino == before
    assert damage is None or text.read_bytes() == damage
    assert (tmp_path / f"{file.stem}-2.txt").read_text() == "it failed"


@given(reason=st.text(), times=st.integers(1, 9))
@example(reason="\ud800", times=2)
def test_any_error_has_one_cause_over_all_campaigns(reason: str, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            failed(Path(folder)).keep(encode(BUG), f"x{reason}")
        assert len(kept(Path(folder), ".vblk")) == 1
