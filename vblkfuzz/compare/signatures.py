"""Compares the bugs of two devices, before and after a patch: `compare --base --patched`.

Both run the same inputs in turn. A signature that one of them shows and the other has never shown
is put to the test at once: the input runs `repeat` times on both. It counts if the one shows it in
more than half of these runs and the other in none. Otherwise it is unsteady, and the next input
that shows it is another test, three at most. If the other device shows it later, it is of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vblkfuzz.compare.run import NotJudged, run_once
from vblkfuzz.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.compare.inputs import Input
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.targets.target import Target

BASE: Final = 0
PATCHED: Final = 1
_TESTS: Final = 3
"""Inputs on which a signature is put to the test."""


@dataclass(slots=True)
class Candidate:
    """A signature that one device has shown and the other has not."""

    side: int
    input: str
    """The input that shows it; of several, the one that shows it most often."""
    execution: Execution
    violation: Violation
    shown: int = 0
    """Runs with it, of `runs`."""
    runs: int = 0
    tests: int = 0

    @property
    def steady(self) -> bool:
        """Whether it counts."""
        return 2 * self.shown > self.runs


@dataclass(slots=True)
class Signatures:
    """The comparison so far."""

    targets: Sequence[Target]
    """Base, patched."""
    repeat: int
    inputs: int = 0
    candidates: dict[str, Candidate] = field(default_factory=dict)
    """By signature; a signature of both devices is removed."""
    not_judged: list[NotJudged] = field(default_factory=list)
    _seen: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))

    def of(self, side: int, *, steady: bool = True) -> dict[str, Candidate]:
        """Return the signatures of one side only."""
        return {
            name: one
            for name, one in self.candidates.items()
            if one.side == side and one.steady == steady
        }

    @property
    def both(self) -> list[str]:
        """The signatures that both have shown."""
        return sorted(self._seen[BASE] & self._seen[PATCHED])

    def add(self, given: Input) -> list[str]:
        """Run an input on both; return the signatures that count as of one side only since now."""
        found = self._run(given, first=self.inputs)
        self.inputs += 1
        steady = []
        for side, execution in enumerate(found):
            for violation in execution.verdict.causes:
                if self._open(side, violation.signature):
                    steady += self._test(given, side, execution, violation)
        return [name for name in steady if name in self.candidates]

    def _open(self, side: int, name: str) -> bool:
        """Whether a signature of one side must be put to the test."""
        if name in self._seen[1 - side]:
            return False
        known = self.candidates.get(name)
        return known is None or (not known.steady and known.tests < _TESTS)

    def _test(
        self, given: Input, side: int, execution: Execution, violation: Violation
    ) -> list[str]:
        name = violation.signature
        before = self.candidates.get(name)
        new = Candidate(side, given.name, execution, violation)
        new.tests = before.tests + 1 if before else 1
        for run in range(self.repeat):
            found = self._run(given, first=run)
            if not found or name in self._seen[1 - side]:
                break
            new.runs += 1
            new.shown += any(one.signature == name for one in found[side].verdict.violations)
        if name in self._seen[1 - side]:
            return []
        if before is not None and before.shown > new.shown:
            before.tests = new.tests
            new = before
        self.candidates[name] = new
        return [name] if new.steady else []

    def _run(self, given: Input, first: int) -> list[Execution]:
        """Run an input once on both and note what they show; nothing if one cannot be judged."""
        found = []
        for side, result in enumerate(run_once(self.targets, given.scenario, first)):
            if isinstance(result, HarnessError):
                self.not_judged.append(NotJudged(given.name, side, str(result)))
                return []
            found.append(result)
        for side, execution in enumerate(found):
            self._seen[side].update(one.signature for one in execution.verdict.violations)
        for name in [
            name for name, one in self.candidates.items() if name in self._seen[1 - one.side]
        ]:
            del self.candidates[name]
        return found
