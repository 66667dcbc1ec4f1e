"""Trace lines of three versions of QEMU, and other text that it writes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vblkfuzz.gate.line import LOCKS, POLLS, Line, line_in

LINES = [
    (
        b"4711@1795912345.678901:virtqueue_pop vq 0x55 elem 0x7f in_num 1 out_num 2\n",
        Line("virtqueue_pop"),
    ),
    (
        b"4711@1795912345.678901:qemu_mutex_lock waiting on mutex 0x5561 (../util/async.c:717)\n",
        Line("qemu_mutex_lock", "util/async.c:717"),
    ),
    (
        b"4711@1795912345.678901:qemu_mutex_lock waiting on mutex 0x5 (../../util/async.c:690)\n",
        Line("qemu_mutex_lock", "util/async.c:690"),
    ),
    (
        b"2026-11-29T01:58:54.390920Z virtio_set_status vdev 0x5561 val 15\n",
        Line("virtio_set_status"),
    ),
    (
        b"2026-11-29T01:58:54.390920Z qemu_mutex_lock waiting on mutex 0x1 (system/cpus.c:501)\n",
        Line("qemu_mutex_lock", "system/cpus.c:501"),
    ),
    (b"4711@1795912345.678901:aio_co_schedule_bh_cb \n", Line("aio_co_schedule_bh_cb")),
    (b"1@0.0:mirror_start bs (nil) flags (a:b) end\n", Line("mirror_start")),
]

OTHER_TEXT = [
    b"",
    b"VNC server running on 127.0.0.1:5900\n",
    b"2026-11-29T01:58:54.390920Z ",
    b"2026-11-29T01:58:54.390920Z qemu-system-x86_64: warning: a message\n",
    b"2026-11-29T01:58:54.390920Z qemu: a message\n",
    b"2026-11-29T01:58:54.390920Z qemu\n",
    b"qemu-system-x86_64: 4711@1.0:virtqueue_pop x\n",
    b"\n4711@1.0:virtqueue_pop x\n",
    b"4711@1.0:virtqueue_pop",
    b"QEVM\0\0\0\3",
]


@pytest.mark.parametrize(("text", "line"), LINES)
def test_a_line(text: bytes, line: Line) -> None:
    assert line_in(text) == line


@pytest.mark.parametrize("text", OTHER_TEXT)
def test_text_that_is_no_line(text: bytes) -> None:
    assert line_in(text) is None


@settings(max_examples=40)
@given(st.binary(max_size=40))
def test_any_arguments_of_an_event(rest: bytes) -> None:
    line = line_in(b"4711@1.5:virtqueue_pop " + rest)
    assert line is not None
    assert line.event == "virtqueue_pop"


@settings(max_examples=40)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_line_or_none(text: bytes) -> None:
    line_in(text)


def test_what_a_line_is_about() -> None:
    assert all(Line(event).locks and not Line(event).polls for event in LOCKS)
    assert all(Line(event).polls and not Line(event).locks for event in POLLS)
    assert Line("qemu_mutex_lock", "util/async.c:717").file == "util/async.c"
    assert Line("virtqueue_pop").file == ""
