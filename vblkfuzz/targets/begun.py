"""Work that has begun: a coroutine that waits for messages of a device, and goes on between calls.

It is no task of asyncio: a turn of its event loop takes as long as all that is done with a message.
What such a coroutine awaits in the end is `until` or `pause`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from math import inf
from types import coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """One coroutine, from its begin to its end."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: Exception | None = None
        self._done = False
        self.wakes_s = inf
        """When it can go on without a message, as `time.monotonic`."""

    def go_on(self) -> None:
        """Continue it up to what it has to wait for, or to its end."""
        try:
            self.wakes_s = self._work.send(None)
        except StopIteration as end:
            self._results.append(end.value)
            self._done = True
        except Exception as error:
            self._error = error
            self._done = True

    def done(self) -> bool:
        """Whether it has ended."""
        return self._done

    def result(self) -> T:
        """Return its result, or raise the exception that has ended it."""
        if self._error is not None:
            raise self._error
        return self._results[0]

    def cancel(self) -> None:
        """End it where it waits."""
        self._work.close()
        self._done = True


@coroutine
def until(ready: Callable[[], bool]) -> Generator[float, None, None]:
    """Wait until a message has made `ready` true."""
    while not ready():
        yield inf


@coroutine
def pause(seconds: float) -> Generator[float, None, None]:
    """Wait so long."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        yield end_s
