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

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.iothread_polling import IOThreadPolling
from vblkfuzz.targets.mirror_window import MirrorWindow
from vblkfuzz.targets.open_sections import OpenSections
from vblkfuzz.targets.operator_work import OperatorWork
from vblkfuzz.targets.qsd import exports
from vblkfuzz.targets.qsd.daemon import node_name
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.qsd.daemon import Daemon
    from vblkfuzz.targets.qsd.exports import Export
    from vblkfuzz.targets.recorder import Dequeue, Recorder

    Method = Callable[["Operator", Op, Recorder], Work]


class Operator:
    """Operates one daemon. Each operation has a method of the same name."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._qmp = daemon.qmp
        self.work = OperatorWork(daemon.qmp, daemon.sleeps_on)
        """Operations that have begun or are queued."""
        self._dequeues: Callable[[], Sequence[Dequeue]]
        self._open = OpenSections()
        self._window = MirrorWindow(daemon.qmp)
        self._polling = IOThreadPolling(daemon.qmp)
        self._sectors = 0
        self._sides: dict[int, int] = {}
        """By capacity: which of its two nodes an export uses; 0 if it is not listed."""
        self.closes = False
        """Since the device was last at rest, a section has begun to close (`_close`). What the
        job flushes for that must not be held."""

    def make_ready(
        self, sectors: int, dequeues: Callable[[], Sequence[Dequeue]], *, polling: bool
    ) -> None:
        """Begin a scenario on the export with `sectors`; the daemon is at rest."""
        self._sectors, self._dequeues = sectors, dequeues
        self._qmp.forget_events()
        if polling != self._polling.on:
            self.work.add(self._polling.switch(on=polling))
            self.work.go_on(blocked=False)

    @property
    def at_rest(self) -> bool:
        """Whether no section is open and no operation has begun or is queued."""
        return not self._open and self.work.is_done

    def note_rest(self) -> None:
        """Note that the device is at rest: a section that has closed closes no more."""
        self.closes = self.closes and self.work.waits

    def unfinished(self) -> Op | None:
        """The operation that ends the innermost drained section; None if none is open."""
        return self._open.closing()

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Queue an operation; those of `WITHOUT` do nothing."""
        method = _METHODS[operation.code]
        if method is not None:
            self.work.add(method(self, operation, recorder))

    # --- Drained sections ---------------------------------------------------------------------

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another; if that fails, record its end at once."""
        depth = self._open.begin(operation)
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_CALL, flag=1, value=depth)
        opened = True
        if depth == 1:
            opened = await self._start_mirror(pivot=operation.name == "mirror_begin")
        else:
            await self._reopen()
        self._daemon.rest()
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_RET, flag=1)
        if not opened:
            self._open.end_innermost()
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
        if not self._open.end(began):
            return
        self._daemon.rest()
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open:
            self.closes = True
            if await self._window.close():
                self._sides[self._sectors] = self._side ^ 1

    @property
    def _side(self) -> int:
        return self._sides.get(self._sectors, 0)

    async def _start_mirror(self, *, pivot: bool) -> bool:
        """Start a mirror job that drains the disk; return whether it does.

        The job writes through the same backend, so one of its writes may fail.
        """
        return await self._window.open(
            node_name(self._sectors, self._side),
            node_name(self._sectors, self._side ^ 1),
            sync="none",  # both nodes are the same disk
            pivot=pivot,
        )

    async def _reopen(self) -> None:
        node = node_name(self._sectors, self._side)
        options = {"driver": "raw", "node-name": node, "file": f"{node}-nbd"}
        await self._qmp.attempt("blockdev-reopen", options=[options])

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; refused while a job uses the node."""
        await self._reopen()

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; the size does not change."""
        node = node_name(self._sectors, self._side)
        await self._qmp.attempt("block_resize", node_name=node, size=(operation.d + 1) * 512)

    async def replace_export(self, export: Export, recorder: Recorder, *, hard: bool) -> None:
        """Delete an export and make it again; `hard`: also if it has a connection.

        It exists on until its last request has ended. One that is parked ends after the drained
        section only, which is therefore ended then.
        """
        await exports.delete(self._qmp, export, hard=hard)
        self._daemon.rest()
        while self._open and await exports.exists(self._qmp, export):
            await self._close(self._open.innermost, recorder)
        await exports.gone(self._qmp, export)
        await self._daemon.add_export(export, self._side)

    # --- IOThread -----------------------------------------------------------------------------

    async def poll_on(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread poll."""
        await self._polling.switch(on=True)

    async def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let it sleep instead."""
        await self._polling.switch(on=False)


_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) if spec.owner in ("operator", "environment") else None
    for spec in OPS
)
