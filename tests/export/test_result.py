"""When a case is a failed test, and under which name."""

from __future__ import annotations

from dataclasses import replace

from tests.triage.stories import QUIET, SIGNATURE, case
from vblkfuzz.export.result import State, results_of
from vblkfuzz.store.sightings import Sightings
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Run

SEEN = Sightings(12, 42, 1.5, "2026-01-02T03:04:05+00:00")


def states(*cases: Case, silenced: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(one.name, one.state) for one in results_of(cases, silenced)]


def test_an_input_is_named_by_its_path_and_a_finding_by_its_signature() -> None:
    assert states(case(), replace(case(), sightings=SEEN)) == [
        ("x.vblk", State.FAILED),
        (SIGNATURE, State.FAILED),
    ]


def test_what_an_input_expects_does_not_count() -> None:
    """The case expects a violation that the device does not show any more."""
    assert states(case(QUIET, "reference")) == [("x.vblk", State.PASSED)]


def test_a_finding_that_is_not_reproduced_was_seen_all_the_same() -> None:
    gone = replace(case(QUIET, "reference"), sightings=SEEN)
    (one,) = results_of([gone])
    assert (one.name, one.state) == (SIGNATURE, State.FAILED)
    assert one.message.startswith(f"{SIGNATURE}: seen 12 times")
    assert one.message.endswith("reproduced in 0 of 1 run")
    run = Run("harness_error", error="the device process ended")
    unjudged = replace(gone, outcome=replace(gone.outcome, run=run))
    assert [one.state for one in results_of([unjudged])] == [State.FAILED]


def test_a_finding_that_shows_another_violation_keeps_its_name() -> None:
    (result,) = results_of([replace(case(QUIET), sightings=SEEN)])
    assert (result.name, result.state, result.kind) == (SIGNATURE, State.FAILED, "S1")
    assert result.message.startswith(f"{SIGNATURE}: seen 12 times")
    assert "reproduced in 0 of 1 run, but s8-" in result.message


def test_a_case_that_shows_known_signatures_only_is_skipped() -> None:
    assert states(case(), silenced=("s*",)) == [("x.vblk", State.SKIPPED)]
    assert states(case(), silenced=("s2-*",)) == [("x.vblk", State.FAILED)]


def test_a_known_signature_hides_no_other_one() -> None:
    shown = case()
    others = [one for one in shown.execution.verdict.causes if one.signature != SIGNATURE]
    (result,) = results_of([shown], (SIGNATURE,))
    assert result.state is State.FAILED
    assert result.message == f"{others[0].rule}: {others[0].sentence}"


def test_no_two_results_have_one_name() -> None:
    assert [name for name, _ in states(case(), case(), case())] == [
        "x.vblk",
        "x.vblk (2)",
        "x.vblk (3)",
    ]
