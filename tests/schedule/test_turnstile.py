from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given

from tests.strategies import scenarios
from vblkfuzz.limits import MAX_EPILOGUE, MAX_STEPS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.schedule.turnstile import Turnstile
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import END, OP, STEP_LIMIT
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

ENDLESS = 10 * MAX_STEPS


class Actor:
    """An actor with a queue of work items; each item is its length in points."""

    def __init__(self, name: str, log: list[str], *work: int) -> None:
        self.name = name
        self.work: deque[int] = deque(work)
        self.blocked = False
        self.on_end: Callable[[], None] = lambda: None
        self.turns: list[int] = []
        self.interrupted = False
        self._log = log

    def ready(self) -> bool:
        return bool(self.work) and not self.blocked

    def resume(self, budget: int, turn: int) -> int:
        assert budget > 0
        self.turns.append(turn)
        used = min(budget, self.work[0])
        self.work[0] -= used
        self.interrupted = used == budget and self.work[0] > 0
        self._log.append(f"{self.name} {used}")
        if not self.work[0]:
            self.work.popleft()
            self.on_end()
        return used


class Guest(Actor):
    """A guest whose operations take three points each."""

    def __init__(self, log: list[str]) -> None:
        super().__init__("guest", log)
        self.assigned: list[int] = []
        self.collects = False  # whether it has anything to do when all has settled

    def assign(self, index: int) -> None:
        self.assigned.append(index)
        self.work.append(3)

    def rest(self) -> None:
        if self.collects:
            self.work.append(4)


class World:
    """A vCPU, a main loop and two IOThreads. An operation takes the main loop two points."""

    def __init__(self, log: list[str]) -> None:
        self.vcpu, self.main, self.io0, self.io1 = (
            Actor(name, log) for name in ("vcpu", "main", "io0", "io1")
        )
        self.performed: list[str] = []
        self.rest: deque[str] = deque()
        """Names of the operations that are still needed to come to rest."""
        self.never_ends = False

    @property
    def threads(self) -> list[Actor]:
        return [self.vcpu, self.main, self.io0, self.io1]

    def perform(self, operation: Op) -> None:
        self.performed.append(operation.name)
        self.main.work.append(2)
        if self.rest and not self.never_ends and operation.name == self.rest[0]:
            self.rest.popleft()

    def unfinished(self) -> Op | None:
        return op(self.rest[0]) if self.rest else None

    def show_settled(self, ops: Sequence[Op]) -> None: ...

    exit_pending = staticmethod(bool)  # it is not

    def in_flight(self) -> int:
        return 7


class Play:
    """One execution with a fake guest and a fake world."""

    def __init__(self, ops: Iterable[str], *schedule: tuple[int, int, Go]) -> None:
        self.log: list[str] = []
        self.guest, self.world = Guest(self.log), World(self.log)
        self.ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        self.scenario = Scenario(
            ops=tuple(op(name) for name in ops),
            schedule=tuple(Deviation(*each) for each in schedule),
        )
        self.turnstile = Turnstile(self.scenario, self.world, self.guest, self.ring)

    def run(self) -> list[str]:
        self.turnstile.run()
        return self.log

    def kinds(self) -> list[int]:
        return [event.kind for event in self.ring.read()]

    def ops(self, *, epilogue: bool = False) -> list[str]:
        events = [event for event in self.ring.read() if event.kind == OP]
        return [OPS[event.flag].name for event in events if event.head == epilogue]


# --- Default policy ---------------------------------------------------------------------------


def test_an_operation_runs_to_its_end_and_all_actors_settle() -> None:
    play = Play(["kick", "stop", "kick"])
    play.guest.on_end = lambda: play.world.io0.work.append(5)
    assert play.run() == ["guest 3", "io0 5", "main 2", "guest 3", "io0 5"]
    assert play.ops() == ["kick", "stop", "kick"]
    assert play.turnstile.steps == 18


def test_ready_actors_go_on_in_a_fixed_order() -> None:
    play = Play(["kick"])
    for actor in reversed(play.world.threads):
        actor.work.append(1)
    assert play.run() == ["guest 3", "vcpu 1", "main 1", "io0 1", "io1 1"]


def test_guest_operations_go_to_the_guest_all_others_to_the_world() -> None:
    play = Play(["kick", "stop", "hold", "poll_on", "init"])
    play.run()
    assert play.guest.assigned == [0, 4]
    assert play.world.performed == ["stop", "hold", "poll_on"]


def test_every_turn_has_a_number_of_its_own() -> None:
    play = Play(["kick", "stop", "kick"])
    play.run()
    assert (play.guest.turns, play.world.main.turns) == ([1, 3], [2])


def test_the_trace_ends_with_what_is_in_flight() -> None:
    play = Play([])
    play.run()
    (end,) = play.ring.read()
    assert (end.kind, end.value) == (END, 7)


# --- Deviations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("go", "name"), [(Go.VCPU, "vcpu"), (Go.MAIN, "main"), (Go.IO0, "io0"), (Go.IO1, "io1")]
)
def test_a_deviation_goes_on_with_its_actor_once(go: Go, name: str) -> None:
    play = Play(["kick"], (0, 1, go))
    for actor in play.world.threads:
        actor.work.append(1)
    log = play.run()
    assert log[:3] == ["guest 1", f"{name} 1", "guest 2"]
    assert len(log) == 6


def test_a_deviation_to_the_guest_interrupts_a_thread() -> None:
    play = Play(["stop", "kick"], (0, 1, Go.NEXT), (1, 1, Go.MAIN))
    assert play.run() == ["main 1", "guest 1", "main 1", "guest 2"]


def test_next_skips_the_settling() -> None:
    play = Play(["stop", "stop", "kick"], (0, 0, Go.NEXT), (1, 1, Go.NEXT))
    assert play.run() == ["main 1", "guest 3", "main 1", "main 2"]


def test_next_leaves_several_operations_to_the_guest() -> None:
    play = Play(["kick", "kick", "kick"], (0, 0, Go.NEXT), (1, 2, Go.NEXT))
    assert play.run() == ["guest 2", "guest 1", "guest 3", "guest 3"]
    assert play.guest.assigned == [0, 1, 2]


def test_points_are_counted_across_actors() -> None:
    play = Play(["kick"], (0, 5, Go.IO1))
    play.world.vcpu.work.append(4)
    play.world.io1.work.append(1)
    assert play.run() == ["guest 3", "vcpu 2", "io1 1", "vcpu 2"]


def test_points_begin_anew_with_each_operation() -> None:
    play = Play(["kick", "kick"], (1, 1, Go.IO0))
    play.guest.on_end = lambda: play.world.io0.work.append(1)
    assert play.run() == ["guest 3", "io0 1", "guest 1", "guest 2", "io0 1"]


def test_two_deviations_at_neighbouring_points() -> None:
    play = Play(["kick"], (0, 1, Go.IO0), (0, 2, Go.IO1))
    play.world.io0.work.append(4)
    play.world.io1.work.append(1)
    assert play.run() == ["guest 1", "io0 1", "io1 1", "guest 2", "io0 3"]


@pytest.mark.parametrize(
    "deviation",
    [
        (0, 1, Go.IO0),  # has no work
        (0, 200, Go.NEXT),  # never reached
        (5, 0, Go.NEXT),  # no such operation
    ],
)
def test_a_deviation_without_effect_is_ignored(deviation: tuple[int, int, Go]) -> None:
    play = Play(["kick", "stop"], deviation)
    play.run()
    assert sum(int(line.split()[1]) for line in play.log) == 5
    assert play.ops() == ["kick", "stop"]


def test_a_deviation_to_a_thread_that_does_not_exist_is_ignored() -> None:
    play = Play(["kick"], (0, 1, Go.IO1))
    play.turnstile._actors.pop()
    play.turnstile._actors.pop()
    assert play.run() == ["guest 1", "guest 2"]


def test_deviations_do_not_reach_into_the_epilogue() -> None:
    play = Play(["kick"], (0, 40, Go.IO1))
    play.world.rest.append("release")
    play.world.main.on_end = lambda: play.world.io0.work.append(100)
    play.world.io1.blocked = True
    play.world.io1.work.append(1)
    assert play.run() == ["guest 3", "main 2", "io0 100"]


@pytest.mark.parametrize(
    ("deviation", "obeyed"),
    [
        ((0, 1, Go.IO0), [True]),
        ((0, 1, Go.NEXT), [True]),
        ((0, 0, Go.IO0), [True]),
        ((0, 3, Go.IO0), [True]),
        ((0, 4, Go.NEXT), [True]),
        ((0, 1, Go.GUEST), [False]),  # goes on anyway
        ((0, 0, Go.GUEST), [False]),  # is first in the order anyway
        ((0, 1, Go.VCPU), [False]),  # has no work
        ((0, 1, Go.MAIN), [False]),  # has no work
        ((0, 200, Go.NEXT), []),  # never reached
        ((5, 0, Go.NEXT), []),  # no such operation
    ],
)
def test_whether_a_deviation_changed_which_actor_goes_on(
    deviation: tuple[int, int, Go], obeyed: list[bool]
) -> None:
    play = Play(["kick", "kick"], deviation)
    play.world.io0.work.append(1)
    play.run()
    assert play.turnstile.obeyed == obeyed


def test_a_deviation_to_the_interrupted_actor_changes_nothing() -> None:
    play = Play(["stop"], (0, 1, Go.IO0), (0, 2, Go.IO0), (0, 3, Go.MAIN))
    play.world.io0.work.append(5)
    assert play.run() == ["main 1", "io0 1", "io0 1", "main 1", "io0 3"]
    assert play.turnstile.obeyed == [True, False, True]


@pytest.mark.parametrize(
    ("deviation", "actor"),
    [
        ((0, 1, Go.IO0), ActorId.GUEST),  # interrupted
        ((0, 1, Go.NEXT), ActorId.GUEST),
        ((0, 0, Go.IO0), ActorId.GUEST),  # the first in the order
        ((0, 3, Go.NEXT), ActorId.IO0),  # the guest has done its operation
        ((0, 1, Go.GUEST), None),  # nothing changes
    ],
)
def test_which_actor_is_overtaken(deviation: tuple[int, int, Go], actor: ActorId | None) -> None:
    play = Play(["kick", "kick"], deviation)
    play.world.io0.work.append(1)
    play.run()
    assert [who for _, who in play.turnstile.overtaken] == [actor] * (actor is not None)


def test_the_points_of_each_operation() -> None:
    play = Play(["kick", "stop", "kick"], (1, 1, Go.NEXT))
    play.guest.on_end = lambda: play.world.io0.work.append(5)
    play.run()
    assert play.turnstile.points == [8, 1, 9]


# --- Waiting and rest -------------------------------------------------------------------------


def test_when_all_actors_wait_the_next_operation_starts() -> None:
    play = Play(["stop", "kick"])
    play.world.main.blocked = True

    def unblock() -> None:
        play.world.main.blocked = False

    play.guest.on_end = unblock
    assert play.run() == ["guest 3", "main 2"]
    assert play.kinds()[-1] == END


def test_a_main_loop_that_waits_for_ever_does_not_hang() -> None:
    play = Play(["stop", "drain_begin"])
    play.world.main.blocked = True
    play.world.rest.append("drain_end")
    play.world.never_ends = True
    assert play.run() == []
    assert play.ops(epilogue=True) == ["drain_end"]
    assert play.kinds()[-1] == END


def test_the_epilogue_performs_the_unfinished_operations() -> None:
    play = Play(["kick"])
    play.world.rest.extend(["release", "drain_end", "cont"])
    play.run()
    assert play.ops(epilogue=True) == ["release", "drain_end", "cont"]
    assert play.ops() == ["kick"]


def test_last_of_all_the_guest_collects() -> None:
    play = Play(["stop"])
    play.guest.collects = True
    play.world.rest.extend(["release"])
    assert play.run() == ["main 2", "main 2", "guest 4"]
    assert play.ops(epilogue=True) == ["release", "collect"]
    assert play.kinds()[-1] == END


def test_a_guest_that_waits_for_ever_collects_nothing() -> None:
    play = Play(["kick"])
    play.guest.collects = play.guest.blocked = True
    assert play.run() == []
    assert play.ops(epilogue=True) == []


def test_an_epilogue_without_end_ends() -> None:
    play = Play([])
    play.world.rest.append("drain_end")
    play.world.never_ends = True
    play.run()
    assert len(play.ops(epilogue=True)) == MAX_EPILOGUE
    assert play.kinds()[-1] == END


# --- Step limit -------------------------------------------------------------------------------


def test_a_device_that_never_settles_reaches_the_step_limit() -> None:
    play = Play(["kick", "stop"])
    play.world.io0.work.append(ENDLESS)
    play.run()
    assert play.turnstile.steps == MAX_STEPS
    assert play.kinds()[-1] == STEP_LIMIT


def test_the_step_limit_holds_in_the_epilogue_too() -> None:
    play = Play([])
    play.world.rest.append("release")
    play.world.main.on_end = lambda: play.world.io0.work.append(ENDLESS)
    play.run()
    assert play.turnstile.steps == MAX_STEPS
    assert play.kinds()[-1] == STEP_LIMIT


@given(scenarios(max_ops=12))
def test_each_operation_runs_once_and_turns_are_numbered(scenario: Scenario) -> None:
    play = Play([])
    turnstile = Turnstile(scenario, play.world, play.guest, play.ring)
    turnstile.run()
    assert play.ops() == [operation.name for operation in scenario.ops]
    assert turnstile.steps == 3 * len(play.guest.assigned) + 2 * len(play.world.performed)
    assert len(play.guest.assigned) + len(play.world.performed) == len(scenario.ops)
    turns = [turn for actor in (play.guest, *play.world.threads) for turn in actor.turns]
    assert sorted(turns) == list(range(1, len(turns) + 1))


def test_after_a_deviation_the_fixed_order_holds_again() -> None:
    play = Play(["kick"], (0, 1, Go.IO0))
    play.world.io0.work.extend([1, 1])
    assert play.run() == ["guest 1", "io0 1", "guest 2", "io0 1"]


def test_nothing_is_started_after_the_step_limit() -> None:
    play = Play([])
    play.world.rest.extend(["release", "cont"])
    play.world.main.on_end = lambda: play.world.io0.work.append(ENDLESS)
    play.run()
    assert play.ops(epilogue=True) == ["release"]
