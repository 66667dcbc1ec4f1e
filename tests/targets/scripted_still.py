"""Samples of the threads of a device process, as a test wants them."""

from __future__ import annotations

from typing import cast

from vblkfuzz.targets.activity.stillness import Stillness, Threads

ASLEEP, RUNS, IDLE_CORE = "asleep", "runs", "ready"
"""What the threads do from one look to the next: sleep; run for a second of CPU time; be ready to
run, without getting a core."""
STOPPED, BY_KERNEL, DOZES = "stopped", "by kernel", "wakes for a timer"


class _AllLive:
    def check_others(self) -> None:
        pass


class ScriptedStill:
    """Goes on by one step of its script at each wait; the last one lasts."""

    def __init__(self, *script: str) -> None:
        self._script = list(script)
        self.waits = 0
        """Waits so far."""
        self.spent = 0.0
        self.lives = _AllLive()

    @property
    def as_stillness(self) -> Stillness:
        return cast("Stillness", self)

    @property
    def _now(self) -> str:
        return self._script[min(self.waits, len(self._script) - 1)]

    def go_on(self) -> None:
        """Let the time of one wait pass."""
        self.spent += {RUNS: 1, DOZES: 0.001}.get(self._now, 0)
        self.waits += 1

    def look(self) -> Threads:
        sleeps = self._now in (ASLEEP, BY_KERNEL, DOZES)
        return Threads(sleeps, sleeps, {"1": str(self.spent).encode()})

    def states(self) -> list[set[str]]:
        return [{{STOPPED: "T", BY_KERNEL: "D"}.get(self._now, "S")}, {"S"}]

    def seconds(self) -> float:
        return self.spent
