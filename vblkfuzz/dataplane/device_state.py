"""State of the device: what a start, a stop, a reset or a request changes.

It also has the contexts that handle its queues, and the methods that record its events in the
trace. The transitions are in `lifecycle`.

States: `starting`; `started` (ioeventfds are in use, or, after a failed start, `disabled`);
`stopping`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.construction import constructed
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.registers import CAPACITY, FEATURES_EXIT, GENERATION, KNOWN_ID, WRITEBACK
from vblkfuzz.dataplane.turns import Turns
from vblkfuzz.dataplane.wrong_return import WrongReturn
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import CONFIG_IRQ
from vblkfuzz.virtio.features import device_side
from vblkfuzz.virtio.layout import F_IN_ORDER, STATUS_DRIVER_OK
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.request.blk import F_FLUSH, id_digest
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Steps, Thread
    from vblkfuzz.scenario.device import DeviceConfig

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IO0: Final = ActorId.IO0


class DeviceState(ABC):
    """State, contexts and events of the device."""

    queue_port: ClassVar[type[QueuePort]] = QueuePort
    device_queue: ClassVar[type[DeviceQueue]] = DeviceQueue
    packed_queue: ClassVar[type[PackedQueue]] = PackedQueue
    device_id: ClassVar[bytes] = b"vblkfuzz-model-disk0"
    """Answer to GET_ID: at most 20 bytes, padded with NUL (5.2.6). A device with another id says so
    here (S23)."""

    @abstractmethod
    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Handle a queue that was notified."""

    @abstractmethod
    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Pop what the queue holds, then submit it."""

    def __init__(
        self,
        board: Board,
        config: DeviceConfig,
        blk: BlockBackend,
        main: AioContext,
        iothreads: Sequence[AioContext],
    ) -> None:
        self.board = board
        self._ring = board.ring
        self.config = config
        self.blk = blk
        self.main = main
        self.iothreads = iothreads
        self.first_iothread = 0
        """Index of the IOThread of queue 0; set_iothread changes it."""
        port = partial(constructed, self.queue_port, QueuePort, "_device", self, board)
        self.ports = [port(index) for index in range(config.queues)]
        self.status = 0
        self.set_features(0)
        if not hasattr(self, "features"):
            problem = "expected a call of super().set_features"
            raise WrongReturn(self, ("set_features",), problem)
        board.registers.offered = self.host_features()
        may_refuse = type(self).accepts_features is not DeviceState.accepts_features
        board.registers.words[FEATURES_EXIT] = may_refuse
        self.set_capacity(config.disk_sectors)
        board.registers.words[KNOWN_ID] = id_digest(self.device_id)
        self.epoch = 0
        self.started = self.starting = self.stopping = self.disabled = self.broken = False
        self.pops = 0
        """Requests popped since power-on: the serial number of the last one."""
        self.notifiers_opened = 0
        """Host notifiers opened since power-on: the serial number of the last one."""
        self.handlers_running = 0
        self.retry_list: list[Request] = []
        """Requests that wait for `cont`: failed (rerror/werror=stop), or parked at a VM stop."""
        self.turns = [Turns() for _ in range(config.queues)]
        """By queue: what is to be returned in order, if F_IN_ORDER is negotiated."""
        self.start_fails_at: int | None = None
        """Queue at which the next start fails: its notifier cannot be assigned."""
        self.request_vm_stop: Callable[[], None]
        """Set by the machine; called when an I/O error stops the VM."""

    # --- Features ---------------------------------------------------------------------------

    def host_features(self) -> int:
        """Feature bits that the device offers (5.2.3; virtio_blk_get_features)."""
        config = self.config
        return device_side(
            queues=config.queues,
            event_idx=config.event_idx,
            indirect=config.indirect,
            read_only=config.read_only,
            packed=config.ring == "packed",
            in_order=config.in_order,
        )

    def accepts_features(self, bits: int) -> bool:
        """Return whether the device works with these features of the driver (2.2).

        If not, FEATURES_OK is not set, and the driver gives up. `bits` are among those offered.
        """
        return True

    def set_features(self, bits: int) -> None:
        """Use the features that the driver has accepted; after a reset it has accepted none.

        A driver without F_FLUSH cannot ask for a flush, so a write is stable when it ends (5.2.5.2,
        5.2.6.2; QEMU decides that in virtio_blk_set_status).
        """
        self.features = bits
        self.set_writeback(bool(bits >> F_FLUSH & 1))

    @property
    def in_order(self) -> bool:
        """Whether requests have to be returned in the order of their pops (2.7.9)."""
        return bool(self.features >> F_IN_ORDER & 1)

    # --- Contexts ---------------------------------------------------------------------------

    @property
    def home(self) -> AioContext:
        """Context of the node while the dataplane runs."""
        return self.context_of(self.ports[0])

    def context_of(self, port: QueuePort) -> AioContext:
        """Context that handles a queue. Queues are distributed over the IOThreads in turn."""
        if not self.iothreads:
            return self.main
        return self.iothreads[(self.first_iothread + port.index) % len(self.iothreads)]

    def completion_context(self, thread: Thread) -> AioContext:
        """Context that completes what `thread` pops: the thread's own (blk_aio_* since 8.2)."""
        index = thread.actor - _IO0
        return self.iothreads[index] if index >= 0 else self.main

    def context_for(self, request: Request) -> AioContext:
        """Context in which a request that waited goes on: the one that now handles its queue."""
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
        """Change the capacity in the configuration together with its generation (2.5.2)."""
        words = self.board.registers.words
        words[CAPACITY] = sectors
        words[GENERATION] += 1

    def set_writeback(self, on: bool) -> None:
        """Use a write-back cache or a write-through one, and show that in the configuration.

        The driver chooses with F_CONFIG_WCE (5.2.4, 5.2.6.2; virtio_blk_set_config).
        """
        self.blk.backend.write_cache = on
        self.board.registers.words[WRITEBACK] = on

    def notify_config(self, thread: Thread) -> None:
        """Interrupt the driver, once DRIVER_OK is set: config change (virtio_notify_config)."""
        if self.status & STATUS_DRIVER_OK:
            self._trace(CONFIG_IRQ, thread)

    # --- Events -----------------------------------------------------------------------------

    # Arguments are positional: keywords would double the cost of an event.

    def _trace(self, kind: int, thread: Thread, *, flag: int = 0, value: int = 0) -> None:
        epoch, path = self.epoch, thread.path
        self._ring.emit(kind, thread.actor, NO_QUEUE, flag, 0, 0, epoch, value, path)

    def _trace_queue(
        self, kind: int, thread: Thread, port: QueuePort, flag: int = 0, *, value: int = 0
    ) -> None:
        epoch, path = self.epoch, thread.path
        self._ring.emit(kind, thread.actor, port.index, flag, 0, 0, epoch, value, path)

    def _trace_request(
        self,
        kind: int,
        thread: Thread,
        request: Request,
        value: int = 0,
        flag: int = 0,
        length: int = 0,
    ) -> None:
        self._ring.emit(
            kind,
            thread.actor,
            request.queue.index,
            flag,
            request.head,
            request.serial,
            request.epoch,
            value,
            thread.path,
            length,
        )
