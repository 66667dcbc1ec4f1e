"""A queue of the device with its host notifier: the event loop's view of a virtqueue."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.dataplane.construction import constructed
from vblkfuzz.dataplane.registers import IOEVENTFD
from vblkfuzz.dataplane.thread import Steps, Thread, causal
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.trace.kinds import (
    IRQ,
    NOTIFICATION,
    NOTIFIER_CLOSE,
    NOTIFIER_OPEN,
    POLL_BEGIN,
    POLL_END,
)
from vblkfuzz.virtio.device_rings import DeviceRings
from vblkfuzz.virtio.packed import device_queue as packed_rings
from vblkfuzz.virtio.split import device_queue as split

if TYPE_CHECKING:
    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.virtio.queue import DeviceQueue

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IO0: Final = ActorId.IO0


class PortOwner(Protocol):
    """What a port uses of its device (`device_state.DeviceState`)."""

    started: bool
    stopping: bool
    disabled: bool
    broken: bool
    epoch: int
    notifiers_opened: int

    @property
    def device_queue(self) -> type[split.DeviceQueue]:
        """Class of the device's side of a split ring."""

    @property
    def packed_queue(self) -> type[packed_rings.DeviceQueue]:
        """Class of the device's side of a packed ring."""

    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Handle a queue that was notified."""


class QueuePort:
    """One queue of the device; satisfies `aio.QueueHandler`."""

    __slots__ = ("_board", "_device", "index", "notifier", "queue", "rings")

    def __init__(self, device: PortOwner, board: Board, index: int) -> None:
        self.index = index
        memory = board.memory
        plain = constructed(device.device_queue, split.DeviceQueue, "_u32", memory, index)
        packed = partial(
            constructed, device.packed_queue, packed_rings.DeviceQueue, "_u32", memory, index
        )
        self.rings = DeviceRings(plain, packed)
        self.queue: DeviceQueue = plain
        """That of the form that the driver uses; while it is not ready, of the form used last."""
        self.notifier = board.kicks[index]
        self._board = board
        self._device = device

    def poll(self) -> bool:
        """Whether the ring has an entry to pop (virtio_queue_host_notifier_aio_poll)."""
        return not self._device.broken and not self.queue.empty()

    @causal(Frame.HOST_NOTIFIER_READ)
    def read(self, thread: Thread) -> Steps:
        """Test and clear the notifier; handle the queue if it was set.

        There is no preemption point before the handler runs: the event loop has just checked that
        it is attached.
        """
        if self.notifier.clear():
            yield from self._device.handle_output(thread, self)

    @causal(Frame.POLL)
    def poll_ready(self, thread: Thread) -> Steps:
        """Handle the queue in which polling found an entry."""
        yield from self._device.handle_output(thread, self)

    def poll_begin(self, thread: Thread) -> None:
        """Suppress kicks while polling."""
        self._emit(POLL_BEGIN, thread)
        self.set_notification(thread, False)

    def poll_end(self, thread: Thread) -> None:
        """Enable kicks again."""
        self.set_notification(thread, True)
        self._emit(POLL_END, thread, not self.queue.asks_for_kicks())

    def set_notification(self, thread: Thread, on: bool) -> None:
        """Enable kicks or suppress them (virtio_queue_set_notification)."""
        self.queue.set_notification(on)
        self._emit(NOTIFICATION, thread, on)

    def open_notifier(self, thread: Thread) -> None:
        """Create the host notifier, initially set, and route kicks to it."""
        device, notifier = self._device, self.notifier
        device.notifiers_opened += 1
        notifier.serial = device.notifiers_opened
        notifier.is_open = True
        notifier.set_own()
        self._board.registers.set_queue(self.index, IOEVENTFD, 1)
        self._emit(NOTIFIER_OPEN, thread, head=notifier.serial)

    def deassign_notifier(self) -> None:
        """Route kicks back to VM exits."""
        self._board.registers.set_queue(self.index, IOEVENTFD, 0)

    def close_notifier(self, thread: Thread) -> None:
        """Close the host notifier; a kick that it still holds is lost."""
        self.notifier.clear()
        self.notifier.is_open = False
        self._emit(NOTIFIER_CLOSE, thread)

    def call(self, thread: Thread) -> None:
        """Signal the driver."""
        self.interrupt(thread)

    def interrupt(self, thread: Thread) -> None:
        """Raise the interrupt of the queue, also again after a restore (MSI-X pending bits)."""
        self._board.calls[self.index].set()
        self._emit(IRQ, thread, self.needs_bql(thread))

    def needs_bql(self, thread: Thread) -> bool:
        """Whether a call goes through virtio_notify, which needs the BQL.

        IOThreads use the guest notifier instead (virtio_notify_irqfd).
        """
        return thread.actor < _IO0

    def _emit(self, kind: int, thread: Thread, flag: int = 0, head: int = 0) -> None:
        epoch, path = self._device.epoch, thread.path
        self._board.ring.emit(kind, thread.actor, self.index, flag, head, 0, epoch, 0, path)
