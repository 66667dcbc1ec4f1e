"""Inputs on which the harness failed: only the first ones are kept."""

from __future__ import annotations

from pathlib import Path

from vblkfuzz.store.failed_inputs import MAX_KEPT, FailedInputs


def test_few_are_kept_each_once_with_the_reason(tmp_path: Path) -> None:
    inputs = FailedInputs(tmp_path)
    for number in range(3 * MAX_KEPT):
        inputs.keep(bytes([number // 2]), f"error {number}")
    kept = sorted(path.read_bytes() for path in tmp_path.glob("*.bin"))
    assert kept == [bytes([number]) for number in range(MAX_KEPT)]
    (first,) = [path for path in tmp_path.glob("*.bin") if path.read_bytes() == b"\0"]
    assert first.with_suffix(".txt").read_text() == "error 0"
