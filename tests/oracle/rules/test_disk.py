"""S14 finds nothing on a correct disk, in any order of events, and finds faults of other disks.

The correct disk below has bytes and no history: each write takes effect at a random time between
its pop and its push or reset, or may not take effect if it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import UNTOUCHED, ActorId, Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DISK,
    FLUSHED,
    HOSTILE,
    IO_DONE,
    POP,
    POWER_LOSS,
    PUSH,
    REQUEST,
    RESET_RET,
    SECTOR,
)
from vblkfuzz.trace.trace import Trace

SECTORS = 3
READ, WRITE, FLUSH, DISCARD, CLEAR = 0, 1, 2, 4, 5


class Request:
    def __init__(self, number: int, code: int, sector: int, serial: int) -> None:
        self.number, self.code, self.sector, self.serial = number, code, sector, serial
        self.done = False
        self.failed = False
        self.found = UNTOUCHED


class CorrectDisk:
    """A correct disk: it makes random moves, one at a time, and records their events."""

    codes: tuple[int, ...] = (READ, READ, WRITE, WRITE, FLUSH, DISCARD, CLEAR)
    """Request types; repetition is weight."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.events: list[Event] = []
        self.disk = [0] * SECTORS
        self.flushed = [0] * SECTORS
        self.running: list[Request] = []
        self.requests = 0

    def record(self, kind: int, **fields: int) -> None:
        self.events.append(Event(len(self.events), kind, ActorId.IO0, **fields))

    def start(self) -> None:
        self.requests += 1
        code = self.random.choice(self.codes)
        request = Request(self.requests, code, self.random.randrange(SECTORS), self.requests)
        self.record(REQUEST, queue=0, head=request.number, flag=code, value=request.sector)
        self.record(POP, queue=0, head=request.number, request=request.serial)
        self.running.append(request)

    def work(self) -> None:
        waiting = [request for request in self.running if not request.done]
        if waiting:
            self.do(self.random.choice(waiting))

    def do(self, request: Request) -> None:
        request.done = True
        request.failed = self.random.random() < 0.15
        if request.failed and self.random.random() < 0.5:
            return
        if request.code == READ:
            request.found = self.disk[request.sector]
        elif request.code == WRITE:
            self.disk[request.sector] = request.number
        elif request.code == FLUSH:
            self.flushed = list(self.disk)
        elif request.code == CLEAR:
            self.disk[request.sector] = 0
        elif self.random.random() < 0.75:  # the content of a discarded sector is undetermined
            self.disk[request.sector] = self.random.choice((0, UNTOUCHED - 1))

    def end(self) -> None:
        ready = [request for request in self.running if request.done]
        if not ready:
            return
        request = self.random.choice(ready)
        self.running.remove(request)
        self.record(IO_DONE, queue=0, request=request.serial, flag=request.failed)
        reported = request.failed and self.random.random() < 0.5
        place = {"queue": 0, "head": request.number}
        self.record(PUSH, **place, request=request.serial, flag=reported)
        length = SECTOR_SIZE + 1 if request.code == READ else 1
        self.record(COLLECT, **place, flag=2 * reported, length=length)
        if request.code == READ and not reported:
            self.record(SECTOR, queue=0, head=request.sector, value=request.found)

    def reset(self) -> None:
        for request in list(self.running):
            if not request.done and self.random.random() < 0.5:
                self.do(request)
        self.running.clear()
        self.record(RESET_RET)

    def power_loss(self) -> None:
        self.reset()
        self.disk = list(self.flushed)
        self.record(POWER_LOSS)

    def flush(self) -> None:
        self.flushed = list(self.disk)
        self.record(FLUSHED)

    def show(self) -> None:
        for sector, data in enumerate(self.disk):
            self.record(DISK, head=sector, value=data)

    def run(self, moves: int) -> None:
        often: tuple[Callable[[], None], ...] = (self.start, self.work, self.end) * 15
        for _ in range(moves):
            self.random.choice((*often, *self.rare()))()
        self.show()

    def rare(self) -> tuple[Callable[[], None], ...]:
        return self.reset, self.power_loss, self.flush


class BrokenRingsDisk(CorrectDisk):
    """The guest breaks its rings: until a reset, anything may be written to any sector."""

    broken = False

    def break_rings(self) -> None:
        self.record(HOSTILE, queue=0)
        self.broken = True

    def scribble(self) -> None:
        data = self.random.choice((0, UNTOUCHED, UNTOUCHED - 1, self.requests))
        self.disk[self.random.randrange(SECTORS)] = data

    def work(self) -> None:
        if self.broken:
            self.scribble()
        super().work()

    def reset(self) -> None:
        super().reset()
        self.broken = False

    def rare(self) -> tuple[Callable[[], None], ...]:
        return (*super().rare(), self.break_rings, self.reset)


class LateDisk(CorrectDisk):
    """Some writes take effect only after their end."""

    codes = (READ, READ, WRITE, WRITE, FLUSH, CLEAR)
    late: tuple[Request, ...] = ()

    def do(self, request: Request) -> None:
        if request.code == WRITE and self.random.random() < 0.3:
            request.done, self.late = True, (*self.late, request)
        else:
            super().do(request)

    def start(self) -> None:
        for request in self.late:
            if request not in self.running and self.random.random() < 0.5:
                self.disk[request.sector] = request.number
        super().start()


class LateAfterBrokenRings(LateDisk):
    """Some writes take effect only after their end; the rings were broken before."""

    def run(self, moves: int) -> None:
        self.record(HOSTILE, queue=0)
        self.record(RESET_RET)
        super().run(moves)


class UnsteadyAfterBrokenRings(CorrectDisk):
    """There are only reads; what they find changes. The rings were broken before."""

    codes = (READ,)

    def run(self, moves: int) -> None:
        self.record(HOSTILE, queue=0)
        self.disk = [self.random.randrange(UNTOUCHED) for _ in range(SECTORS)]
        self.record(RESET_RET)
        super().run(moves)

    def reset(self) -> None:
        super().reset()
        self.disk[self.random.randrange(SECTORS)] += 1

    def power_loss(self) -> None:
        """It loses what was written last, which nothing tells."""


class CachingDisk(CorrectDisk):
    """A flush does nothing."""

    def do(self, request: Request) -> None:
        if request.code == FLUSH:
            request.done = True
        else:
            super().do(request)


class SpoiledDisk(CorrectDisk):
    """A sector changes after the last request, and no read shows it."""

    codes = (READ, READ, WRITE, WRITE, FLUSH, CLEAR)

    def show(self) -> None:
        self.disk[self.random.randrange(SECTORS)] = self.requests + 1
        super().show()


def states(disk: CorrectDisk) -> set[str]:
    scenario = Scenario(DeviceConfig(disk_sectors=8))
    found = judge(scenario, Trace(tuple(disk.events))).violations
    return {violation.state for violation in found if violation.rule == "S14"}


@settings(max_examples=300)
@given(st.integers(0, 1 << 32), st.integers(1, 200))
def test_a_correct_disk_breaks_no_rule(seed: int, moves: int) -> None:
    disk = CorrectDisk(Random(seed))
    disk.run(moves)
    assert states(disk) == set()


@settings(max_examples=300)
@given(st.integers(0, 1 << 32), st.integers(1, 200))
def test_what_broken_rings_do_to_a_disk_breaks_no_rule(seed: int, moves: int) -> None:
    disk = BrokenRingsDisk(Random(seed))
    disk.run(moves)
    assert states(disk) == set()


def caught(kind: type[CorrectDisk]) -> dict[str, int]:
    """Count the runs, of 200, that show each state."""
    counts: dict[str, int] = {}
    for seed in range(200):
        disk = kind(Random(seed))
        disk.run(200)
        for state in states(disk):
            counts[state] = counts.get(state, 0) + 1
    return counts


def test_a_write_that_comes_late_is_found() -> None:
    counts = caught(LateDisk)
    assert counts["stale"] > 40
    assert counts["cut"] > 20


def test_what_comes_late_is_found_after_broken_rings() -> None:
    counts = caught(LateAfterBrokenRings)
    assert counts["stale"] > 40
    assert counts["cut"] > 20


def test_an_unknown_sector_keeps_its_data() -> None:
    """What a read finds in it is there until it is written."""
    assert set(caught(UnsteadyAfterBrokenRings)) == {"unwritten", "disk_unwritten"}


def test_a_flush_that_does_nothing_is_found() -> None:
    assert caught(CachingDisk)["not_flushed"] > 2


def test_a_sector_that_is_wrong_at_the_end_is_found() -> None:
    assert caught(SpoiledDisk) == {"disk_unwritten": 200}


def test_a_correct_disk_meets_the_situations() -> None:
    met: set[str] = set()
    for seed in range(20):
        disk = CorrectDisk(Random(seed))
        disk.run(200)
        met |= judge(Scenario(), Trace(tuple(disk.events))).situations
    wanted = {"data_read_back", "read_beside_write", "data_read_after_reset", "disk_at_rest"}
    assert {*wanted, "data_read_after_power_loss"} <= met


class InventingDisk(CorrectDisk):
    """A read that has failed finds data that was never written."""

    def do(self, request: Request) -> None:
        super().do(request)
        if request.code == READ and request.failed:
            request.found = UNTOUCHED - 1


def test_a_failed_read_that_finds_anything_is_found() -> None:
    assert caught(InventingDisk)["unwritten"] > 40
