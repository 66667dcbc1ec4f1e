"""The queue of an operator: operations that a held request can block.

A QMP command may have to wait for the requests in flight; that blocks the main loop of the device.
If the backend holds one of them, the operation goes on when it is released, and later operations
are queued. So each operation is a coroutine (`qmp`), and one of them runs at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vblkfuzz.targets.begun import Begun
    from vblkfuzz.targets.qmp import Qmp

Work = Coroutine[Any, Any, None]


class OperatorWork:
    """The operations of one device process, in order."""

    def __init__(self, qmp: Qmp) -> None:
        """Begin without work; `qmp` is the connection that all work uses."""
        self._qmp = qmp
        self._waiting: deque[Work] = deque()
        self._task: Begun[None] | None = None
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
                self._qmp.outlast(self._task)
            task, self._task, went = self._task, None, True
            task.result()
        return went

    def _await_assured(self, task: Begun[None]) -> bool:
        """Wait as long as the operation is assured; return whether it was."""
        was = self.assured
        if was:
            self._qmp.outlast(task, lambda: not self.assured)
        return was

    def abandon(self) -> None:
        """Drop all operations: the device process is about to be ended."""
        for work in self._waiting:
            work.close()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
