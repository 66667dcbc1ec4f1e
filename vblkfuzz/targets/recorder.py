"""The recorder: makes the trace of a scenario on a real device.

It merges events of three sources, in the order in which they are known to have happened:

* the guest process (`guest`); turn and epoch are set here;
* operator, backend and harness (`operation`, `tell`);
* the witnesses (`look`): dequeues, used entries and writes, observed in shared memory
  (`ring_watch`) and by the exact witness of the target, if it has one.

A witnessed event is placed at the moment of the look: after all events before it, before all events
that follow. Its path is the operation in which it was observed, since the cause cannot be observed
from outside. The path of an event of a request that outlives a reset is that reset, however late
the event is observed: one bug, one signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.targets.cause import Cause
from vblkfuzz.targets.hold import Hold
from vblkfuzz.targets.outliving import Outliving
from vblkfuzz.targets.reported import Reported
from vblkfuzz.targets.ring_view import view_of
from vblkfuzz.targets.ring_watch import Life
from vblkfuzz.trace.event import NO_QUEUE, ActorId, Event, Frame
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRIVER_INIT,
    FEATURES,
    HANDLER,
    HANDLER_END,
    HOSTILE,
    IO_DONE,
    MEMWRITE,
    OP,
    POP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
)
from vblkfuzz.trace.probe import PROBE
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.blk import F_MQ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.driver.published import Published
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.trace.fault import Fault
    from vblkfuzz.virtio.memory import GuestMemory


_EPILOGUE: Final = -1
"""Index of an operation that the scenario does not have."""


class Recorder:
    """The trace of one scenario, while it is being made."""

    def __init__(self, memory: GuestMemory, config: DeviceConfig, *, exact_pops: bool) -> None:
        self._memory = memory
        self._config = config
        self._exact_pops = exact_pops
        self.events: list[Event] = []
        self._pending = Reported()
        self._dropped = 0
        self._code = 0
        """Code of the current operation."""
        self.index = _EPILOGUE
        """Index of the current operation in the scenario."""
        self._doubted = Witness(0)
        self._probes = False
        """Whether the probe has begun: what it does leaves the witnesses of the scenario alone."""
        self._turn = 0
        self._epoch = 0
        self._causes = Cause()
        self._serial = 0
        self._suspended = 0
        """Number of events when the device was suspended; 0: it is not."""
        self.acts = 0
        """Number of actions on the device so far; while it does not change, idle stays idle."""
        self.direct = not config.ioeventfd
        """Whether the vCPU may handle a kick itself."""
        self.blind = False
        """Whether `look` does nothing, because the guest has not reported what it is doing."""
        self._queues = 0
        """Queues that the driver uses since its last set-up; without F_MQ only the first."""
        self.featureless = False
        """Whether the driver has set the device up without any feature, VERSION_1 included."""
        self._packed = False
        """Form of the rings since then."""
        self._banks = [1] * config.queues
        """Bank of each queue's rings, as `driver.guest.GuestQueue.bank`."""
        self._live: dict[int, Life] = {}
        self._ended: list[Life] = []
        self._outliving = Outliving()

    # --- What is done to the device -----------------------------------------------------------

    def operation(self, index: int, code: int, *, epilogue: int = 0) -> None:
        """Record the start of operation `index`; call `look` for the last operation before."""
        self._turn += 1
        self.acts += 1
        self.index = _EPILOGUE if epilogue else index
        self._code = code
        self._causes.operation(code)
        self._probes = epilogue == PROBE
        self._add(OP, ActorId.HARNESS, flag=code, head=epilogue, value=index)

    def deferred(self, index: int, code: int) -> None:
        """Note that operation `index` goes on only now: what follows is its effect.

        Call `look` before.
        """
        self.index = index
        self._code = code
        self._causes.operation(code)

    def tell(self, kind: int, actor: ActorId = ActorId.MAIN, **fields: int) -> None:
        """Record an event of operator or harness."""
        self._turn += 1
        self._add(kind, actor, **fields)
        self._causes.tell(kind, fields.get("value", 0))
        if kind == RESET_RET:
            self._end_lives(fields.get("path", int(Frame.RESET)))

    def suspend(self) -> None:
        """Note that from now on the device must do nothing, until `resume`.

        If it does, the cause is that it was not at rest when it was suspended, whatever operation
        comes later. A dequeue that was not observed is placed before this moment.
        """
        self._suspended = len(self.events)

    def resume(self) -> None:
        """Note that the device may act again."""
        self._suspended = 0

    def doubt(self, witness: Witness) -> None:
        """Drop this witness from the trace: from now on its observations are not reliable."""
        if not self._probes:
            self._doubted |= witness

    def guest(self, events: Sequence[Event], published: Sequence[Published] = ()) -> None:
        """Take the guest's events, and what each PUBLISH is about; the next look records them."""
        self.acts += 1
        self._pending.add(events, published)

    def _write_pending(self, dequeues: Sequence[Dequeue | Hold]) -> None:
        """Record the guest's events and the dequeues observed since.

        Dequeues and used entries of rings that a reset ended are placed before the reset. So a
        device that writes such an entry after the reset and before this look is not caught, but a
        device that correctly finishes its requests during the reset is not blamed.
        """
        self._turn += 1
        events = self._pending.take_events()
        left = list(dequeues)
        for event in events:
            if event.kind in _ENDS:
                self._take(left)
                left.clear()
                # Only these lives cannot have had a dequeue since `dequeues` was read.
                over = event.kind == RESET_RET
                lives = [life for life in self._live.values() if over or life.queue == event.queue]
                self._pushes(lives, [life.view.new_used() for life in lives])
            self._note(event)
        self._take(left)
        if self._code in _BUILDS and not any(event.kind == PUBLISH for event in events):
            for life in self._ended:  # the ring was full: the slot may have been written
                life.forget(())

    def _note(self, event: Event) -> None:
        kind = event.kind
        _, _, actor, queue, flag, head, request, _, *rest = event
        self.events.append(
            Event(self._turn, kind, actor, queue, flag, head, request, self._epoch, *rest)
        )
        if kind == FEATURES:
            self._queues = self._config.queues if event.value >> F_MQ & 1 else 1
            self.featureless = not event.value and not event.flag
        elif kind == DRIVER_INIT and event.flag:
            self._packed = event.length == 1
            for queue in range(self._queues):
                self._set_up(queue)
        elif kind == RESET_RET:
            self._end_lives(int(Frame.RESET))
        elif kind == QUEUE_RESET:
            self._end_life(event.queue, event.path)
            self._set_up(event.queue)
        elif kind == HOSTILE:
            if event.queue in self._live:
                self._live[event.queue].hostile = True
            # After broken ring contents a device may refuse everything until a reset (2.1.2).
            self._add(BROKEN, ActorId.VCPU)
        elif kind == PUBLISH:
            self._published(event.queue, self._pending.take_published())

    def _published(self, queue: int, published: Published) -> None:
        """Follow the driver; after a system reset, unnoticed by it, it goes on with old rings."""
        for ended in self._ended:
            ended.forget(published.writable)
        if queue in self._live:
            self._live[queue].publish(published)

    def _set_up(self, queue: int) -> None:
        """Begin a life in the other bank, as `driver.guest.GuestQueue.start` does."""
        self._banks[queue] ^= 1
        bank = self._banks[queue]
        view = view_of(self._memory, self._config, queue, bank, packed=self._packed)
        # Earlier rings at the same place are gone: the driver has zeroed them.
        at = view.layout.desc
        self._ended = [life for life in self._ended if life.view.layout.desc != at]
        self._live[queue] = Life(self._memory, self._config, queue, self._epoch, view)

    def _end_lives(self, path: int) -> None:
        for queue in list(self._live):
            self._end_life(queue, path)
        self._epoch += 1
        self.featureless = False

    def _end_life(self, queue: int, path: int) -> None:
        life = self._live.pop(queue, None)
        if life is not None:
            if life.owned:  # a later push may belong to one of these or to a new request
                self.doubt(Witness.DISK)
            for head in life.end(path):
                self._outliving.add(queue, head, path)
            self._ended.append(life)

    # --- What is observed of the device -------------------------------------------------------

    def look(self, dequeues: Callable[[], Sequence[Dequeue | Hold]]) -> bool:
        """Record what is observed since the last look; return whether there was anything.

        Args:
            dequeues: returns the dequeues that the exact witness observed. It is called after the
                rings are read, because a push comes after its dequeue.
        """
        if self.blind:
            return False
        before = len(self.events)
        if self._pending.events:
            self._write_pending(dequeues())
        self._turn += 1
        lives = [*self._live.values(), *self._ended]
        used = [life.view.new_used() for life in lives]
        self._take(dequeues())
        self._pushes(lives, used)
        for life in self._ended:
            for serial in life.written():
                self._effect(MEMWRITE, life, serial, 0, 0)
        if len(self.events) > before:
            return True
        self._turn -= 1
        return False

    def _pushes(self, lives: Sequence[Life], used: Sequence[list[tuple[int, int]]]) -> None:
        for life, entries in zip(lives, used, strict=True):
            for place, (head, length) in enumerate(entries, 1):
                self._push(life, head, life.view.used - len(entries) + place, length)

    def _take(self, dequeues: Sequence[Dequeue | Hold]) -> None:
        for each in dequeues:
            if isinstance(each, Hold):
                self._add(each.kind, each.actor, **each.fields)
            elif life := self._live.get(each.queue) or self._last_life(each.queue):
                self._pop(life, each.actor)

    def _last_life(self, queue: int) -> Life | None:
        return next((life for life in reversed(self._ended) if life.queue == queue), None)

    def _pop(self, life: Life, actor: int) -> None:
        self._serial += 1
        request = life.take(self._serial)
        if self.direct:
            self._add(HANDLER, actor, queue=life.queue, flag=1)
        self._add(
            POP,
            actor,
            queue=life.queue,
            head=request.published.head,
            request=self._serial,
            epoch=life.epoch,
            value=life.taken,
            length=request.published.span,
        )
        if self.direct:
            self._add(HANDLER_END, actor, queue=life.queue)

    def _pop_unseen(self, life: Life) -> None:
        """Record a dequeue of which no more is known than that it was before now."""
        before, at = len(self.events), self._suspended
        self._pop(life, ActorId.MAIN)
        if at:
            turn = self.events[at - 1].turn
            moved = [event._replace(turn=turn) for event in self.events[before:]]
            del self.events[before:]
            self.events[at:at] = moved
            self._suspended += len(moved)

    def _push(self, life: Life, head: int, used: int, length: int) -> None:
        if not self._exact_pops:
            while head not in life.owned and life.waiting(head):
                self._pop_unseen(life)
        request = life.owned.pop(head, None)
        if request is None and life.hostile:
            return
        serial, status = (request.serial, life.status(request)) if request else (0, 0)
        if status:  # the backend may have failed the request; that cannot be observed
            self._add(IO_DONE, ActorId.HARNESS, request=serial, flag=1, epoch=life.epoch)
        self._effect(PUSH, life, serial, head & 0xFFFF, used & 0xFFFF, status, length)

    def _effect(  # noqa: PLR0913 -- a field of the event each
        self,
        kind: int,
        life: Life,
        serial: int,
        head: int,
        value: int,
        flag: int = 0,
        length: int = 0,
    ) -> None:
        path = life.ended_by or self._cause
        if not life.ended_by and not serial:  # no request of these rings has this head
            path = self._outliving.ended_by(life.queue, head, length) or path
        self._add(
            kind,
            ActorId.MAIN,
            queue=life.queue,
            head=head,
            request=serial,
            epoch=life.epoch,
            value=value,
            flag=flag,
            path=path,
            length=length,
        )

    @property
    def _cause(self) -> int:
        """Path of what is observed now."""
        return int(Frame.VM_STOP) if self._suspended else self._causes.path

    @property
    def starts_handlers(self) -> bool:
        """Whether the current operation makes a device read its queues without a kick."""
        return self._code in _STARTS

    @property
    def idle(self) -> bool:
        """Whether all published requests have a used entry in memory now."""
        return all(
            life.idle(self._pending.published_in(life.queue)) for life in self._live.values()
        )

    @property
    def over(self) -> bool:
        """Whether the handlers have ended, too: each queue that is used asks for kicks again."""
        new, event_idx = self._pending.published_in, self._config.event_idx
        views = [(life.view, new(queue)) for queue, life in self._live.items()]
        return self.idle and all(one.asks_for_kicks(at, event_idx=event_idx) for one, at in views)

    # --- The end ------------------------------------------------------------------------------

    def trace(self, witnesses: Witness, report: str = "", fault: Fault | None = None) -> Trace:
        """Return the trace.

        Raises:
            TraceOverflow: there were more than `TRACE_EVENTS_MAX` events.
        """
        if self._dropped:
            raise TraceOverflow(f"{self._dropped} events too many: no verdict")
        known = witnesses & ~self._doubted
        return Trace(tuple(self.events), self._turn, witnesses=known, report=report, fault=fault)

    def _add(self, kind: int, actor: int, **fields: int) -> None:
        if len(self.events) >= TRACE_EVENTS_MAX:
            self._dropped += 1
            return
        fields.setdefault("queue", NO_QUEUE)
        fields.setdefault("epoch", self._epoch)
        fields.setdefault("path", self._cause if kind in _CAUSED else 0)
        self.events.append(Event(self._turn, int(kind), int(actor), **fields))


_ENDS: Final = frozenset({RESET_RET, QUEUE_RESET})
_BUILDS: Final = frozenset(CODES[name] for name in ("publish", "publish_kick", "hostile"))
"""Operations that write a request into a slot."""
_STARTS: Final = frozenset(CODES[name] for name in ("init", "cont", "restore"))
"""QEMU's virtio_blk_data_plane_start kicks each queue itself, in case it missed a kick."""
_CAUSED: Final = frozenset({POP, PUSH, MEMWRITE})
