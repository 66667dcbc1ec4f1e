"""Semaphores in shared memory: they count, and work across processes."""

from __future__ import annotations

import mmap
import os

import pytest

from vblkfuzz.process.semaphore import SEMAPHORE_BYTES, Semaphore


@pytest.fixture
def pair() -> tuple[Semaphore, Semaphore]:
    view = memoryview(mmap.mmap(-1, mmap.PAGESIZE))
    return Semaphore(view[:SEMAPHORE_BYTES]), Semaphore(view[SEMAPHORE_BYTES:])


def test_it_counts(pair: tuple[Semaphore, Semaphore]) -> None:
    one, other = pair
    assert not one.acquire(False)
    assert not one.acquire(True, 0.001)
    one.release()
    one.release()
    assert not other.acquire(False)
    assert [one.acquire(True, 1), one.acquire(False), one.acquire(False)] == [True, True, False]


def test_a_child_answers(pair: tuple[Semaphore, Semaphore]) -> None:
    question, answer = pair
    pid = os.fork()
    if pid == 0:
        for _ in range(100):
            question.acquire()
            answer.release()
        os._exit(0)
    for _ in range(100):
        assert not answer.acquire(False)
        question.release()
        assert answer.acquire(True, 60)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_new_semaphore_in_used_memory_has_value_0() -> None:
    view = memoryview(mmap.mmap(-1, mmap.PAGESIZE))
    Semaphore(view).release()
    assert not Semaphore(view).acquire(False)
