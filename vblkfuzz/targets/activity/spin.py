"""Whether a main loop spins: it runs on and on although nothing is pending.

The bound is CPU time of that thread, not the clock, so a busy machine cannot change the verdict: a
thread that does not get a core uses no time, and one that falls asleep is seen asleep, however
late. A spin takes `SPIN_S` to prove. In a drained section, where QEMU up to 8.0 spins often, less
suffices once the same program has spun there, unless each of its steps takes long (`gate`).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.activity.stillness import SPIN_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.activity.stillness import Stillness

AGAIN_S: Final = 0.0001
"""Seconds of CPU time that prove a spin in a drained section once the program has spun there for
SPIN_S. What is left to do after an answer takes a part of that, and then the thread sleeps."""
_PROOFS: Final = 8
"""How often a proof is begun anew because another thread has run."""
_MUCH: Final = 4
"""How much longer the main thread runs than others that do not spin."""
_BRIEF_S: Final = 0.0001
"""Seconds for the main loop to fall asleep before its CPU time is read."""


class Spin(Enum):
    """A spin that a program is known to have."""

    DRAINED = "drained"
    """In a drained section."""


class SpinWatch:
    """Watches the main thread of one process."""

    def __init__(self, still: Stillness, known: set[Spin], *, gated: bool = False) -> None:
        """Watch the process that `still` samples.

        Args:
            still: samples its threads.
            known: spins that a process of the same program has shown; more are added.
            gated: whether a gate stops its threads, at which each of their steps takes CPU time.
        """
        self._still = still
        self._known = known
        self._gated = gated

    def spins(self, *, drained: bool) -> bool:
        """Whether the main thread spins; call it when nothing is pending for any thread.

        If another thread has run meanwhile, something was pending, and nothing is proved.

        Args:
            drained: whether a drained section is open, a state that may be the reason.

        Raises:
            DeviceLost: the process has ended.
        """
        again = drained and Spin.DRAINED in self._known and not self._gated
        for _ in range(_PROOFS):
            before = self._still.look()
            if not self._runs_for(AGAIN_S if again else SPIN_S, self._still.main_seconds):
                return False
            if self._still.only_main_ran(before):
                self._known.update([Spin.DRAINED] if drained else [])
                return True
        return False

    def others_spin(self) -> bool:
        """Whether another thread than the main thread runs on and on; call it as `spins`.

        They do not if the main thread runs much longer than they do: it may spin meanwhile.
        """
        end = self._still.main_seconds() + _MUCH * SPIN_S
        return self._runs_for(
            SPIN_S, self._still.others_seconds, lambda: self._still.main_seconds() < end
        )

    def _runs_for(
        self, limit: float, spent: Callable[[], float], goes_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Whether so many seconds of CPU time are spent before all threads sleep."""
        end = spent() + limit
        while spent() < end:
            if self._still.wait(_BRIEF_S) or not goes_on():
                return False
            self._still.lives.check()
        return True
