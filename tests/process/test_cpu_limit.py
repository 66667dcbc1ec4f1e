"""The processor-time limit of executions in the calling process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from vblkfuzz.errors import ActorHung
from vblkfuzz.process.cpu_limit import CpuLimit


@pytest.fixture
def limit() -> Iterator[CpuLimit]:
    made = CpuLimit(0.05)
    made.install()
    yield made
    made.remove()


def spin() -> None:
    while True:
        pass


def spin_on() -> None:
    """Spin although exceptions are caught, as a device may do."""
    while True:
        with suppress(Exception):
            spin()


@pytest.mark.parametrize("hang", [spin, spin_on])
def test_an_endless_loop_is_a_hang(limit: CpuLimit, hang: object) -> None:
    assert callable(hang)
    for _ in range(2):
        with pytest.raises(ActorHung, match=r"0\.05 s of processor time"), limit:
            hang()


def test_the_timer_stops_with_the_execution(limit: CpuLimit) -> None:
    with limit:
        pass
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_other_exceptions_pass(limit: CpuLimit) -> None:
    with pytest.raises(ValueError, match="mine"), limit:
        raise ValueError("mine")
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_the_previous_signal_handler_is_restored() -> None:
    outer = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    try:
        made = CpuLimit(1)
        made.install()
        assert signal.getsignal(signal.SIGVTALRM) is not signal.SIG_IGN
        made.remove()
        assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGVTALRM, outer)


def test_another_thread_has_no_limit() -> None:
    made, ended = CpuLimit(0.001), []

    def work() -> None:
        made.install()
        with made:
            ended.append(sum(range(300_000)))
        made.remove()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended
