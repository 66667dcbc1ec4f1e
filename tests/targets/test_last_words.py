"""Output of a device is the same in each run."""

from __future__ import annotations

import pytest

from vblkfuzz.targets.last_words import without_times


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-29T15:37:{}.956256Z qemu-system-x86_64: virtio-blk failed",
        "=={}17==ERROR: AddressSanitizer: heap-use-after-free",
        "(qemu-system-x86_64:{}): GLib-CRITICAL **: 12:00:{}.123: g_free failed",
        "** (process:{}): WARNING **: 12:00:{}.123: old",
        "WARNING: ThreadSanitizer: data race (pid={})",
    ],
)
def test_times_and_process_ids_are_left_out(line: str) -> None:
    first, second = (without_times(f"kept 12\n{line.replace('{}', one)}\n") for one in ("22", "37"))
    assert first == second
    assert first.startswith("kept 12\n")


@pytest.mark.parametrize("line", ["sector 2026-11", "(block:12) is bad", "== 12 == x", "12:00:01"])
def test_other_numbers_stay(line: str) -> None:
    assert without_times(line) == line
