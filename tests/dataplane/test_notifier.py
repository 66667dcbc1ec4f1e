from __future__ import annotations

import os

import pytest

from vblkfuzz.dataplane.notifier import EventNotifier
from vblkfuzz.errors import HarnessError
from vblkfuzz.process.execution import SharedParts


def test_signals_are_taken_together(parts: SharedParts) -> None:
    notifier = parts.kicks[0]
    assert not notifier.is_set()
    notifier.set()
    notifier.set()
    assert notifier.is_set()
    assert notifier.clear()
    assert not notifier.is_set()
    assert not notifier.clear()


def test_the_eventfd_is_real(parts: SharedParts) -> None:
    notifier = parts.kicks[1]
    notifier.set()
    assert int.from_bytes(os.read(parts.fds[1], 8), "little") == 1


def test_a_bell_without_its_eventfd_is_a_broken_harness(parts: SharedParts) -> None:
    notifier = parts.kicks[0]
    notifier.words[notifier.bell] = 2
    with pytest.raises(HarnessError, match="bell"):
        notifier.clear()


def test_a_notifier_of_the_same_process_needs_no_eventfd(parts: SharedParts) -> None:
    notifier = parts.kicks[0]
    notifier.set_own()
    assert notifier.is_set()
    with pytest.raises(BlockingIOError):
        os.read(parts.fds[0], 8)
    assert notifier.clear()
    assert not notifier.clear()


@pytest.mark.parametrize("first", ["set", "set_own"])
def test_a_second_signal_changes_nothing(parts: SharedParts, first: str) -> None:
    notifier = parts.kicks[0]
    getattr(notifier, first)()
    notifier.set()
    notifier.set_own()
    assert notifier.clear()
    assert not notifier.clear()
    with pytest.raises(BlockingIOError):
        os.read(parts.fds[0], 8)


def test_queues_do_not_share_bells(parts: SharedParts) -> None:
    bells = [notifier.bell for notifier in (*parts.kicks, *parts.calls)]
    assert len(set(bells)) == len(bells)
    parts.kicks[2].set()
    assert [each.is_set() for each in parts.kicks] == [False, False, True, False]
    assert not any(each.is_set() for each in parts.calls)


def test_a_notifier_begins_closed() -> None:
    assert not EventNotifier(-1, memoryview(bytearray(4)).cast("I"), 0).is_open


@pytest.mark.parametrize("name", ["set", "set_own", "clear"])
def test_system_calls_order_stores(parts: SharedParts, name: str) -> None:
    memory, stores = parts.arena.memory, parts.arena.stores
    notifier = parts.ordering_board().kicks[0]
    stores.watch()
    memory.bytes[0] = 1
    getattr(notifier, name)()
    memory.bytes[1] = 1
    stores.end()
    assert stores.hide() == [(1, b"\1")]


def test_an_ordering_notifier_is_the_same_eventfd(parts: SharedParts) -> None:
    board = parts.ordering_board()
    for plain, ordering in zip(
        (*parts.kicks, *parts.calls), (*board.kicks, *board.calls), strict=True
    ):
        ordering.set()
        assert plain.clear()
        assert not ordering.is_set()
