"""The drain counters against a naive model: the place of each request, and the depth of drains.

Operations start and go on at any point: a request may be counted but not yet through the gate, a
polling drain may wait while others begin and end, a unit of the IOThread may be half done.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.dataplane.stepping import idle_thread, run
from tests.dataplane.test_block_backend import Device, Node
from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, Wait
from vblkfuzz.scenario.alphabet.backend import PICKS
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET, PARK, PUSH, SUBMIT
from vblkfuzz.trace.ring import TraceRing

COUNTED, SUBMITTED, PARKED = "counted", "submitted", "parked"
IN_FLIGHT = (COUNTED, SUBMITTED)


class TellingDevice(Device):
    """A device that records each completed request in the trace."""

    def __init__(self, ring: TraceRing) -> None:
        super().__init__()
        self._ring = ring

    def complete(self, thread: Thread, request: Request) -> Steps:
        yield POINT
        self._ring.emit(PUSH, thread.actor, request=request.serial)


class Waiting:
    """Code of the main thread that may have to wait."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._wait: Wait = lambda: True
        self.ended = False

    def may_go_on(self) -> bool:
        return self._wait()

    def go_on(self) -> None:
        """Go on as far as possible."""
        for wait in self._steps:
            if wait is not None:
                self._wait = wait
                if not wait():
                    return
        self.ended = True


class DrainMachine(RuleBasedStateMachine):
    """Requests on two queues and two event loops, under nested drains."""

    def __init__(self) -> None:
        super().__init__()
        self.node = Node()
        self.node.backend.holding = True
        self.node.blk.device = self.device = TellingDevice(self.node.ring)
        self.blk, self.main, self.iothread = self.node.blk, self.node.main, self.node.iothread
        self.before_gate: list[Steps] = []
        self.drains: list[Waiting] = []
        self.unit: Steps | None = None
        self.done: list[Request] = []
        self.requests: dict[int, Request] = {}
        # The naive model.
        self.place: dict[int, str] = {}
        self.parked: list[int] = []
        self.depth = 0
        self.callbacks: list[str] = []
        self._events_read = 0

    # --- Requests -----------------------------------------------------------------------------

    @rule(queue=st.integers(0, 1), in_main=st.booleans())
    def submit(self, queue: int, in_main: bool) -> None:
        request = self.node.request(queue)
        request.context = self.main if in_main else self.iothread
        self.requests[request.serial] = request
        steps = self.blk.submit(self.node.thread, request)
        next(steps)
        self.place[request.serial] = COUNTED
        self.before_gate.append(steps)

    @precondition(lambda self: self.before_gate)
    @rule(data=st.data())
    def pass_gate(self, data: st.DataObject) -> None:
        run(self.before_gate.pop(data.draw(st.integers(0, len(self.before_gate) - 1))))
        self.follow()

    @rule(which=st.sampled_from(PICKS), result=st.sampled_from(IoResult))
    def end_io(self, which: str, result: IoResult) -> None:
        self.node.backend.complete(which, result)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        """Submit a request again, as a retry list does."""
        request = self.done.pop(data.draw(st.integers(0, len(self.done) - 1)))
        self.blk.resubmit(request)
        self.place[request.serial] = COUNTED

    @rule(queue=st.none() | st.integers(0, 1))
    def cancel(self, queue: int | None) -> None:
        chosen = None if queue is None else self.node.queues[queue]
        expected = [
            serial
            for serial in self.parked
            if chosen is None or self.requests[serial].queue is chosen
        ]
        assert [request.serial for request in self.blk.cancel_parked(chosen)] == expected
        for serial in expected:
            self.parked.remove(serial)
            del self.place[serial]

    # --- Event loops --------------------------------------------------------------------------

    @rule()
    def step_iothread(self) -> None:
        """Run the IOThread to its next point."""
        if self.unit is None and self.iothread.has_work():
            self.unit = self.iothread.run_once(idle_thread(ActorId.IO0))
        if self.unit is not None and next(self.unit, "end") == "end":
            self.unit = None
        self.follow()

    @precondition(lambda self: not self.drains)
    @rule()
    def turn_main(self) -> None:
        if self.main.has_work():
            run(self.main.run_once(self.node.thread))
        self.follow()

    @rule(busy=st.booleans())
    def handler(self, busy: bool) -> None:
        """Begin or end a handler of the device."""
        self.device.busy = busy

    # --- Drains -------------------------------------------------------------------------------

    @rule(poll=st.booleans())
    def begin(self, poll: bool) -> None:
        """Begin a drain in the main thread, inside the one that may be waiting."""
        drain = Waiting(self.blk.drained_begin(self.node.thread, poll=poll))
        self.drains.append(drain)
        self.go_on()

    @precondition(lambda self: self.drains)
    @rule()
    def go_on(self) -> None:
        while self.drains and self.drains[-1].may_go_on():
            self.drains[-1].go_on()
            self.follow()
            if not self.drains[-1].ended:
                return
            self.drains.pop()

    @precondition(lambda self: self.depth and not self.drains)
    @rule()
    def end(self) -> None:
        run(self.blk.drained_end(self.node.thread))
        self.follow()

    # --- The model ----------------------------------------------------------------------------

    def follow(self) -> None:
        """Check each new event of the trace against the model, then apply it."""
        events = self.node.ring.read()
        for event in events[self._events_read :]:
            self.take(event)
        self._events_read = len(events)

    def take(self, event: Event) -> None:
        kind, serial = event.kind, event.request
        if kind == SUBMIT:
            assert (self.depth, self.place[serial]) == (0, COUNTED)
            self.place[serial] = SUBMITTED
        elif kind == PARK:
            assert self.depth > 0
            assert self.place[serial] == COUNTED
            self.place[serial] = PARKED
            self.parked.append(serial)
        elif kind == PUSH:
            assert self.place.pop(serial) == SUBMITTED
            self.done.append(self.requests[serial])
        elif kind == DRAIN_CALL:
            self.depth += 1
            assert event.value == self.depth
            self.callbacks += ["begin"] * (self.depth == 1)
        elif kind == DRAIN_RET:
            assert event.value == self.in_flight()
            assert event.flag == 0 or not (self.in_flight() or self.device.busy)
        elif kind == DRAIN_END:
            self.depth -= 1
            assert event.value == self.depth
            if self.depth == 0:
                self.callbacks.append("end")
                self.place.update(dict.fromkeys(self.parked, COUNTED))
                self.parked.clear()

    def in_flight(self) -> int:
        return sum(place in IN_FLIGHT for place in self.place.values())

    @invariant()
    def the_counters_are_right(self) -> None:
        assert self.blk.quiesce_counter == self.depth
        assert self.blk.in_drain == (self.depth > 0)
        assert self.blk.in_flight == self.in_flight()
        assert [request.serial for request in self.blk.parked] == self.parked
        assert self.device.log == self.callbacks

    @invariant()
    def no_drain_waits_for_nothing(self) -> None:
        if self.drains and not (self.in_flight() or self.device.busy):
            assert self.drains[-1].may_go_on()

    def teardown(self) -> None:
        """When all is allowed to end, nothing is in flight or parked and no drain is open."""
        self.device.busy = False
        for _ in range(3):  # a request that waited before the gate may still park
            while self.before_gate:
                run(self.before_gate.pop())
            self.rest()
            for _ in range(self.depth):
                self.end()
            self.rest()
        self.the_counters_are_right()
        assert (self.in_flight(), self.parked, self.depth) == (0, [], 0)

    def rest(self) -> None:
        """End all requests of the disk, and run both event loops and all drains."""
        for _ in range(500):
            self.node.backend.release()
            if self.unit or self.iothread.has_work():
                self.step_iothread()
            elif self.drains:
                assert self.drains[-1].may_go_on()
                self.go_on()
            elif self.main.has_work():
                self.turn_main()
            else:
                self.follow()
                return
        raise AssertionError("never at rest")


TestDrainMachine = DrainMachine.TestCase
