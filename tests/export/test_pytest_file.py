"""An exported test has the same scenario, fails on the bug and passes without it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.strategies import on_virtio_blk, scenarios
from tests.triage.stories import QUIET, RESET_IN_DRAIN, case
from vblkfuzz import api
from vblkfuzz.errors import HarnessError, NotReproduced
from vblkfuzz.export.pytest_file import pytest_text
from vblkfuzz.scenario.artifact import Artifact
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Outcome, Run, Setup


def functions_in(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "exported", "exec"), names)
    return {name: found for name, found in names.items() if name.startswith("test_")}


def as_clean(scenario: Scenario) -> Case:
    """Return a case without expectation, so that any scenario can be exported."""
    outcome = case(scenario, "reference").outcome
    artifact = Artifact(scenario, device="reference")
    return Case(Outcome("x", artifact, Setup("model", "reference", "inline"), outcome.run))


@given(scenarios(max_ops=12).map(on_virtio_blk))
def test_the_scenario_is_the_same(scenario: Scenario) -> None:
    checked: list[Scenario] = []
    names = functions_in(pytest_text([as_clean(scenario)]))
    with pytest.MonkeyPatch.context() as patch:
        for found in names.values():
            patch.setitem(
                found.__globals__, "assert_clean", lambda one, *_, **__: checked.append(one)
            )
            found()
    assert checked == [scenario]


@given(scenarios(max_ops=12))
def test_lines_are_short(scenario: Scenario) -> None:
    assert max(map(len, pytest_text([as_clean(scenario)]).splitlines())) <= 100


def test_it_fails_with_the_bug_and_passes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pytest_text([case()])
    monkeypatch.delenv("VBLK_DEVICE", raising=False)
    ((name, with_bug),) = functions_in(text).items()
    assert name == "test_s1_reset_stop_cleanup_host_notifier_host_notifier_read"
    with pytest.raises(AssertionError, match="S1: Request 1 was dequeued"):
        with_bug()
    monkeypatch.setenv("VBLK_DEVICE", "reference")
    (without,) = functions_in(text).values()
    without()


def test_how_it_reads() -> None:
    body = pytest_text([case()]).partition("def ")[2]
    assert body.splitlines()[4:] == [
        "    scenario = Scenario(",
        "        ops=(",
        '            op("init"),',
        '            op("drain_begin"),',
        '            op("publish_kick", request="out", sector=3),',
        '            op("reset"),',
        "        ),",
        "    )",
        '    assert_clean(scenario, DEVICE or "patch-v4", rule="S1")',
    ]


def test_two_findings_of_one_signature_are_two_tests() -> None:
    assert len(functions_in(pytest_text([case(), case()]))) == 2


def test_what_is_not_used_is_not_imported() -> None:
    assert "from vblkfuzz import Scenario, assert_clean, op\n" in pytest_text([case()])


def test_a_finding_that_shows_no_more_is_no_test() -> None:
    with pytest.raises(NotReproduced, match=r"x\.vblk: does not show s1-reset"):
        pytest_text([case(RESET_IN_DRAIN, "reference")])


def test_one_that_could_not_be_judged_is_no_test() -> None:
    outcome = case(QUIET).outcome
    broken = Outcome("x", outcome.artifact, outcome.setup, Run("harness_error", error="died"))
    with pytest.raises(HarnessError, match="x: not judged: died"):
        pytest_text([Case(broken)])
    assert pytest_text([case(), Case(broken)]) == pytest_text([case()])


def test_a_device_of_your_own() -> None:
    class Mine(api.VirtioBlk):
        summary = "mine"

    api.assert_clean(RESET_IN_DRAIN, Mine)
