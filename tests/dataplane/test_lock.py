from __future__ import annotations

import pytest

from tests.dataplane.stepping import Waits, idle_thread, run
from vblkfuzz.dataplane.lock import Lock


def test_a_free_lock_is_taken_at_once() -> None:
    lock, thread = Lock(), idle_thread()
    assert run(lock.acquire(thread)) == 0
    assert lock.owner is thread
    assert not lock.is_free()


def test_others_wait_until_it_is_released() -> None:
    lock, first, second = Lock(), idle_thread(), idle_thread()
    run(lock.acquire(first))
    with pytest.raises(Waits):
        run(lock.acquire(second))
    waiting = lock.acquire(second)
    wait = next(waiting)
    assert wait is not None and not wait()
    lock.release()
    assert wait()
    run(waiting)
    assert lock.owner is second


def test_its_owner_takes_it_again() -> None:
    lock, thread = Lock(), idle_thread()
    run(lock.acquire(thread))
    run(lock.acquire(thread))
    lock.release()
    assert lock.owner is thread
    lock.release()
    assert lock.is_free()


def test_a_thread_waits_again_if_another_took_the_lock_first() -> None:
    lock, first, second, third = Lock(), idle_thread(), idle_thread(), idle_thread()
    run(lock.acquire(first))
    slow = lock.acquire(second)
    next(slow)
    lock.release()
    run(lock.acquire(third))
    with pytest.raises(Waits):
        run(slow)
