"""QMP as blocking calls, and as work that goes on between calls.

Nothing runs between two calls. Events that arrive in between are read by the next call.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.activity.silence import ASLEEP_S, Silence
from vblkfuzz.targets.begun import Begun, until
from vblkfuzz.targets.qmp_connection import QmpConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Sequence

    from vblkfuzz.targets.activity.stillness import Stillness

_T = TypeVar("_T")
_NOTHING: Final[Mapping[str, object]] = {}


class Refused(Exception):
    """QEMU answered a command with an error."""


class Qmp:
    """One connection."""

    def __init__(self, connection: socket.socket, still: Stillness) -> None:
        """Connect.

        Args:
            connection: it.
            still: the threads of the process at the other end, and of those that serve it.

        Raises:
            DeviceLost: there is no answer.
        """
        self._line = QmpConnection(connection)
        self._begun: list[Begun[Any]] = []
        """Work that has not ended, in the order of its begin."""
        self.still = still
        try:
            self.run(self._negotiate())
        except DeviceLost:
            self._line.close()
            raise

    async def _negotiate(self) -> None:
        """Enter the command mode (qmp-spec, "Capabilities Negotiation").

        With `oob` the monitor takes a command before the one before has been answered.
        """
        line = self._line
        await until(lambda: bool(line.greeting or line.ended))
        self._check()
        offered = line.greeting["capabilities"]
        await self.call("qmp_capabilities", enable=[name for name in offered if name == "oob"])

    def close(self) -> None:
        """Disconnect; call it after the process has ended."""
        for work in self._begun:
            work.cancel()
        self._line.close()

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Run a command and return its answer; `_` in argument names means `-`.

        Raises:
            Refused: the answer is an error.
            DeviceLost: there is no answer.
        """
        return self.run(self.call(command, **arguments))

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine of `call` and `event` to its end, and return its result.

        Raises:
            DeviceLost: it never ends (`outlast`).
        """
        task = self.begin(work)
        try:
            self.outlast(task)
            return task.result()
        finally:
            if not task.done():
                task.cancel()

    # --- Work that goes on between calls ------------------------------------------------------

    async def call(
        self, command: str, spelled: Mapping[str, object] = _NOTHING, /, **arguments: object
    ) -> Any:  # noqa: ANN401 -- JSON
        """As `execute`, for a coroutine given to `begin`; `spelled` are arguments with `_`."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        named.update(spelled)
        return await self._answer(command, named)

    async def _answer(
        self, command: str, arguments: Mapping[str, object], fds: Sequence[int] = ()
    ) -> Any:  # noqa: ANN401 -- JSON
        line = self._line
        try:
            answer = line.send(command, arguments, fds)
        except OSError as error:
            raise DeviceLost(f"QMP: the connection has ended: {error}") from None
        await until(lambda: bool(answer.came or line.ended))
        if not answer.came:
            self._check()
        if answer.refusal is not None:
            raise Refused(answer.refusal)
        return answer.value

    def _check(self) -> None:
        """Raise DeviceLost if the connection has ended."""
        if self._line.ended:
            raise DeviceLost(f"QMP: the connection has ended: {self._line.ended}")

    async def send_fd(self, name: str, fd: int) -> None:
        """Give QEMU a copy of a file descriptor, which later commands name `name`.

        Raises:
            DeviceLost: there is no answer.
        """
        await self._answer("getfd", {"fdname": name}, [fd])

    async def attempt(
        self, command: str, spelled: Mapping[str, object] = _NOTHING, /, **arguments: object
    ) -> bool:
        """As `call`, of a command that may be refused in this state; return whether it was not."""
        try:
            await self.call(command, spelled, **arguments)
        except Refused:
            return False
        return True

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next event that is wanted; events before it are dropped."""
        line = self._line
        while True:
            await until(lambda: bool(line.events or line.ended))
            if not line.events:
                self._check()
            event = line.events.popleft()
            if wanted(event):
                return event

    def begin(self, work: Coroutine[Any, Any, _T]) -> Begun[_T]:
        """Begin work that spans calls; `pump`, `finished` and `outlast` continue it."""
        begun = Begun(work)
        self._begun.append(begun)
        return begun

    def _go_on(self) -> None:
        """Continue all work that has begun, with the messages that were read."""
        for work in self._begun:
            if not work.done():
                work.go_on()
        self._begun = [work for work in self._begun if not work.done()]

    def pump(self) -> bool:
        """Read all messages that have arrived and continue begun work; do not wait for more.

        Returns: whether a message had arrived.

        Raises:
            DeviceLost: the connection has ended.
        """
        came = False
        self._go_on()
        while self._line.receive(0):
            came = True
            self._go_on()
        self._check()
        return came

    @property
    def is_cut(self) -> bool:
        """Whether the other side has closed the connection."""
        return self._line.is_cut

    def finished(self, task: Begun[_T], patience_s: float) -> bool:
        """Continue begun work for at most `patience_s` seconds; return whether it has ended."""
        end_s = time.monotonic() + patience_s
        while True:
            self._go_on()
            now_s = time.monotonic()
            if task.done() or now_s >= end_s:
                return task.done()
            self._line.receive(min(end_s, *(work.wakes_s for work in self._begun)) - now_s)

    def outlast(self, task: Begun[_T], enough: Callable[[], bool] = lambda: False) -> None:
        """Continue begun work until it has ended, or `enough()`.

        Raises:
            DeviceLost: the device hangs (`silence`), or the connection has ended.
            HarnessError: it is not known whether the device hangs.
        """
        if self.finished(task, ASLEEP_S) or enough():
            return
        silence = Silence(self.still, heard=lambda: self._line.heard)
        silence.outlast(lambda patience_s: self._is_over(task, patience_s) or enough())
        if not (task.done() or enough()):
            raise DeviceLost("the device does not answer the operator")

    def _is_over(self, task: Begun[_T], patience_s: float) -> bool:
        return self.finished(task, patience_s) or self.is_cut

    def forget_events(self) -> None:
        """Drop the events that were read."""
        self._line.events.clear()
