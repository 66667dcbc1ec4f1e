"""Bisect: which of several devices, in order, show a bug.

Every device is run: there are a handful of revisions or binaries, a scenario takes milliseconds on
the model and about a second on a real device, and history is not a staircase: a bug comes, goes and
comes back. So the answer is a table, and where in it the verdict changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.executor import run_scenario

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target

Standing = Literal["good", "bad", "skip"]
"""As `git bisect` has them; skip: no run gave a verdict."""
Shows = Callable[["Violation"], bool]
"""Whether a violation is the bug that is looked for."""


class Candidate(NamedTuple):
    """A device to be judged."""

    name: str
    open: Callable[[], Target]
    """Makes its target; may raise UsageError or HarnessError."""


class Judgement(NamedTuple):
    """What one device did."""

    name: str
    standing: Standing
    bad: int = 0
    """Runs that showed the bug."""
    runs: int = 0
    """Runs that gave a verdict."""
    signature: str = ""
    """The bug as it showed most often; empty: it did not."""
    error: str = ""
    """Why a run gave no verdict."""


class Change(NamedTuple):
    """Two devices next to each other, skipped ones aside, of which one shows the bug."""

    before: str
    """Name of the earlier one; empty: there is none, the first device shows the bug."""
    after: str
    standing: Standing
    """Of the later one: bad where the bug comes, good where it goes."""


def judge_all(
    scenario: Scenario, candidates: Iterable[Candidate], shows: Shows, runs: int = 1
) -> Iterator[Judgement]:
    """Yield what each device does, in order, as soon as it is known."""
    for candidate in candidates:
        try:
            with candidate.open() as target:
                yield _judged(candidate.name, target, scenario, shows, runs)
        except (HarnessError, UsageError) as error:
            yield Judgement(candidate.name, "skip", error=str(error) or type(error).__name__)


def _judged(name: str, target: Target, scenario: Scenario, shows: Shows, runs: int) -> Judgement:
    signatures: Counter[str] = Counter()
    judged, error = 0, ""
    for _ in range(runs):
        try:
            verdict = run_scenario(target, scenario).verdict
        except HarnessError as failed:
            error = str(failed) or type(failed).__name__
            continue
        judged += 1
        found = (one for one in (*verdict.causes, *verdict.violations) if shows(one))
        signatures.update(one.signature for one in [*found][:1])
    bad = signatures.total()
    standing: Standing = "bad" if bad else "good" if judged else "skip"
    (signature, _), *_ = signatures.most_common(1) or [("", 0)]
    return Judgement(name, standing, bad, judged, signature, error)


def changes(judgements: Sequence[Judgement]) -> list[Change]:
    """Return where the bug comes and goes."""
    found = []
    before, standing = "", "good"
    for judged in judgements:
        if judged.standing == "skip":
            continue
        if judged.standing != standing:
            found.append(Change(before, judged.name, judged.standing))
        before, standing = judged.name, judged.standing
    return found
