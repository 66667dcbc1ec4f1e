"""All checks of the machine, and what follows from them for each use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.doctor.check import MODEL, USES, Check, Found, Use, Verdict
from vblkfuzz.doctor.trial import tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Diagnosis(NamedTuple):
    """A check with what it has found."""

    check: Check
    found: Found


class Readiness(NamedTuple):
    """Whether the machine is ready for a use."""

    use: Use
    verdict: Verdict
    missing: tuple[str, ...]
    """Names of the checks that it needs and that are not passed."""
    lessened_by: tuple[str, ...]
    """Names of the checks without which it knows or does less, or that are limited."""


def diagnose(checks: Iterable[Check]) -> Iterator[Diagnosis]:
    """Try one check after the other."""
    for check in checks:
        found = check.look() if check.reads_only else tried(check.look)
        if found.verdict is not Verdict.YES and not found.advice:
            found = found._replace(advice=check.advice)
        yield Diagnosis(check, found)


def readiness(diagnoses: Sequence[Diagnosis]) -> list[Readiness]:
    """Return for each use whether the machine is ready."""
    return [_readiness(use, diagnoses) for use in USES]


def is_ready(diagnoses: Sequence[Diagnosis]) -> bool:
    """Whether a campaign with the defaults of `fuzz` can run."""
    return _readiness(MODEL, diagnoses).verdict is not Verdict.NO


def _readiness(use: Use, diagnoses: Sequence[Diagnosis]) -> Readiness:
    missing, lessened = [], []
    for check, found in diagnoses:
        if use in check.needed_by and found.verdict is Verdict.NO:
            missing.append(check.name)
        elif use in (*check.needed_by, *check.helps) and found.verdict is not Verdict.YES:
            lessened.append(check.name)
    verdict = Verdict.NO if missing else Verdict.LIMITED if lessened else Verdict.YES
    return Readiness(use, verdict, tuple(missing), tuple(lessened))
