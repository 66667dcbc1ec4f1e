"""Bisect: which devices of an ordered list show a bug.

Every device is run. There is a handful of revisions or binaries, a scenario takes milliseconds on
the model and about a second on a real device, and a bug may appear, disappear and come back. So the
result is a table of all devices, and the places in it where the verdict changes.
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
"""As in `git bisect`; skip: no run gave a verdict."""
Shows = Callable[["Violation"], bool]
"""Whether a violation is the bug in question."""


class Candidate(NamedTuple):
    """A device to run the scenario on."""

    name: str
    open: Callable[[], Target]
    """Makes its target; may raise UsageError or HarnessError."""


class Judgement(NamedTuple):
    """The result of one device."""

    name: str
    standing: Standing
    bad: int = 0
    """Runs that showed the bug."""
    runs: int = 0
    """Runs that gave a verdict."""
    signature: str = ""
    """The most frequent signature of the bug; empty: no run showed it."""
    error: str = ""
    """Why the last run without a verdict has none; empty: all have one."""


class Change(NamedTuple):
    """Two neighbours in the list, skipped devices aside, of which exactly one shows the bug."""

    before: str
    """Name of the earlier device; empty: `after` is the first device, and it shows the bug."""
    after: str
    """Name of the later device."""
    standing: Standing
    """Of the later device: bad if the bug appears there, good if it disappears."""


def judge_all(
    scenario: Scenario, candidates: Iterable[Candidate], shows: Shows, runs: int = 1
) -> Iterator[Judgement]:
    """Yield the judgement of each device in order, as soon as it is known.

    Args:
        scenario: what to run.
        candidates: the devices, oldest first.
        shows: whether a violation is the bug.
        runs: how often to run the scenario on each device.
    """
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
    """Return the places where the bug appears or disappears."""
    found = []
    before, standing = "", "good"
    for judged in judgements:
        if judged.standing == "skip":
            continue
        if judged.standing != standing:
            found.append(Change(before, judged.name, judged.standing))
        before, standing = judged.name, judged.standing
    return found
