"""The queue of an operator: operations that a held request can block.

A QMP command may have to wait for the requests in flight; that blocks the main loop of the device.
If the backend holds one of them, the operation goes on when it is released, and later operations
are queued. So each operation is a coroutine (`qmp`), and one of them runs at a time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from vblkfuzz.errors import DeviceLost
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.targets.asleep import ASLEEP_S

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from vblkfuzz.targets.qmp import Qmp

Work = Coroutine[Any, Any, None]


class OperatorWork:
    """The operations of one device process, in order."""

    def __init__(self, qmp: Qmp, sleeps_on: Callable[[Callable[[float], bool]], bool]) -> None:
        """Begin without work.

        Args:
            qmp: the connection that all work uses.
            sleeps_on: `asleep.sleeps_on` of the device process.
        """
        self._qmp = qmp
        self._sleeps_on = sleeps_on
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None
        self.assured = False
        """The operation that has begun waits for what comes in any case: no held request can delay
        it. Set by the operation itself."""

    def add(self, work: Work) -> None:
        """Queue an operation; `go_on` begins it."""
        self._waiting.append(work)

    @property
    def is_done(self) -> bool:
        """Whether no operation has begun or is queued."""
        return self._task is None and not self._waiting

    @property
    def waits(self) -> bool:
        """Whether an operation has begun and has not ended."""
        return self._task is not None

    def go_on(self, *, blocked: bool) -> bool:
        """Continue the operations; return whether one has made progress.

        Args:
            blocked: the backend holds requests, so operations may be unable to end. Then this
                does not wait for them.

        Raises:
            DeviceLost: the device does not answer although no request is held.
        """
        went = False
        while self._task or self._waiting:
            if self._task is None:
                self._task = self._qmp.begin(self._waiting.popleft())
                went = True
            if blocked:
                went |= self._qmp.pump() or self._await_assured(self._task)
                if not self._task.done():
                    break
            else:
                self._finish(self._task)
            task, self._task, went = self._task, None, True
            task.result()
        return went

    def _await_assured(self, task: asyncio.Task[None]) -> bool:
        """Wait as long as the operation is assured; return whether it was."""
        deadline = time.monotonic() + DEVICE_LIMIT_S
        was = self.assured
        while self.assured and not self._qmp.finished(task, ASLEEP_S):
            if self._qmp.is_cut or time.monotonic() > deadline:
                raise DeviceLost("the device does not answer the operator")
        return was

    def _finish(self, task: asyncio.Task[None]) -> None:
        comes = partial(self._qmp.finished, task)
        deadline = time.monotonic() + DEVICE_LIMIT_S
        while not comes(ASLEEP_S):
            if self._qmp.is_cut or self._sleeps_on(comes) or time.monotonic() > deadline:
                raise DeviceLost("the device does not answer the operator")

    def abandon(self) -> None:
        """Drop all operations: the device process is about to be ended."""
        for work in self._waiting:
            work.close()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
