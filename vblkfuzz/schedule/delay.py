"""A turnstile that can delay stores: for schedules with a `delayed` deviation, and only for those.

Where such a deviation interrupts an actor, the others do not see what it has stored in guest
memory since its last barrier, until it goes on. They see it at the latest when nobody else can go
on, so liveness is judged fairly: no store stays in a buffer for ever.

Who waits or has nothing left to do hides nothing. To sleep, to leave guest mode or to end a unit of
work takes locked instructions, which are barriers on x86. Next: `vblkfuzz.virtio.store_buffer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.schedule.turnstile import Actor, Guest, Turnstile, World
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import STORES_DELAYED, STORES_SEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.store_buffer import Hidden, StoreBuffer


class DelayingTurnstile(Turnstile):
    """One execution of a scenario whose schedule delays stores."""

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        guest: Guest,
        ring: TraceRing,
        stores: StoreBuffer,
    ) -> None:
        super().__init__(scenario, world, guest, ring)
        self._stores = stores
        self._hidden: dict[int, Hidden] = {}
        """Delayed stores by actor; in the order in which they were hidden."""
        self._actors = [_Buffered(self, *each) for each in enumerate(self._actors)]

    def resume(self, who: int, actor: Actor, budget: int, turn: int) -> int:
        """Let an actor go on; hide its stores if a deviation that delays interrupts it."""
        self._ring.turn = turn - 1  # what the guest does in this turn comes behind this event
        self._show(who)
        self._ring.turn = turn
        if not self._deviations or not self._deviations[0].delayed:
            return actor.resume(budget, turn)
        self._stores.watch()
        used = actor.resume(budget, turn)
        self._stores.end()
        if self._points + used >= self._deviations[0].point and actor.ready():
            self._hide(who)
        return used

    def _settle(self) -> bool:
        while super()._settle():
            if not self._hidden:
                return True
            for who in list(self._hidden):
                self._show(who)
        return False

    def _hide(self, who: int) -> None:
        hidden = self._stores.hide()
        if hidden:
            self._hidden[who] = hidden
            self._tell_of(who, STORES_DELAYED, len(hidden))

    def _show(self, who: int) -> None:
        if who in self._hidden:
            self._stores.show(self._hidden.pop(who))
            self._tell_of(who, STORES_SEEN)

    def _tell_of(self, who: int, kind: int, value: int = 0) -> None:
        self._ring.emit(kind, ActorId(who), NO_QUEUE, 0, 0, 0, 0, value, 0)


class _Buffered:
    """An actor that goes on through its turnstile's store buffer."""

    def __init__(self, turnstile: DelayingTurnstile, who: int, actor: Actor) -> None:
        self._turnstile = turnstile
        self._who = who
        self._actor = actor

    @property
    def ready(self) -> Callable[[], bool]:
        """Whether `resume` would get anywhere."""
        return self._actor.ready

    def resume(self, budget: int, turn: int) -> int:
        """Go on for at most `budget` preemption points."""
        return self._turnstile.resume(self._who, self._actor, budget, turn)
