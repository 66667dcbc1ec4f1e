"""The recorder: makes the trace of a scenario on a real device.

Three kinds of events come together here, in the order in which they are known to have happened:

* what the guest process did (`guest`), with turn and epoch set here;
* what operator, backend and harness do (`operation`, `tell`);
* what witnesses saw (`look`): dequeues, used entries and writes, in shared memory (`ring_watch`)
  and by whatever exact means the target has.

A witnessed event stands behind everything that was before it and before everything that came
after the look. Its path is the operation that it was seen in: all that the outside knows of causes.
Of a request that outlives a reset it is that reset, whenever it shows: one bug, one signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.targets.ring_watch import Life
from vblkfuzz.trace.event import NO_QUEUE, ActorId, Event, Frame
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRIVER_INIT,
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
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory


class Dequeue(NamedTuple):
    """A dequeue that an exact witness saw."""

    queue: int
    actor: int
    """The thread, an `ActorId`."""


_PATHS: Final = tuple(int(Frame[spec.frame.upper()]) if spec.frame else 0 for spec in OPS)
"""Causal path of what happens during an operation, by code."""


class Recorder:
    """The trace of one scenario, while it is being made."""

    def __init__(self, memory: GuestMemory, config: DeviceConfig, *, exact_pops: bool) -> None:
        self._memory = memory
        self._config = config
        self._exact_pops = exact_pops
        self._events: list[Event] = []
        self._pending: list[Event] = []
        self._dropped = 0
        self._code = 0
        """Of the operation that is going on."""
        self._doubted = Witness(0)
        self._turn = 0
        self._epoch = 0
        self._path = 0
        self._serial = 0
        self.acts = 0
        """How often anybody has acted on the device: between two acts, still stays still."""
        self.blind = False
        """The guest is doing something and has not told what: nobody looks at the device."""
        self._banks = [1] * config.queues
        """As `driver.guest.GuestQueue.bank`."""
        self._live: dict[int, Life] = {}
        self._ended: list[Life] = []
        self._outliving: dict[tuple[int, int], list[int]] = {}
        """Paths of the resets, by queue and head, of requests that were not done by then."""

    # --- What is done to the device -----------------------------------------------------------

    def operation(self, index: int, code: int, *, epilogue: bool = False) -> None:
        """Operation `index` starts. Before it, the last one is looked at."""
        self._turn += 1
        self.acts += 1
        self._code, self._path = code, _PATHS[code]
        self._add(OP, ActorId.HARNESS, flag=code, head=int(epilogue), value=index)

    def tell(self, kind: int, actor: ActorId = ActorId.MAIN, **fields: int) -> None:
        """Write an event of operator or harness."""
        self._turn += 1
        self._add(kind, actor, **fields)
        if kind == RESET_RET:
            self._end_lives()

    def doubt(self, witness: Witness) -> None:
        """Something happened of which this witness can tell nothing: it says nothing any more."""
        self._doubted |= witness

    def guest(self, events: Sequence[Event]) -> None:
        """Take what the guest did; the next look writes it."""
        self.acts += 1
        self._pending.extend(events)

    def _write_pending(self, dequeues: Sequence[Dequeue]) -> None:
        """Write what the guest did and the dequeues that were seen since.

        Dequeues and used entries of rings that a reset ended stand before it. A device that wrote
        such an entry just after it, before this look, is not caught; one that was asked to wait
        for its requests and did so is not accused.
        """
        self._turn += 1
        events, self._pending = self._pending, []
        left = list(dequeues)
        for event in events:
            if event.kind in _ENDS:
                self._take(left)
                left.clear()
                # Only of these nothing can have been dequeued since the dequeues were asked for.
                over = event.kind == RESET_RET
                self._used(
                    [life for life in self._live.values() if over or life.queue == event.queue]
                )
            self._note(event)
        self._take(left)
        if self._code in _BUILDS and not any(event.kind == PUBLISH for event in events):
            for life in self._ended:  # the ring was full: the slot may have been written
                life.forget(())

    def _note(self, event: Event) -> None:
        kind = event.kind
        # Not _replace: it takes four times as long.
        _, _, actor, queue, flag, head, request, _, value, path = event
        self._events.append(
            Event(self._turn, kind, actor, queue, flag, head, request, self._epoch, value, path)
        )
        if kind == DRIVER_INIT and event.flag:
            for queue in range(self._config.queues):
                self._set_up(queue)
        elif kind == RESET_RET:
            self._end_lives()
        elif kind == QUEUE_RESET:
            self._end_life(event.queue, Frame.QUEUE_RESET)
            self._set_up(event.queue)
        elif kind == HOSTILE:
            if event.queue in self._live:
                self._live[event.queue].hostile = True
            # Broken contents allow the device to refuse everything until a reset (2.1.2).
            self._add(BROKEN, ActorId.VCPU)
        elif kind == PUBLISH:
            self._published(event)

    def _published(self, event: Event) -> None:
        """Follow the driver; it is not told of a system reset, and goes on with its old rings."""
        live = self._live.get(event.queue)
        life = live or self._last_life(event.queue)
        if life is None:
            return
        writable = life.writable(event.head)
        for ended in self._ended:
            ended.forget(writable)
        if live is not None:
            live.publish(event.head)

    def _set_up(self, queue: int) -> None:
        """As `driver.guest.GuestQueue.start`: the rings of the other bank."""
        self._banks[queue] ^= 1
        layout = ring_layout(queue, self._config.queue_size, self._banks[queue])
        # Rings that lay there before are gone: the driver has zeroed them.
        self._ended = [life for life in self._ended if life.layout != layout]
        self._live[queue] = Life(self._memory, queue, self._epoch, layout, self._config.first_index)

    def _end_lives(self) -> None:
        for queue in list(self._live):
            self._end_life(queue, Frame.RESET)
        self._epoch += 1

    def _end_life(self, queue: int, path: Frame) -> None:
        life = self._live.pop(queue, None)
        if life is not None:
            if life.owned:  # a push may be of one of these, or of a later one with the same head
                self.doubt(Witness.DISK)
            for head in life.end(int(path)):
                self._outliving.setdefault((queue, head), []).append(int(path))
            self._ended.append(life)

    # --- What is seen of the device -----------------------------------------------------------

    def look(self, dequeues: Callable[[], Sequence[Dequeue]]) -> bool:
        """Write what has been seen since the last look; return whether there was anything.

        Args:
            dequeues: returns what the exact witness saw. Asked after the rings are read, because
                a push comes after its dequeue.
        """
        if self.blind:
            return False
        before = len(self._events)
        if self._pending:
            self._write_pending(dequeues())
        self._turn += 1
        lives = [*self._live.values(), *self._ended]
        used = [life.new_used() for life in lives]
        self._take(dequeues())
        self._pushes(lives, used)
        for life in self._ended:
            for serial in life.written():
                self._effect(MEMWRITE, life, serial, 0, 0)
        if len(self._events) > before:
            return True
        self._turn -= 1
        return False

    def _used(self, lives: Sequence[Life]) -> None:
        """Write the used entries that are new; their dequeues have been written."""
        self._pushes(lives, [life.new_used() for life in lives])

    def _pushes(self, lives: Sequence[Life], used: Sequence[list[int]]) -> None:
        for life, heads in zip(lives, used, strict=True):
            for place, head in enumerate(heads, 1):
                self._push(life, head, life.used - len(heads) + place)

    def _take(self, dequeues: Sequence[Dequeue]) -> None:
        for queue, actor in dequeues:
            life = self._live.get(queue) or self._last_life(queue)
            if life is not None:
                self._pop(life, actor)

    def _last_life(self, queue: int) -> Life | None:
        return next((life for life in reversed(self._ended) if life.queue == queue), None)

    def _pop(self, life: Life, actor: int) -> None:
        self._serial += 1
        request = life.take(self._serial)
        direct = not self._config.ioeventfd
        if direct:
            self._add(HANDLER, actor, queue=life.queue, flag=1)
        self._add(
            POP,
            actor,
            queue=life.queue,
            head=request.published.head,
            request=self._serial,
            epoch=life.epoch,
            value=life.taken,
        )
        if direct:
            self._add(HANDLER_END, actor, queue=life.queue)

    def _push(self, life: Life, head: int, used: int) -> None:
        if not self._exact_pops:
            while head not in life.owned and life.waiting(head):
                self._pop(life, ActorId.MAIN)
        request = life.owned.pop(head, None)
        if request is None and life.hostile:
            return
        serial, status = (request.serial, life.status(request)) if request else (0, 0)
        if status:  # what the backend has done is not known, but that it may have failed
            self._add(IO_DONE, ActorId.HARNESS, request=serial, flag=1, epoch=life.epoch)
        self._effect(PUSH, life, serial, head & 0xFFFF, used & 0xFFFF, status)

    def _effect(  # a field of the event each
        self, kind: int, life: Life, serial: int, head: int, value: int, flag: int = 0
    ) -> None:
        path = life.ended_by or self._path
        if not life.ended_by and not serial:  # of nobody who is known in these rings
            resets = self._outliving.get((life.queue, head), [])
            path = resets.pop(0) if resets else path
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
        )

    @property
    def starts_handlers(self) -> bool:
        """Whether the operation that goes on makes a device look at its queues without a kick."""
        return self._code in _STARTS

    @property
    def idle(self) -> bool:
        """Whether everything that the driver has published is used, as memory says now."""
        new = [event.queue for event in self._pending if event.kind == PUBLISH]
        return all(life.idle(new.count(queue)) for queue, life in self._live.items())

    # --- The end ------------------------------------------------------------------------------

    def trace(self, witnesses: Witness, report: str = "") -> Trace:
        """Return what has been written.

        Raises:
            TraceOverflow: it was too much.
        """
        if self._dropped:
            raise TraceOverflow(f"{self._dropped} events too many: no verdict")
        known = witnesses & ~self._doubted
        return Trace(tuple(self._events), self._turn, witnesses=known, report=report)

    def _add(self, kind: int, actor: int, **fields: int) -> None:
        if len(self._events) >= TRACE_EVENTS_MAX:
            self._dropped += 1
            return
        fields.setdefault("queue", NO_QUEUE)
        fields.setdefault("epoch", self._epoch)
        fields.setdefault("path", self._path if kind in _CAUSED else 0)
        self._events.append(Event(self._turn, int(kind), int(actor), **fields))


_ENDS: Final = frozenset({RESET_RET, QUEUE_RESET})
_BUILDS: Final = frozenset(CODES[name] for name in ("publish", "publish_kick", "hostile"))
"""Operations that write a request into a slot."""
_STARTS: Final = frozenset(CODES[name] for name in ("init", "cont"))
"""QEMU's virtio_blk_data_plane_start kicks each queue itself, in case it has missed something."""
_CAUSED: Final = frozenset({POP, PUSH, MEMWRITE})
