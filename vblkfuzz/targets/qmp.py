"""QMP as blocking calls: a thin layer over `qemu.qmp`.

Nothing runs between two calls. Events that arrive in between are read by the next call.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from qemu.qmp import EventListener, ExecuteError, Message, QMPClient, QMPError, Runstate

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.activity.silence import ASLEEP_S, Silence

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from vblkfuzz.targets.activity.stillness import Stillness

_T = TypeVar("_T")
_NOTHING: Final[Mapping[str, object]] = {}
_LOST: Final = (QMPError, EOFError, OSError)


class Refused(Exception):
    """QEMU answered a command with an error."""


class _QuietClient(QMPClient):
    """A QMP client that skips formatting debug log messages."""

    heard = 0
    """Messages that have arrived."""

    def _cb_outbound(self, msg: Message) -> Message:
        return msg

    def _cb_inbound(self, msg: Message) -> Message:
        self.heard += 1
        return msg


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
        self._loop = asyncio.new_event_loop()
        self._connection = connection
        self.still = still
        self._client = _QuietClient("vblkfuzz")
        # The client's default listener would keep all events.
        self._client.events.event_filter = lambda event: False
        self._listener = EventListener()
        self._client.register_listener(self._listener)
        try:
            self._await(self._client.connect(connection))
        except DeviceLost:
            self._loop.close()
            connection.close()
            raise

    def close(self) -> None:
        """Disconnect; call it after the process has ended."""
        try:
            self._loop.run_until_complete(self._client.disconnect())
        except _LOST:
            pass  # the end of the process has been reported
        finally:
            self._loop.close()

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Run a command and return its answer; `_` in argument names means `-`.

        Raises:
            Refused: the answer is an error.
            DeviceLost: there is no answer.
        """
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        return self._await(self._client.execute(command, named or None))

    async def send_fd(self, name: str, fd: int) -> None:
        """Give QEMU a copy of a file descriptor, which later commands name `name`.

        Raises:
            DeviceLost: there is no answer.
        """
        try:
            self._client.send_fd_scm(fd)
        except _LOST as error:
            raise DeviceLost(f"QMP: the connection has ended: {error}") from None
        await self.call("getfd", fdname=name)

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine of `call` and `event` to its end, and return its result.

        Raises:
            DeviceLost: it never ends (`outlast`).
        """
        return self._await(work)

    # --- Work that goes on between calls ------------------------------------------------------

    async def call(
        self, command: str, spelled: Mapping[str, object] = _NOTHING, /, **arguments: object
    ) -> Any:  # noqa: ANN401 -- JSON
        """As `execute`, for a coroutine given to `begin`; `spelled` are arguments with `_`."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        named.update(spelled)
        try:
            return await self._client.execute(command, named or None)
        except ExecuteError as error:
            raise Refused(str(error)) from None
        except _LOST as error:
            raise DeviceLost(f"QMP: the connection has ended: {error}") from None

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
        while True:
            event: dict[str, Any] = dict(await self._listener.get())
            if wanted(event):
                return event

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin work that spans calls; `pump` and `finished` continue it."""
        task = self._loop.create_task(work)
        # Fetch the exception: asyncio would print one that was not fetched.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def pump(self) -> bool:
        """Read all messages that have arrived and continue begun work; do not wait for more.

        Returns: whether a message had arrived.

        Raises:
            DeviceLost: the connection has ended.
        """
        came = False
        while True:
            readable = _readable(self._connection)
            self._loop.run_until_complete(_spin())
            if not readable:
                break
            came = True
        if self._client.runstate != Runstate.RUNNING:
            raise DeviceLost("QMP: the connection has ended")
        return came

    @property
    def is_cut(self) -> bool:
        """Whether the other side has closed the connection."""
        if self._connection.fileno() < 0:  # the client has noticed, and closed its end
            return True
        poll = select.poll()
        poll.register(self._connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    def finished(self, task: asyncio.Task[_T], patience_s: float) -> bool:
        """Continue begun work for at most `patience_s` seconds; return whether it has ended."""
        self._loop.run_until_complete(asyncio.wait([task], timeout=patience_s))
        return task.done()

    def outlast(self, task: asyncio.Task[_T], enough: Callable[[], bool] = lambda: False) -> None:
        """Continue begun work until it has ended, or `enough()`.

        Raises:
            DeviceLost: the device hangs (`silence`), or the connection has ended.
            HarnessError: it is not known whether the device hangs.
        """
        if self.finished(task, ASLEEP_S) or enough():
            return
        silence = Silence(self.still, heard=lambda: self._client.heard)
        silence.outlast(lambda patience_s: self._is_over(task, patience_s) or enough())
        if not (task.done() or enough()):
            raise DeviceLost("the device does not answer the operator")

    def _is_over(self, task: asyncio.Task[_T], patience_s: float) -> bool:
        return self.finished(task, patience_s) or self.is_cut

    def forget_events(self) -> None:
        """Drop the events that have arrived.

        That takes a new listener: the old one keeps a history of all its events.
        """
        self._client.remove_listener(self._listener)
        self._listener = EventListener()
        self._client.register_listener(self._listener)

    def _await(self, work: Coroutine[Any, Any, _T]) -> _T:
        task = self._loop.create_task(work)
        try:
            self.outlast(task)
            return task.result()
        except ExecuteError as error:
            raise Refused(str(error)) from None
        except _LOST as error:
            raise DeviceLost(f"QMP: the connection has ended: {error}") from None
        finally:
            if not task.done():
                task.cancel()
                self._loop.run_until_complete(asyncio.wait([task]))


_HOPS: Final = 12
"""Twice the number of event loop turns from bytes in the socket to the waiting coroutine."""


async def _spin() -> None:
    for _ in range(_HOPS):
        await asyncio.sleep(0)


def _readable(connection: socket.socket) -> bool:
    if connection.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return any(events & select.POLLIN and not events & select.POLLHUP for _, events in poll.poll(0))
