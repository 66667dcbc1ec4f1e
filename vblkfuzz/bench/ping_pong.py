"""Two bare processes that pass a turn to and fro: a lower bound for the cost of a hand-over."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Self

from vblkfuzz.process.forked import Forked
from vblkfuzz.process.semaphore import SEMAPHORE_BYTES, Semaphore

if TYPE_CHECKING:
    from types import TracebackType


class PingPong:
    """A partner process that returns each turn at once, on the same core."""

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, 2 * SEMAPHORE_BYTES))
        self._there = Semaphore(memory[:SEMAPHORE_BYTES])
        self._back = Semaphore(memory[SEMAPHORE_BYTES:])
        self._partner = Forked(self._answer)

    def _answer(self, _line: object) -> None:
        there, back = self._there.acquire, self._back.release
        while True:
            there()
            back()

    def __enter__(self) -> Self:
        """Start the partner."""
        self._partner.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the partner."""
        self._partner.stop()

    def run(self, count: int) -> None:
        """Pass the turn to the partner and get it back, `count` times."""
        there, back = self._there.release, self._back.acquire
        for _ in range(count):
            there()
            back(True, 2.0)
