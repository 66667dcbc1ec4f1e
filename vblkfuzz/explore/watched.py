"""A turnstile that notes what the last operation of a scenario leaves to choose.

At each preemption point of that operation it notes which actors could go on there, without changing
anything: the actors go one point at a time, but the turns are the same. When the operation is over,
before the next one or the epilogue begins, it takes the fingerprint of the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.explore.model_state import fingerprint
from vblkfuzz.schedule.turnstile import Actor, Turnstile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.machine import Machine
    from vblkfuzz.process.guest import GuestActor
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.event import Event


class Choice(NamedTuple):
    """What could go on at one point."""

    default: int
    """The actor that went on."""
    ready: tuple[int, ...]
    """All actors that could."""


class Watch:
    """What one execution showed."""

    def __init__(self, *, state: bool) -> None:
        """`state`: whether the state after the last operation is of interest."""
        self.wants_state = state
        self.choices: dict[int, Choice] = {}
        """By point of the last operation."""
        self.state = b""
        """Fingerprint of the state after the last operation."""
        self.events: Sequence[Event] = ()
        """What has happened until then."""


class WatchedTurnstile(Turnstile):
    """Fills in a `Watch`."""

    def __init__(
        self,
        watch: Watch,
        scenario: Scenario,
        world: Machine,
        guest: GuestActor,
    ) -> None:
        super().__init__(scenario, world, guest, world.ring)
        self._watch = watch
        self._plain: list[Actor] = [guest, *world.threads]
        self._loops: Sequence[AioContext] = (world.device.main, *world.iothreads)
        self._state_of = (world, guest)

    def _start(self, index: int, operation: Op) -> None:
        if index == len(self._scenario.ops) - 1:
            self._actors[:] = [_Stepped(each, self._note) for each in self._plain]
        super()._start(index, operation)

    def _come_to_rest(self) -> int:
        self._actors[:] = self._plain
        if self._watch.wants_state:
            self._watch.state = fingerprint(*self._state_of)
            self._watch.events = self._ring.read()
        return super()._come_to_rest()

    def _note(self, actor: Actor, used: int) -> None:
        """Note who could go on instead of an actor after `used` points of its turn."""
        point = self._points + used
        if point not in self._watch.choices:
            default = self._plain.index(actor)
            self._watch.choices[point] = Choice(default, self._ready())

    def _ready(self) -> tuple[int, ...]:
        """Return the actors that are ready; a loop that is asked does not fall asleep by that."""
        before = [(loop.notified, list(loop.unwatched)) for loop in self._loops]
        ready = tuple(number for number, each in enumerate(self._plain) if each.ready())
        for loop, (notified, unwatched) in zip(self._loops, before, strict=True):
            loop.notified = notified
            loop.unwatched[:] = unwatched
        return ready


class _Stepped:
    """An actor that takes its turns a point at a time."""

    def __init__(self, actor: Actor, note: Callable[[Actor, int], None]) -> None:
        self._actor = actor
        self._note = note

    @property
    def ready(self) -> Callable[[], bool]:
        """As in `Actor`."""
        return self._actor.ready

    @property
    def interrupted(self) -> bool:
        """As in `Actor`."""
        return self._actor.interrupted

    def resume(self, budget: int, turn: int) -> int:
        """As in `Actor`."""
        used = 0
        while True:
            self._note(self._actor, used)
            passed = self._actor.resume(1, turn)
            used += passed
            if used >= budget or not (passed and self._actor.interrupted):
                return used
