"""When stores are delayed, and when they become visible."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.schedule.delay import DelayingTurnstile
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED, STORES_SEEN
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.store_buffer import HEAD_BYTES, StoreBuffer

SIZE = 64
Step = Callable[[], None]


class Actor:
    """Runs one step a point."""

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self.blocked = False
        self.interrupted = False
        self.wakes: Callable[[], bool] = lambda: True

    def ready(self) -> bool:
        return bool(self.steps) and not self.blocked and self.wakes()

    def resume(self, budget: int, turn: int) -> int:
        used = 0
        while self.steps and used < budget and not self.blocked:
            self.steps.popleft()()
            used += 1
        return used

    def assign(self, index: int) -> None:
        """Do nothing: the test has queued the steps."""

    def rest(self) -> None:
        """Do nothing: this guest has no queues."""


class Play:
    """A guest, a vCPU, a main loop and an IOThread over one memory."""

    def __init__(self, *schedule: Deviation, ops: int = 2) -> None:
        self.memory = GuestMemory(memoryview(bytearray(SIZE)))
        self.stores = StoreBuffer(self.memory, memoryview(bytearray(HEAD_BYTES + SIZE)))
        self.ring = TraceRing(memoryview(bytearray(RING_BYTES)))
        self.guest, self.vcpu, self.main, self.io0 = Actor(), Actor(), Actor(), Actor()
        self.threads = [self.vcpu, self.main, self.io0]
        self.begins: deque[Step] = deque()
        scenario = Scenario(ops=(op("hold"),) * ops, schedule=schedule)
        self.turnstile = DelayingTurnstile(scenario, self, self.guest, self.ring, self.stores)
        self.looks: list[int] = []

    def perform(self, operation: Op) -> None:
        if self.begins:
            self.begins.popleft()()

    def unfinished(self) -> Op | None:
        return None

    def show_settled(self, ops: Sequence[Op]) -> None:
        """Do nothing: there is no disk."""

    def exit_pending(self) -> bool:
        return False

    def in_flight(self) -> int:
        return 0

    def store(self, value: int = 1) -> None:
        self.memory.bytes[0] = value

    def look(self) -> None:
        self.looks.append(self.memory.bytes[0])

    def run(self) -> list[int]:
        self.turnstile.run()
        assert self.memory.bytes[0] == 1, "a store was lost"
        return self.looks

    def emitted(self) -> list[tuple[int, int]]:
        kinds = (STORES_DELAYED, STORES_SEEN)
        return [(each.kind, each.actor) for each in self.ring.read() if each.kind in kinds]


def idle() -> None:
    pass


DELAY = Deviation(0, 2, Go.NEXT, delayed=True)


def test_the_next_operation_does_not_see_the_store() -> None:
    play = Play(DELAY)
    play.io0.steps.extend([idle, play.store, idle, idle])
    play.begins.extend([idle, lambda: play.guest.steps.extend([play.look, play.look])])
    play.guest.steps.clear()
    assert play.run() == [0, 0]
    assert play.emitted() == [
        (STORES_DELAYED, ActorId.IO0),
        (STORES_SEEN, ActorId.IO0),
    ]


def test_the_storing_actor_sees_its_store() -> None:
    play = Play(DELAY)
    play.io0.steps.extend([idle, play.store, play.look])
    assert play.run() == [1]


def test_without_a_delaying_deviation_a_store_is_visible_at_once() -> None:
    play = Play(Deviation(0, 2, Go.NEXT), Deviation(1, 9, Go.NEXT, delayed=True))
    play.io0.steps.extend([idle, play.store, idle])
    play.begins.extend([idle, lambda: play.guest.steps.extend([play.look])])
    assert play.run() == [1]
    assert play.emitted() == []


def test_a_barrier_makes_stores_visible() -> None:
    play = Play(DELAY)

    def store_and_order() -> None:
        play.store()
        play.memory.barrier()

    play.io0.steps.extend([idle, store_and_order, idle])
    play.begins.extend([idle, lambda: play.guest.steps.extend([play.look])])
    assert play.run() == [1]
    assert play.emitted() == []


def test_stores_of_earlier_turns_are_visible() -> None:
    """A turn that ends without a delaying deviation empties the buffer."""
    play = Play(Deviation(0, 1, Go.NEXT), Deviation(1, 1, Go.NEXT, delayed=True), ops=3)
    play.io0.steps.extend([play.store, idle, idle])
    play.begins.extend([idle, idle, lambda: play.guest.steps.extend([play.look])])
    assert play.run() == [1]


def test_when_an_actor_goes_on_its_stores_become_visible() -> None:
    play = Play(DELAY, Deviation(1, 2, Go.GUEST), ops=2)
    play.io0.steps.extend([idle, play.store, idle, idle, idle])
    play.begins.extend([idle, lambda: play.vcpu.steps.extend([play.look])])

    def wake() -> None:
        play.guest.steps.append(play.look)

    play.io0.steps[2] = wake
    assert play.run() == [0, 1]


def test_a_waiting_actor_hides_nothing() -> None:
    play = Play(DELAY)

    def store_and_sleep() -> None:
        play.store()
        play.io0.blocked = True

    play.io0.steps.extend([idle, store_and_sleep, idle])
    play.begins.extend([idle, lambda: play.guest.steps.extend([play.look])])
    assert play.run() == [1]


def test_an_actor_without_work_hides_nothing() -> None:
    play = Play(DELAY)
    play.io0.steps.extend([idle, play.store])
    play.begins.extend([idle, lambda: play.guest.steps.extend([play.look])])
    assert play.run() == [1]


def test_when_no_actor_is_ready_all_stores_become_visible() -> None:
    """An actor that waits for a hidden store, such as a poll loop, then goes on."""
    play = Play(DELAY)
    play.io0.steps.extend([idle, play.store, idle])

    def fall_asleep() -> None:
        play.io0.blocked = True
        play.main.steps.append(play.look)
        play.main.wakes = lambda: play.memory.bytes[0] == 1

    play.begins.extend([idle, fall_asleep])
    assert play.run() == [1]


def test_stores_of_two_actors_may_be_hidden_at_once() -> None:
    play = Play(DELAY, Deviation(1, 1, Go.NEXT, delayed=True), ops=3)

    def store_beside() -> None:
        play.memory.bytes[1] = 7
        play.look()

    play.io0.steps.extend([idle, play.store, idle])
    play.begins.extend(
        [
            idle,
            lambda: play.vcpu.steps.extend([store_beside, idle]),
            lambda: play.guest.steps.extend(
                [play.look, lambda: play.looks.append(play.memory.bytes[1])]
            ),
        ]
    )
    assert play.run() == [0, 0, 0]
    assert play.memory.bytes[1] == 7
