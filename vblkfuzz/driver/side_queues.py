"""The queues of virtio-scsi that take no commands: control and events (virtio 1.2, 5.6.2).

The driver makes requests for task management available in the control queue; the other one is that
of `driver.event_queue`. As Linux does (virtscsi_tmf), it looks at all used rings when such a
request has ended: what the request was about has ended by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.event_queue import EventQueue
from vblkfuzz.driver.memory_map import SIDE_SLOTS, Slot, side_area
from vblkfuzz.driver.request import Segmented
from vblkfuzz.driver.rings import new_side_rings
from vblkfuzz.driver.sent import Sent
from vblkfuzz.scenario.alphabet.guest import ABOUT_ONE, FUNCTIONS
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.scsi_kinds import TMF, TMF_ENDED
from vblkfuzz.virtio.request.scsi_control import (
    ANSWER_SIZE,
    NO_ANSWER,
    NONE,
    TMF_SIZE,
    answer_code,
    management,
)

if TYPE_CHECKING:
    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.memory_watch import MemoryWatch
    from vblkfuzz.driver.request import RequestForm
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import DriverQueue

_ACTOR: Final = int(ActorId.GUEST)
"""The actor of all its events."""


class SideQueues:
    """The side queues of a driver; without any, all it does is nothing."""

    def __init__(
        self,
        memory: GuestMemory,
        transport: Transport,
        watch: MemoryWatch,
        ring: TraceRing,
        form: RequestForm,
    ) -> None:
        """Begin; `form` says which queues there are, and which unit a number stands for."""
        self._memory, self._transport = memory, transport
        self._watch, self._ring = watch, ring
        self._queues, self._unit_of = form.side_queues, form.unit_of
        self._events = EventQueue(memory, transport, watch, ring)
        self._control: DriverQueue | None = None
        """None: the device is not set up, or has no such queue."""
        self._free: list[Slot] = []
        self._sent: dict[int, tuple[int, Slot]] = {}
        """Number and slot of each request that has not ended, by head."""
        self._asked = 0

    def start(self, features: int) -> GuestSteps:
        """Set them up; `features`: those that were negotiated."""
        self.forget()
        rings = []
        for index in self._queues:
            ring, layout = new_side_rings(self._memory, index, features)
            rings.append(ring)
            self._watch.set_up(index, layout, ring)
            yield from self._transport.set_up_queue(index, layout)
        self._control = rings[0] if rings else None
        self._free = list(SIDE_SLOTS)
        if rings and features:
            self._events.start(self._queues[1], rings[1])

    def ready(self) -> None:
        """The device is set up: it may be notified."""
        self._events.ready()

    def forget(self) -> None:
        """Note that a reset has ended all requests."""
        self._control = None
        self._sent = {}
        self._events.forget()

    def ask(self, function: int, queue: GuestQueue, request: int) -> GuestSteps:
        """Send a request for a function about a request of `queue`, if there is room.

        Args:
            function: a position in `FUNCTIONS`.
            queue: it.
            request: which of those under way, from the oldest one; counted on from there if there
                are fewer. If there is none, the function is about a command that nobody has sent.
                A function about all requests of a unit is for the unit that this number stands for.
        """
        control = self._control
        if control is None or not self._free:
            return
        heads = [*queue.sent]
        head = heads[request % len(heads)] if heads else 0
        tag, unit = 0, self._unit_of(request)
        if heads:
            tag = queue.sent[head].slot.spare
        if heads and FUNCTIONS[function] in ABOUT_ONE:
            unit = queue.sent[head].unit
        slot, number = self._free.pop(), self._queues[0]
        self._watch.look_at(number, side_area(slot))
        chain = self._add(control, slot, management(FUNCTIONS[function], tag, unit))
        self._asked += 1
        self._sent[chain] = self._asked, slot
        what = queue.index, function, head
        self._ring.emit(TMF, _ACTOR, *what, value=self._asked, length=unit)
        if control.needs_kick():
            yield from self._transport.kick(number)

    def _add(self, control: DriverQueue, slot: Slot, request: bytes) -> int:
        """Make a request available; return its head."""
        self._memory.write(slot.header, request)
        self._memory.bytes[slot.status] = NO_ANSWER
        asked, answer = (slot.header, TMF_SIZE), (slot.status, ANSWER_SIZE)
        buffers = Segmented((asked,), (answer,))
        chain = control.add(*buffers)
        control.publish_raw(chain)
        self._watch.lend((self._queues[0], chain), Sent(slot, buffers, None, side_area(slot)))
        return chain

    def take(self) -> bool:
        """Take events and the used entries of the control queue; return whether that had any."""
        self._events.take()
        control, before = self._control, len(self._sent)
        while control is not None and self._sent and (used := control.get_used()) is not None:
            head, _ = used
            if not control.release(head):
                break
            number, slot = self._sent.pop(head)
            self._free.append(slot)
            self._tell(number, answer_code(self._memory.bytes[slot.status]))
            self._watch.take_back((self._queues[0], head))
        return len(self._sent) < before

    def rest(self) -> None:
        """Take what is left, and record requests without an answer: the device has settled."""
        self.take()
        for number, _ in self._sent.values():
            self._tell(number, NONE)
        self._sent = {}

    def _tell(self, number: int, answer: int) -> None:
        self._ring.emit(TMF_ENDED, _ACTOR, flag=answer, value=number)
