"""A turnstile that can delay stores, used only for schedules with a `delayed` deviation.

If such a deviation interrupts an actor, the other actors do not see its stores to guest memory
since its last barrier until it goes on. If no other actor can go on, the stores become visible at
once: no store stays in a buffer for ever, so a delayed store never breaks a rule of liveness.

An actor that waits or has no more work hides nothing: sleeping, leaving guest mode and ending a
unit of work take locked instructions, which are barriers on x86. Next: `virtio.store_buffer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.schedule.turnstile import Actor, Guest, Turnstile, World
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED, STORES_SEEN

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
        """Delayed stores by actor, in the order in which they were hidden."""
        self._actors = [_Buffered(self, *each) for each in enumerate(self._actors)]

    def resume(self, who: int, actor: Actor, budget: int, turn: int) -> int:
        """Resume an actor; hide its stores if a delaying deviation interrupts it."""
        self._ring.turn = turn - 1  # places STORES_SEEN before the guest's events of this turn
        self._show(who)
        self._ring.turn = turn
        if not self._ends_delayed(who, budget):
            return actor.resume(budget, turn)
        self._stores.watch()
        used = actor.resume(budget, turn)
        self._stores.end()
        if used >= budget and actor.ready():
            self._hide(who)
        return used

    def _ends_delayed(self, who: int, budget: int) -> bool:
        """Whether a turn of an actor that lasts `budget` points ends with its stores delayed."""
        first = self._deviations[0] if self._deviations else None
        if first and first.delayed and first.point - self._points == budget:
            return True
        return self._own is not None and self._own.delays(who, budget)

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
            self._emit_for(who, STORES_DELAYED, len(hidden))

    def _show(self, who: int) -> None:
        if who in self._hidden:
            self._stores.show(self._hidden.pop(who))
            self._emit_for(who, STORES_SEEN)

    def _emit_for(self, who: int, kind: int, value: int = 0) -> None:
        self._ring.emit(kind, ActorId(who), NO_QUEUE, 0, 0, 0, 0, value, 0)


class _Buffered:
    """An actor whose turns go through `DelayingTurnstile.resume`."""

    def __init__(self, turnstile: DelayingTurnstile, who: int, actor: Actor) -> None:
        self._turnstile = turnstile
        self._who = who
        self._actor = actor

    @property
    def ready(self) -> Callable[[], bool]:
        """Whether `resume` would make progress."""
        return self._actor.ready

    @property
    def interrupted(self) -> bool:
        """Whether the last turn has ended because its budget was used up, and for nothing else."""
        return self._actor.interrupted

    def resume(self, budget: int, turn: int) -> int:
        """Go on for at most `budget` preemption points."""
        return self._turnstile.resume(self._who, self._actor, budget, turn)
