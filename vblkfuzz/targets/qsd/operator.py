"""The operator of a storage daemon: what operations mean in QMP.

A long drained section is a mirror job that waits to be finalized, as on target `qemu`
(`targets.qemu.operator`). A section within a section, and `snapshot`, is a short one
(blockdev-reopen). Both kinds begin by waiting for the requests in flight, which blocks the daemon's
main loop. If the backend holds a request, the operation continues when the request is released, and
later operations are queued. That is a drained section too, the blocking kind.

The end of a long section is the exception: no flush is held during it (`Operator.closes`). When the
job ends, QEMU ends its drained section and at once begins a short one, in which it flushes the
filter node of the job (mirror_exit_common, bdrv_close). Whether an IOThread dequeues between the
two is up to the clock. If that flush were held, the second section would last, and what was
dequeued before it could be told from what was not.

A daemon has no VM and no machine: stop, cont, system_reset and operations on the start of a device
do nothing. An NBD disk does not change its size: a resize drains and is refused.
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import DeviceLost
from vblkfuzz.limits import DEVICE_LIMIT_S
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.qmp import Refused
from vblkfuzz.targets.qsd.daemon import IOTHREAD, node_name
from vblkfuzz.targets.real import ASLEEP_S
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Sequence

    from vblkfuzz.targets.qsd.daemon import Daemon
    from vblkfuzz.targets.recorder import Dequeue, Recorder

    Work = Coroutine[Any, Any, None]
    Method = Callable[["Operator", Op, Recorder], Work]

_JOB: Final = "mirror"
_POLL_NS: Final = 32768
"""QEMU's default for poll-max-ns."""
_STAYS: Final = ("poll_on", "poll_off")
"""Operations that neither run a job nor drain."""
_CLOSES: Final = {"drain_begin": op("drain_end"), "mirror_begin": op("mirror_finish")}


class Operator:
    """Operates one daemon. Each operation has a method of the same name."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._qmp = daemon.qmp
        self._dequeues: Callable[[], Sequence[Dequeue]]
        self._waiting: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None
        self._open: list[str] = []
        """Operations that began the open drained sections, outermost first."""
        self._sectors = 0
        self._sides: dict[int, int] = {}
        """By capacity: which of its two nodes an export uses; 0 if it is not listed."""
        self._pivots = False
        self.polling = False
        """Whether the IOThread polls."""
        self._draining = False
        """A section is open whose begin has not returned yet."""
        self.moves = False
        """An operation has begun in which an export may leave an IOThread that is not fixed."""
        self.closes = False
        """Since the device was last at rest, a section has begun to close (`_close`). What the
        job flushes for that must not be held."""

    def make_ready(
        self, sectors: int, dequeues: Callable[[], Sequence[Dequeue]], *, polling: bool
    ) -> None:
        """Begin a scenario on the export with `sectors`; the daemon is at rest."""
        self._sectors, self._dequeues = sectors, dequeues
        self._qmp.forget_events()
        if polling != self.polling:
            self._begin(self._poll(polling))
            self.go_on(blocked=False)

    @property
    def at_rest(self) -> bool:
        """Whether no section is open and no operation has begun or is queued."""
        return not (self._open or self._waiting or self._task)

    def note_rest(self) -> None:
        """Note that the device is at rest: a section that has closed closes no more."""
        self.closes = self.closes and self._task is not None

    def unfinished(self) -> Op | None:
        """The operation that ends the innermost drained section; None if none is open."""
        return _CLOSES[self._open[-1]] if self._open else None

    # --- Work ---------------------------------------------------------------------------------

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Begin an operation; those of `WITHOUT` do nothing."""
        method = _METHODS[operation.code]
        if method is not None:
            self.moves |= operation.name not in _STAYS
            self._begin(method(self, operation, recorder))

    def _begin(self, work: Work) -> None:
        self._waiting.append(work)

    def go_on(self, *, blocked: bool) -> bool:
        """Continue the operations; return whether one has made progress.

        Args:
            blocked: the backend holds requests, so operations may be unable to end. Then this
                does not wait for them.

        Raises:
            DeviceLost: the daemon does not answer although no request is held.
        """
        went = False
        while self._task or self._waiting:
            if self._task is None:
                self._task = self._qmp.begin(self._waiting.popleft())
                went = True
            if blocked:
                went |= self._qmp.pump()
                if not self._task.done():
                    break
            else:
                self._finish(self._task)
            task, self._task, went = self._task, None, True
            task.result()
        return went

    def _finish(self, task: asyncio.Task[None]) -> None:
        comes = partial(self._qmp.finished, task)
        deadline = time.monotonic() + DEVICE_LIMIT_S
        while not comes(ASLEEP_S):
            if self._daemon.sleeps_on(comes) or time.monotonic() > deadline:
                raise DeviceLost("the daemon does not answer the operator")

    def abandon(self) -> None:
        """Drop all operations: the daemon is about to be ended."""
        for work in self._waiting:
            work.close()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def end_sections(self, recorder: Recorder) -> None:
        """Record the end of all drained sections: the daemon has been ended."""
        if self._draining:
            recorder.tell(DRAIN_RET, flag=1)
        while self._open:
            self._open.pop()
            recorder.tell(DRAIN_END, value=len(self._open))

    # --- Drained sections ---------------------------------------------------------------------

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another; if that fails, record its end at once."""
        self._open.append(operation.name)
        depth = len(self._open)
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_CALL, flag=1, value=depth)
        self._draining = True
        opened = True
        if depth == 1:
            opened = await self._start_mirror(pivot=operation.name == "mirror_begin")
        else:
            await self._reopen()
        self._daemon.rest()
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_RET, flag=1)
        self._draining = False
        if not opened:
            self._open.pop()
            recorder.tell(DRAIN_END, value=len(self._open))

    async def mirror_begin(self, operation: Op, recorder: Recorder) -> None:
        """As `drain_begin`, but only one at a time."""
        if operation.name not in self._open:
            await self.drain_begin(operation, recorder)

    async def drain_end(self, operation: Op, recorder: Recorder) -> None:
        """End the innermost section that drain_begin began, if there is one."""
        await self._close("drain_begin", recorder)

    async def mirror_finish(self, operation: Op, recorder: Recorder) -> None:
        """End the section that mirror_begin began, if there is one."""
        await self._close("mirror_begin", recorder)

    async def _close(self, began: str, recorder: Recorder) -> None:
        if began not in self._open:
            return
        del self._open[len(self._open) - 1 - self._open[::-1].index(began)]
        self._daemon.rest()
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open:
            self.closes = True
            await self._qmp.call("job-finalize", id=_JOB)
            if await self._job("aborting", "null") == "aborting":
                await self._job("null")
            elif self._pivots:
                self._sides[self._sectors] = self._side ^ 1

    @property
    def _side(self) -> int:
        return self._sides.get(self._sectors, 0)

    async def _start_mirror(self, *, pivot: bool) -> bool:
        """Start a mirror job that drains the disk; return whether it does.

        The job writes through the same backend, so it ends at once if one of its writes fails.
        """
        self._pivots = pivot
        await self._qmp.call(
            "blockdev-mirror",
            job_id=_JOB,
            device=node_name(self._sectors, self._side),
            target=node_name(self._sectors, self._side ^ 1),
            sync="none",  # both nodes are the same disk
            auto_finalize=False,
        )
        if await self._job("ready", "null") == "null":
            return False
        if pivot:
            await self._try("job-complete", id=_JOB)
        else:
            await self._try("block-job-cancel", device=_JOB)
        return await self._job("pending", "null") == "pending"

    async def _job(self, *statuses: str) -> str:
        """Wait until the job has one of these statuses; return the status."""
        event = await self._qmp.event(lambda event: _is_job(event, statuses))
        return str(event["data"]["status"])

    async def _reopen(self) -> None:
        node = node_name(self._sectors, self._side)
        options = {"driver": "raw", "node-name": node, "file": f"{node}-nbd"}
        await self._try("blockdev-reopen", options=[options])

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; refused while a job uses the node."""
        await self._reopen()

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; the size does not change."""
        node = node_name(self._sectors, self._side)
        await self._try("block_resize", node_name=node, size=(operation.d + 1) * 512)

    async def _try(self, command: str, **arguments: object) -> None:
        try:
            await self._qmp.call(command, **arguments)
        except Refused:
            return

    # --- IOThread -----------------------------------------------------------------------------

    async def poll_on(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread poll."""
        await self._poll(True)

    async def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let it sleep instead."""
        await self._poll(False)

    async def _poll(self, on: bool) -> None:
        if self.polling != on:
            self.polling = on
            await self._qmp.call(
                "qom-set",
                path=f"/objects/{IOTHREAD}",
                property="poll-max-ns",
                value=_POLL_NS if on else 0,
            )


_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) if spec.owner in ("operator", "environment") else None
    for spec in OPS
)


def _is_job(event: dict[str, Any], statuses: Sequence[str]) -> bool:
    if event["event"] != "JOB_STATUS_CHANGE":
        return False
    data = event["data"]
    return data["id"] == _JOB and data["status"] in statuses
