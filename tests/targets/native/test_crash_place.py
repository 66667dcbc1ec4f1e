"""Which function on the stack of a signal names the crash."""

from __future__ import annotations

import pytest

from vblkfuzz.targets.ending import crash_of
from vblkfuzz.targets.native.crash_place import place_of_crash

RESIZE = "{0}+0x2{1}c7 {0}+0x2{1}d9 vu_config_change_msg {0}+0x2{1}ff aio_bh_poll main _start"
"""A stripped build exports few functions; each build has other addresses."""


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("blk_push q+0x10 aio_poll main", "blk_push"),
        ("aio_co_schedule main", "aio_co_schedule"),
        ("qemu_lockcnt_lock blk_end main", "qemu_lockcnt_lock"),
        (RESIZE.format("q", "65a"), "vu_config_change_msg"),
        ("q+0x10 q+0x20 blk_end main", "blk_end"),
        ("q+0x10 q+0x20 aio_bh_poll aio_poll main_loop_wait main _start", "q+0x10"),
        ("q+0x10 q+0x20", "q+0x10"),
        ("", ""),
    ],
)
def test_the_innermost_function_with_a_name_counts(stack: str, expected: str) -> None:
    assert place_of_crash(stack.split()) == expected


def test_a_bug_has_one_name_in_two_builds() -> None:
    builds = [RESIZE.format("qsd", at).split() for at in ("65a", "586")]
    first, second = (crash_of("", 11, 0, frames) for frames in builds)
    assert first.name == second.name
    assert first.digest == second.digest
    assert first.name.startswith("SIGSEGV-vu_config_change_msg-")
