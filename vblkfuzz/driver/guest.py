"""The guest driver: carries out the guest's operations on a device, through a `Transport`.

The same driver runs on the model and on real devices. An operation that is impossible in the
current state (a publish before init, or with a full ring) does nothing, so that every list of
operations can be carried out. Next: `guest_queue`, `answers`, `memory_watch`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.answers import Answers
from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.cache_mode import CacheMode, may_set_cache_mode
from vblkfuzz.driver.config_read import read_config
from vblkfuzz.driver.features import accepted, fields, rings
from vblkfuzz.driver.guest_queue import GuestQueue
from vblkfuzz.driver.hostile import WHOLE, opened
from vblkfuzz.driver.memory_map import AREAS
from vblkfuzz.driver.memory_watch import MemoryWatch
from vblkfuzz.driver.registers import DriverRegisters
from vblkfuzz.driver.rings import publish_broken
from vblkfuzz.driver.sent import Sent
from vblkfuzz.driver.side_queues import SideQueues
from vblkfuzz.driver.transport import POINT
from vblkfuzz.driver.used_event import distance
from vblkfuzz.driver.writer import Writer
from vblkfuzz.scenario.alphabet.guest import HOSTILE_DEEDS, RESET_WAYS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import (
    DRIVER_INIT,
    DRIVER_OK,
    FEATURES,
    HOSTILE,
    KICK,
    PUBLISH,
    REQUEST,
    SHAPE,
    STRAY_KICK,
    SUPPRESS_CALLS,
    USED_EVENT,
)
from vblkfuzz.virtio.layout import (
    F_INDIRECT_DESC,
    F_RING_RESET,
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FAILED,
    STATUS_FEATURES_OK,
)
from vblkfuzz.virtio.request.blk import F_MQ

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.driver.request import RequestForm
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory

_INIT_OK, _INIT_NO_DRIVER_OK, _INIT_NO_FEATURES = range(3)
_HEAD_AGAIN: Final = HOSTILE_DEEDS.index("head_again")
_FUNCTION: Final = RESET_WAYS.index("function")

_ACTOR: Final = int(ActorId.GUEST)
"""The actor of all its events."""


class GuestDriver:
    """A driver that carries out guest operations, on virtio-blk unless it has another form."""

    def __init__(
        self,
        memory: GuestMemory,
        transport: Transport,
        config: DeviceConfig,
        ring: TraceRing,
        form: RequestForm = BLK,
    ) -> None:
        self._memory = memory
        self._transport = transport
        self._config = config
        self._form = form
        self._ring = ring
        self._registers = DriverRegisters(transport, ring)
        self._cache_mode = CacheMode(transport, ring)
        self._watch = MemoryWatch(memory, ring, config.queues, form.status_at, transport.in_turns)
        self._answers = Answers(memory, form, transport, self._watch, ring)
        self._writer = Writer(memory, form, self._watch)
        self._side = SideQueues(memory, transport, self._watch, ring, form)
        self.queues: Final = [GuestQueue(index) for index in range(config.queues)]
        self._in_use = self.queues
        """Queues that the driver uses; without F_MQ only the first (5.2.2)."""
        self._features = 0
        self._set_up = False
        self._dirty = False
        """Whether it was initialised, at least in part, since its last reset: it needs one."""
        self._again = False
        """Whether it has been initialised at all."""
        self._left_out = 0
        """The status to which an init has not added DRIVER_OK; 0 if there is none."""
        self._published = 0
        self._hostile = False
        """The protocol was broken since the last reset: is the device, too?"""

    def run(self, operation: Op) -> GuestSteps:
        """Carry out one guest operation."""
        return _METHODS[operation.code](self, operation)

    def init(self, operation: Op) -> GuestSteps:
        """Initialise the device (virtio 1.2, 3.1.1) as far as `how` says; it may refuse that."""
        how = operation.a
        self._ring.emit(DRIVER_INIT, _ACTOR, flag=0, value=self._config.first_index)
        if self._dirty or self._transport.is_lost():
            yield from self._reset()
        else:
            self._watch.look()
            self._registers.read_status()
        self._dirty = True
        self._left_out = 0
        status = STATUS_ACKNOWLEDGE | STATUS_DRIVER
        yield from self._registers.write_status(status)
        self._features = 0
        offered = self._transport.device_features()
        if how != _INIT_NO_FEATURES:
            self._features = accepted(offered, operation.b, packed=self._config.ring == "packed")
            self._transport.accept_features(self._features)
            status |= STATUS_FEATURES_OK
            yield from self._registers.write_status(status)
            if not self._transport.read_status() & STATUS_FEATURES_OK:
                self._set_up = False
                yield from self._registers.write_status(status ^ STATUS_FEATURES_OK | STATUS_FAILED)
                return
        self._ring.emit(FEATURES, _ACTOR, **fields(offered, self._features))
        if self._again and self._form.has_capacity:
            deque(read_config(self._transport, self._ring), maxlen=0)  # no step of the schedule
        self._again = True
        self._in_use = self.queues if self._features >> F_MQ & 1 else self.queues[:1]
        for queue in self._in_use:
            yield from self._start_queue(queue)
        yield from self._side.start(self._features)
        self._set_up = True
        if how == _INIT_NO_DRIVER_OK:
            self._left_out = status
        else:
            yield from self._registers.write_status(status | STATUS_DRIVER_OK)
        flag = 2 if self._left_out else 1
        self._ring.emit(DRIVER_INIT, _ACTOR, flag=flag, **rings(self._features))
        if not self._left_out:
            self._side.ready()

    def driver_ok(self, operation: Op) -> GuestSteps:
        """Write DRIVER_OK if init has left it out and the device has not been reset since."""
        yield POINT
        status, self._left_out = self._left_out, 0
        if status and self._transport.read_status() == status:
            yield from self._registers.write_status(status | STATUS_DRIVER_OK)
            self._ring.emit(DRIVER_OK, _ACTOR)
            self._side.ready()

    def _start_queue(self, queue: GuestQueue) -> GuestSteps:
        queue.start(self._memory, self._config, self._features)
        self._watch.set_up(queue.index, queue.layout, queue.ring)
        yield from self._transport.set_up_queue(queue.index, queue.layout)

    def reset(self, operation: Op) -> GuestSteps:
        """Reset the device; the rings are no longer used."""
        self._set_up = self._dirty = False
        self._left_out = 0
        yield from self._reset(function=operation.a == _FUNCTION)

    def _reset(self, *, function: bool = False) -> GuestSteps:
        self._look_at_status()
        self._hostile = False
        self._side.forget()
        self._cache_mode.forget()
        yield from self._registers.reset(function=function)
        self._registers.read_status()
        for queue in self.queues:
            self._registers.read_enable(queue.index)
            self._registers.take_call(queue.index)
        self._watch.reset()

    def _look_at_status(self) -> None:
        """A driver that broke the protocol looks whether the device needs a reset (2.1.2)."""
        if self._hostile:
            self._registers.read_status()

    def queue_reset(self, operation: Op) -> GuestSteps:
        """Reset one queue and enable it again with new rings; needs F_RING_RESET."""
        queue = self._queue(operation)
        if self._registers.lost_form(self._features):
            return
        if queue is not None and self._features >> F_RING_RESET & 1:
            yield from self._registers.reset_queue(queue, self._in_use)
            self._registers.take_call(queue.index)
            self._watch.reset_queue(queue.index)
            yield from self._start_queue(queue)

    def publish(self, operation: Op) -> GuestSteps:
        """Make a request available."""
        queue = self._queue(operation)
        if queue is not None:
            head = self._add(queue, operation)
            yield POINT
            self._make_available(queue, head, operation)

    def _make_available(self, queue: GuestQueue, head: int | None, operation: Op) -> None:
        if head is not None:
            _, _, code, shape, sector, more = operation
            sent = queue.sent[head]
            if sent.shaped:
                self._ring.emit(SHAPE, _ACTOR, queue.index, shape)
            self._ring.emit(REQUEST, _ACTOR, queue.index, code, head, 0, 0, sector | more << 8)
            idx = queue.ring.publish_raw(head)
            self._watch.lend((queue.index, head), sent)
            self._ring.emit(PUBLISH, _ACTOR, queue.index, 0, head, 0, 0, idx)

    def kick(self, operation: Op) -> GuestSteps:
        """Notify the device unless it suppresses kicks (2.7.10)."""
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            wanted = self._wants_kick(queue)
            yield POINT
            if wanted:
                yield from self._transport.kick(queue.index)

    def _wants_kick(self, queue: GuestQueue) -> bool:
        wanted = queue.ring.needs_kick()
        self._ring.emit(KICK, _ACTOR, queue.index, wanted, 0, 0, 0, queue.ring.avail_idx)
        return wanted

    def inband_kick(self, operation: Op) -> GuestSteps:
        """Notify the device without the notifier, whether it asks for kicks or not."""
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            queue.ring.needs_kick()  # counts all entries published so far as notified
            self._ring.emit(KICK, _ACTOR, queue.index, 1, 0, 0, 0, queue.ring.avail_idx)
            yield from self._transport.kick_inband(queue.index)

    def publish_kick(self, operation: Op) -> GuestSteps:
        """Make a request available and notify the device."""
        queue = self._queue(operation)
        if queue is not None:
            head = self._add(queue, operation)
            yield POINT
            self._make_available(queue, head, operation)
            yield POINT
            wanted = self._wants_kick(queue)
            yield POINT
            if wanted:
                yield from self._transport.kick(queue.index)

    def hostile(self, operation: Op) -> GuestSteps:
        """Publish broken ring contents and notify the device."""
        queue = self._queue(operation)
        if queue is None or queue.ring.num_free < 3 or not queue.free_slots:
            return
        slot = queue.free_slots.pop()
        area = AREAS[slot.header]
        self._watch.look_at(queue.index, area)
        buffers = self._form.build(self._memory, slot, 0, 0, 1, self._published)
        head = queue.ring.add(*buffers)
        sent = queue.sent[head] = Sent(slot, buffers, None, area, broken=operation.b not in WHOLE)
        yield POINT
        self._hostile = True
        shown = publish_broken(queue.ring, operation.b, slot, head)
        self._watch.lend((queue.index, head), sent)
        self._watch.open(queue.index, opened(operation.b, slot))
        self._ring.emit(HOSTILE, _ACTOR, queue.index, operation.b)
        self._ring.emit(PUBLISH, _ACTOR, queue.index, 1, shown, value=queue.ring.avail_idx)
        yield from self.kick(operation)

    def publish_again(self, operation: Op) -> GuestSteps:
        """Publish the oldest outstanding head once more and notify the device."""
        queue = self._queue(operation)
        if queue is None or not queue.sent:
            return
        head = next(iter(queue.sent))
        yield POINT
        self._hostile = True
        queue.again.add(head)
        self._watch.look_at_ring(queue.index)
        idx = queue.ring.publish_raw(head)
        self._watch.open(queue.index, ())
        self._ring.emit(HOSTILE, _ACTOR, queue.index, _HEAD_AGAIN)
        self._ring.emit(PUBLISH, _ACTOR, queue.index, 1, head, value=idx)
        yield from self.kick(operation)

    def tmf(self, operation: Op) -> GuestSteps:
        """Ask for a task management function; only virtio-scsi has them."""
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            yield from self._side.ask(operation.b, queue, operation.c)

    def stray_kick(self, operation: Op) -> GuestSteps:
        """Notify the device of a queue, whether or not it is set up, or there."""
        yield POINT
        self._ring.emit(STRAY_KICK, _ACTOR, operation.a)
        yield from self._transport.kick(operation.a)

    def collect(self, operation: Op) -> GuestSteps:
        """Take used entries and free their requests; look at memory also without a device."""
        self._watch.look()
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            self._registers.take_call(queue.index)
            self._look_at_status()
            for each in self._in_use if self._side.take() else (queue,):
                self._answers.take(each)

    def rest(self) -> GuestSteps:
        """Look at status and cache mode, take what is left in all rings; the device has settled."""
        self._watch.look_everywhere()
        self._registers.read_status()
        if self._set_up:
            self._cache_mode.read()
            self._side.rest()
            for queue in self._in_use:
                yield POINT
                self._registers.take_call(queue.index)
                self._answers.take(queue)

    def read_config(self, operation: Op) -> GuestSteps:
        """Read the capacity."""
        if self._set_up and self._form.has_capacity:
            yield from read_config(self._transport, self._ring)

    def writeback(self, operation: Op) -> GuestSteps:
        """Set the cache mode."""
        if self._set_up and may_set_cache_mode(self._features):
            yield from self._cache_mode.choose(operation.a)

    def set_used_event(self, operation: Op) -> GuestSteps:
        """Ask for a call at a later used entry (EVENT_IDX)."""
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            self._watch.look_at_ring(queue.index)
            used_event = queue.ring.set_used_event(distance(operation.c, operation.b))
            self._watch.wrote_ring(queue.index)
            self._ring.emit(USED_EVENT, _ACTOR, queue.index, value=used_event)

    def suppress_calls(self, operation: Op) -> GuestSteps:
        """Suppress calls, or allow them again."""
        queue = self._queue(operation)
        if queue is not None:
            yield POINT
            self._watch.look_at_ring(queue.index)
            queue.ring.set_no_interrupt(bool(operation.b))
            self._watch.wrote_ring(queue.index)
            self._ring.emit(SUPPRESS_CALLS, _ACTOR, queue.index, operation.b)

    @property
    def queues_in_use(self) -> int:
        """Number of queues that the driver uses; 0 while the device is not set up."""
        return len(self._in_use) if self._set_up else 0

    def _queue(self, operation: Op) -> GuestQueue | None:
        """Return the queue of an operation; None while the device is not set up."""
        return self._in_use[operation.a % len(self._in_use)] if self._set_up else None

    def _add(self, queue: GuestQueue, operation: Op) -> int | None:
        """Write a request into the ring's descriptors; None if there is no room."""
        indirect = bool(self._features >> F_INDIRECT_DESC & 1)
        head = self._writer.write(queue, operation, self._published + 1, indirect=indirect)
        self._published += head is not None
        return head


def _method(name: str) -> Callable[[GuestDriver, Op], GuestSteps]:
    """Return the method of an operation.

    Raises:
        TypeError: there is none.
    """
    method: Callable[[GuestDriver, Op], GuestSteps] | None = getattr(GuestDriver, name, None)
    if method is None:
        raise TypeError(
            f"driver/guest.py: expected a method {name} of GuestDriver, for its row in the alphabet"
        )
    return method


_METHODS: Final[dict[int, Callable[[GuestDriver, Op], GuestSteps]]] = {
    spec.code: _method(spec.name) for spec in OPS if spec.owner == "guest"
}
"""By operation code."""
