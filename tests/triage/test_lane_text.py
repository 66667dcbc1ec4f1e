"""A diagram fits its width, and its lanes stay where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import scenarios
from tests.triage.stories import RESET_IN_DRAIN, case, run
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.triage.lane_text import MIN_WIDTH, lane_diagram
from vblkfuzz.triage.step import lanes, steps_of
from vblkfuzz.triage.story import shown_steps

STEPS = case().steps
PAGE = Path(__file__).resolve().parents[2] / "docs" / "findings.md"


@given(scenarios(max_ops=12), st.integers(MIN_WIDTH, 200))
def test_no_line_is_wider_than_asked_for(scenario: Scenario, width: int) -> None:
    steps = steps_of(run(scenario, "reference").trace.events)
    lines = lane_diagram(steps, scenario.ops, width)
    assert max(len(line.text) for line in lines) <= width
    assert len(lines) == len(steps) + 1


@pytest.mark.parametrize("width", [80, 100, 120])
def test_each_event_stands_in_its_lane(width: int) -> None:
    steps = case().steps
    head, *lines = lane_diagram(steps, RESET_IN_DRAIN.ops, width)
    places = {name: head.text.index(name[:10]) for name in lanes(steps)}
    for step, line in zip(steps, lines, strict=True):
        if step.lane:
            assert line.text[places[step.lane]] in "●◆"


def test_the_clash_is_marked_and_the_drained_section_shaded() -> None:
    story = case()
    lines = lane_diagram(shown_steps(story, whole=False), RESET_IN_DRAIN.ops, 80)
    clash = [line.text for line in lines if line.style == "clash"]
    assert [text[0] for text in clash] == [">", ">"]
    assert clash[0].endswith(" first")
    assert clash[1].endswith(" clash")
    assert all("░" in line.text for line in lines if line.style in ("clash", "drained"))
    assert any("── 3. reset() ──" in line.text for line in lines)


@pytest.mark.parametrize("width", range(MIN_WIDTH, 130))
def test_the_marks_of_a_clash_fit_too(width: int) -> None:
    lines = lane_diagram(STEPS, RESET_IN_DRAIN.ops, width)
    assert max(len(line.text) for line in lines) == width


def test_a_narrow_terminal_gets_whole_labels() -> None:
    lines = lane_diagram(case().steps, RESET_IN_DRAIN.ops, 20)
    assert any("pop q0 r1 h0 avail 1" in line.text for line in lines)


def test_an_iothread_has_a_lane_only_where_it_acts() -> None:
    steps = case().steps
    assert "iothread 0" in lanes(steps)
    assert "iothread 1" not in lanes(steps)


def test_the_page_shows_what_is_printed() -> None:
    story = case()
    lines = lane_diagram(shown_steps(story, whole=False), RESET_IN_DRAIN.ops, 80)
    printed = "\n".join(line.text.rstrip() for line in lines)
    assert printed in PAGE.read_text()
