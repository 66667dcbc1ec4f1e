"""What follows from the checks for each use."""

from __future__ import annotations

import pytest

from vblkfuzz.doctor.check import (
    GATE,
    MODEL,
    QEMU,
    USES,
    Check,
    Found,
    Use,
    Verdict,
    limited,
    no,
    yes,
)
from vblkfuzz.doctor.diagnosis import Readiness, diagnose, is_ready, readiness
from vblkfuzz.doctor.registry import checks
from vblkfuzz.targets.options import NO_OPTIONS

THERE = Check("there", lambda: yes("1"), (MODEL, QEMU))
PART = Check("part", lambda: limited("half", "more"), (QEMU,), advice="other")
GONE = Check("gone", lambda: no("none"), (GATE,), (QEMU,), advice="install")


def test_the_advice_is_that_of_the_look_or_of_the_check() -> None:
    found = [one.found.advice for one in diagnose((THERE, PART, GONE))]
    assert found == ["", "more", "install"]


def test_what_a_use_needs_is_missing_and_what_helps_it_lessens_it() -> None:
    found = {one.use: one for one in readiness(list(diagnose((THERE, PART, GONE))))}
    assert tuple(found) == USES
    assert found[MODEL] == Readiness(MODEL, Verdict.YES, (), ())
    assert found[QEMU] == Readiness(QEMU, Verdict.LIMITED, (), ("part", "gone"))
    assert found[GATE] == Readiness(GATE, Verdict.NO, ("gone",), ())


@pytest.mark.parametrize(("needed_by", "ready"), [(MODEL, False), (QEMU, True), (GATE, True)])
def test_only_the_model_counts_for_the_exit_status(needed_by: Use, ready: bool) -> None:
    check = GONE._replace(needed_by=(needed_by,))
    assert is_ready(list(diagnose((THERE, check)))) is ready


def test_a_check_that_only_reads_runs_here() -> None:
    seen = []

    def look() -> Found:
        seen.append(1)
        return yes("")

    check = THERE._replace(look=look)
    list(diagnose((check, check._replace(reads_only=True))))
    assert len(seen) == 1


def test_each_check_is_for_something_and_each_use_needs_something() -> None:
    all_of_them = checks(NO_OPTIONS)
    assert len({check.name for check in all_of_them}) == len(all_of_them)
    assert all(check.needed_by or check.helps for check in all_of_them)
    assert {use for check in all_of_them for use in check.needed_by} == set(USES)
