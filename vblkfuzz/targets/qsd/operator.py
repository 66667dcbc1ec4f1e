"""The operator of a storage daemon: what operations mean in QMP.

A long drained section is a mirror job that waits to be finalized, as on target `qemu`
(`targets.qemu.operator`). A section within a section is a short one (blockdev-reopen). So are those
of `snapshot`, `reopen`, `throttle` and `block_job`: where they begin and end is not known, so they
are not recorded. All kinds begin by waiting for the requests in flight, which blocks the daemon's
main loop. If the backend holds a request, the operation continues when the request is released, and
later operations are queued. That is a drained section too, the blocking kind.

The end of a job is the exception: no flush is held during it (`Operator.closes`). When a mirror job
ends, QEMU ends its drained section and at once begins a short one, in which it flushes the
filter node of the job (mirror_exit_common, bdrv_close). Whether an IOThread dequeues between the
two is up to the clock. If that flush were held, the second section would last, and what was
dequeued before it could be told from what was not.

A daemon has no VM and no machine: stop, cont, system_reset and operations on the start of a device
do nothing. An NBD disk does not change its size: a resize drains and is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.doors.block_job import BlockJobs, Disk
from vblkfuzz.targets.doors.drain_all import drain_all
from vblkfuzz.targets.drained_sections import DrainedSections
from vblkfuzz.targets.iothread_polling import IOThreadPolling
from vblkfuzz.targets.mirror_window import MirrorWindow
from vblkfuzz.targets.operator_work import OperatorWork
from vblkfuzz.targets.qsd import exports
from vblkfuzz.targets.qsd.daemon import node_name, node_options
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.qsd.daemon import Daemon
    from vblkfuzz.targets.qsd.exports import Export
    from vblkfuzz.targets.recorder import Recorder

    Method = Callable[["Operator", Op, Recorder], Work]

_STAYS: Final = ("poll_on", "poll_off")
"""Operations that neither run a job nor drain."""


class Operator(DrainedSections):
    """Operates one daemon. Each operation has a method of the same name."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self._daemon = daemon
        self._qmp = daemon.qmp
        self.work = OperatorWork(daemon.qmp)
        """Operations that have begun or are queued."""
        self._dequeues: Callable[[], Sequence[Dequeue | Hold]]
        self._window = MirrorWindow(daemon.qmp)
        self._polling = IOThreadPolling(daemon.qmp)
        self._jobs = BlockJobs(daemon.qmp, daemon.image)
        self._limited: set[str] = set()
        """Nodes with limits of I/O."""
        self._sectors = 0
        self._sides: dict[int, int] = {}
        """By capacity: which of its two nodes an export uses; 0 if it is not listed."""
        self._draining = False
        """A section is open whose begin has not returned yet."""
        self.moves = False
        """An operation has begun in which an export may leave an IOThread that is not fixed."""
        self.closes = False
        """Since the device was last at rest, a section has begun to close (`_close`), or a block
        job has begun. What a job flushes when it ends must not be held."""

    def make_ready(
        self, sectors: int, dequeues: Callable[[], Sequence[Dequeue | Hold]], *, polling: bool
    ) -> None:
        """Begin a scenario on the export with `sectors`; the daemon is at rest."""
        self._sectors, self._dequeues = sectors, dequeues
        self._qmp.forget_events()
        if polling != self.polling:
            self.work.add(self._polling.take_all(on=polling))
        for node in sorted(self._limited):
            self.work.add(self._set_limits(node, on=False))
        self.work.go_on(blocked=False)

    @property
    def polling(self) -> bool:
        """Whether the IOThread polls."""
        return any(self._polling.on)

    @property
    def at_rest(self) -> bool:
        """Whether no section is open and no operation has begun or is queued."""
        return not self._open and self.work.is_done

    @property
    def is_as_new(self) -> bool:
        """Whether it is at rest, and no job has failed: it may have left something in the graph."""
        return self.at_rest and not (self._window.failed or self._jobs.failed)

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
            self.moves |= operation.name not in _STAYS
            self.work.add(method(self, operation, recorder))

    def end_sections(self, recorder: Recorder) -> None:
        """Record the end of all drained sections: the daemon has been ended."""
        if self._draining:
            recorder.tell(DRAIN_RET, flag=1)
        self._end_all(recorder)

    # --- Drained sections ---------------------------------------------------------------------

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another; if that fails, record its end at once."""
        self._open.begin(operation)
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
            self._end_innermost(recorder)

    async def _close(self, began: str, recorder: Recorder, *, cancelled: bool = False) -> None:
        if self._open.end(began) is None:
            return
        self._daemon.rest()
        recorder.look(self._dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open:
            self.closes = True
            if await self._window.close(cancelled=cancelled):
                self._sides[self._sectors] = self._side ^ 1

    @property
    def _side(self) -> int:
        return self._sides.get(self._sectors, 0)

    async def _start_mirror(self, *, pivot: bool) -> bool:
        """Start a mirror job that drains the disk; return whether it does.

        The job writes through the same backend, so one of its writes may fail.
        """
        return await self._window.open(
            self._node,
            node_name(self._sectors, self._side ^ 1),
            sync="none",  # both nodes are the same disk
            pivot=pivot,
        )

    @property
    def _node(self) -> str:
        return node_name(self._sectors, self._side)

    async def reopen(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; refused while a job uses the node."""
        await self._reopen()

    async def _reopen(self) -> None:
        await self._set_limits(self._node, on=self._node in self._limited)

    async def throttle(self, operation: Op, recorder: Recorder) -> None:
        """Put a filter with limits between the disk and its file, or remove it."""
        await self._set_limits(self._node, on=not operation.a)

    async def _set_limits(self, node: str, *, on: bool) -> None:
        """Reopen a node, with limits or without."""
        options = node_options(node, limits=on)
        if await self._qmp.attempt("blockdev-reopen", options=[options]):
            (self._limited.add if on else self._limited.discard)(node)

    async def block_job(self, operation: Op, recorder: Recorder) -> None:
        """Run a job; what it flushes when it ends must not be held, as in `_close`."""
        self.closes = True
        node = node_options(self._node, limits=self._node in self._limited)
        if not await self._jobs.run(operation.a, Disk(node, self._sectors * SECTOR_SIZE)):
            recorder.doubt(Witness.DISK)

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment, within one callback."""
        await drain_all(self._qmp)

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Drain for a moment; the size does not change."""
        size = (operation.d + 1) * SECTOR_SIZE
        await self._qmp.attempt("block_resize", node_name=self._node, size=size)

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
        await self._polling.take_all(on=True)

    async def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let it sleep instead."""
        await self._polling.take_all(on=False)


_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) if spec.owner in ("operator", "environment") else None
    for spec in OPS
)
