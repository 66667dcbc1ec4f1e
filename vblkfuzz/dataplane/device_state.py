"""State of the device: what a start, a stop, a reset or a request changes.

Also where its queues are handled (contexts) and how it tells the trace what it does. The
transitions are in `lifecycle`.

States: `started` (ioeventfds run, or `disabled` after a failed start), `starting`, `stopping`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import CONFIG_IRQ
from vblkfuzz.virtio.device_queue import DeviceQueue
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Steps, Thread
    from vblkfuzz.scenario.device import DeviceConfig


class DeviceState(ABC):
    """State of the device, its places and its voice."""

    queue_port: ClassVar[type[QueuePort]] = QueuePort
    device_queue: ClassVar[type[DeviceQueue]] = DeviceQueue

    @abstractmethod
    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """The queue was notified."""

    @abstractmethod
    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Take what the queue holds, then submit it."""

    def __init__(
        self,
        board: Board,
        config: DeviceConfig,
        blk: BlockBackend,
        main: AioContext,
        iothreads: Sequence[AioContext],
    ) -> None:
        self.board = board
        self._emit = board.ring.emit
        self.config = config
        self.blk = blk
        self.main = main
        self.iothreads = iothreads
        self.first_iothread = 0
        """IOThread of queue 0 at the next start; set_iothread changes it."""
        self.ports = [self.queue_port(self, board, index) for index in range(config.queues)]
        self.status = 0
        self.features = 0
        self.set_capacity(config.disk_sectors)
        self.epoch = 0
        self.started = self.starting = self.stopping = self.disabled = self.broken = False
        self.pops = 0
        """Requests popped since power-on; numbers them in the trace."""
        self.notifiers_opened = 0
        """Host notifiers opened since power-on; numbers them in the trace."""
        self.handlers_running = 0
        self.retry_list: list[Request] = []
        """Requests that wait for `cont` (rerror/werror=stop)."""
        self.start_fails_at: int | None = None
        """Queue whose notifier the next start cannot assign."""
        self.request_vm_stop: Callable[[], None]
        """The machine's; called when an I/O error shall stop the VM."""

    # --- Contexts ---------------------------------------------------------------------------

    @property
    def home(self) -> AioContext:
        """Context the node lives in while the dataplane runs."""
        return self.context_of(self.ports[0])

    def context_of(self, port: QueuePort) -> AioContext:
        """Context that handles a queue: queues are dealt out over the IOThreads."""
        if not self.iothreads:
            return self.main
        return self.iothreads[(self.first_iothread + port.index) % len(self.iothreads)]

    def completion_context(self, thread: Thread) -> AioContext:
        """Context that completes what `thread` takes: its own (blk_aio_* since 8.2)."""
        index = thread.actor - ActorId.IO0
        return self.iothreads[index] if index >= 0 else self.main

    def context_for(self, request: Request) -> AioContext:
        """Context in which a request that waited goes on: where its queue is handled by now."""
        if self.blk.context is self.main:
            return self.main
        return self.context_of(self.ports[request.queue.index])

    def contexts(self) -> list[AioContext]:
        """Contexts of all queues, each once, in queue order."""
        found: list[AioContext] = []
        for port in self.ports:
            if self.context_of(port) not in found:
                found.append(self.context_of(port))
        return found

    # --- Configuration ----------------------------------------------------------------------

    def set_capacity(self, sectors: int) -> None:
        """Show the driver a capacity, at once with the generation that goes with it (2.5.2)."""
        words = self.board.registers.words
        words[CAPACITY] = sectors
        words[GENERATION] += 1

    def notify_config(self, thread: Thread) -> None:
        """Tell a driver that is there that the configuration changed (virtio_notify_config)."""
        if self.status & STATUS_DRIVER_OK:
            self._tell(CONFIG_IRQ, thread)

    # --- Events -----------------------------------------------------------------------------

    # Positional arguments: keywords would double what an event costs.

    def _tell(self, kind: int, thread: Thread, *, flag: int = 0, value: int = 0) -> None:
        epoch, path = self.epoch, thread.path
        self._emit(kind, thread.actor, NO_QUEUE, flag, 0, 0, epoch, value, path)

    def _tell_queue(
        self, kind: int, thread: Thread, port: QueuePort, flag: int = 0, *, value: int = 0
    ) -> None:
        epoch, path = self.epoch, thread.path
        self._emit(kind, thread.actor, port.index, flag, 0, 0, epoch, value, path)

    def _tell_request(
        self, kind: int, thread: Thread, request: Request, value: int = 0, flag: int = 0
    ) -> None:
        self._emit(
            kind,
            thread.actor,
            request.queue.index,
            flag,
            request.head,
            request.serial,
            request.epoch,
            value,
            thread.path,
        )
