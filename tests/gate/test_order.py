"""Whose turn it is, and that no thread is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vblkfuzz.gate.line import Line
from vblkfuzz.gate.listener import Stop
from vblkfuzz.gate.order import MOST_IN_A_ROW, Held, Order, Waiting
from vblkfuzz.scenario.scenario import Deviation, Go, Role

ROLES = (Role.MAIN, Role.IO0, Role.IO1, Role.VCPU, Role.MONITOR, Role.WORKER)
"""In the order in which they get the turn."""
THREADS = dict(enumerate((*ROLES, Role.WORKER), start=100))
GOES = {Go.MAIN: Role.MAIN, Go.IO0: Role.IO0, Go.IO1: Role.IO1, Go.NEXT: None}


def waiting(thread: int, cookie: int = 0) -> Waiting:
    return Waiting(Stop(cookie, thread, 0, 9), THREADS[thread], Line("x"))


class Gates(RuleBasedStateMachine):
    """Threads that run, ask, wait and are held in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.order = Order()
        self.running = set(THREADS)
        self.waits: dict[int, Waiting] = {}
        self.held: dict[int, Go] = {}
        self.cookie = 0

    def ask(self, thread: int) -> Waiting:
        self.cookie += 1
        return waiting(thread, self.cookie)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_thread_arrives(self, data: st.DataObject) -> None:
        thread = data.draw(st.sampled_from(sorted(self.running)))
        free = self.order.turn is None and not self.waits
        own = self.order.turn == thread
        asked = self.ask(thread)
        assert (self.order.arrive(asked) is not None) == (free or own)
        if free or own:
            assert self.order.turn == thread
            if data.draw(st.booleans()):
                self.hold(data, asked)
        else:
            self.running.remove(thread)
            self.waits[thread] = asked

    def hold(self, data: st.DataObject, asked: Waiting) -> None:
        go = data.draw(st.sampled_from(sorted(GOES)))
        self.order.hold(Held(asked, len(self.held), Deviation(0, 0, go, role=asked.role)))
        self.running.discard(asked.stop.thread)
        self.held[asked.stop.thread] = go

    @precondition(lambda self: self.waits)
    @rule(data=st.data())
    def the_next_one_goes_on(self, data: st.DataObject) -> None:
        named = {GOES[go] for go in self.held.values()}

        def rank(thread: int) -> tuple[bool, int, int]:
            role = THREADS[thread]
            return role not in named, ROLES.index(role), thread

        chosen = self.order.next()
        thread = chosen.stop.thread
        assert thread == min(self.waits, key=rank)
        assert chosen == self.waits.pop(thread)
        assert self.order.turn == thread
        if data.draw(st.booleans()):
            self.hold(data, chosen)
        else:
            self.running.add(thread)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def a_held_one_goes_on(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.order.held))
        before = self.order.turn
        thread = self.order.resume(held).stop.thread
        assert self.order.turn == (thread if before is None else before)
        del self.held[thread]
        self.running.add(thread)

    @precondition(lambda self: self.waits or self.held)
    @rule(data=st.data())
    def one_asks_again(self, data: st.DataObject) -> None:
        thread = data.draw(st.sampled_from(sorted({*self.waits, *self.held})))
        asked = self.ask(thread)
        assert self.order.arrive_again(asked.stop)
        if thread in self.waits:
            self.waits[thread] = asked
        else:
            assert asked.stop in [held.waiting.stop for held in self.order.held]

    @rule(thread=st.sampled_from(sorted(THREADS)))
    def one_that_runs_does_not_ask_again(self, thread: int) -> None:
        if thread in self.running:
            assert not self.order.arrive_again(self.ask(thread).stop)

    @rule()
    def the_turn_ends(self) -> None:
        self.order.turn = None

    @rule()
    def all_go_on(self) -> None:
        drained = [each.stop.thread for each in self.order.drain()]
        assert sorted(drained) == sorted({*self.waits, *self.held})
        self.running = set(THREADS)
        self.waits.clear()
        self.held.clear()
        assert self.order.turn is None

    @invariant()
    def each_thread_runs_or_waits_or_is_held(self) -> None:
        held = [each.waiting.stop.thread for each in self.order.held]
        assert held == list(self.held)
        assert self.order.waits == bool(self.waits)
        assert sorted([*self.running, *self.waits, *held]) == sorted(THREADS)


TestGates = Gates.TestCase
TestGates.settings = settings(max_examples=30, stateful_step_count=30)


def test_which_ones_are_held_over_the_next_operation() -> None:
    over = {go for go in Go if Held(waiting(100), 0, Deviation(0, 0, go)).over_next}
    assert over == set(Go) - {Go.MAIN, Go.IO0, Go.IO1}


@settings(max_examples=20)
@given(st.permutations(sorted(THREADS)))
def test_the_order_of_those_that_wait_does_not_depend_on_when_they_came(threads: list[int]) -> None:
    order = Order()
    order.turn = 1
    for thread in threads:
        assert order.arrive(waiting(thread)) is None
    assert [order.next().stop.thread for _ in threads] == sorted(THREADS)


def test_a_thread_that_passes_points_for_ever_lets_another_one_go_on() -> None:
    order = Order()
    assert order.arrive(waiting(100))
    assert order.arrive(waiting(105)) is None
    passed = 1
    while order.arrive(waiting(100)):
        passed += 1
    assert passed == MOST_IN_A_ROW + 1
    assert [order.next().stop.thread for _ in range(2)] == [105, 100]
