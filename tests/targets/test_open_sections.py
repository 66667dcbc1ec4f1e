"""Which unit a drained section drains, and that the units follow their sections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.limits import MAX_UNITS
from vblkfuzz.scenario.op import op
from vblkfuzz.targets.open_sections import OpenSections

BEGINS = ("drain_begin", "mirror_begin")
DRAIN, MIRROR = map(op, BEGINS)


def test_a_section_drains_the_first_unit_with_the_fewest() -> None:
    sections = OpenSections(2)
    assert [sections.begin(each) for each in (DRAIN, MIRROR, DRAIN)] == [0, 1, 0]
    assert sections.end("mirror_begin") == 1
    assert sections.begin(MIRROR) == 1
    assert [sections.end("drain_begin") for _ in range(3)] == [0, 0, None]
    assert (len(sections), sections.of(0), sections.of(1)) == (1, 0, 1)


@given(st.integers(1, MAX_UNITS), st.lists(st.tuples(st.sampled_from(BEGINS), st.booleans())))
def test_a_unit_has_as_many_as_were_begun_and_not_ended(
    units: int, steps: list[tuple[str, bool]]
) -> None:
    sections = OpenSections(units)
    open_of = [0] * units
    for began, begins in steps:
        if begins:
            unit = sections.begin(op(began))
            assert open_of[unit] == min(open_of)
            open_of[unit] += 1
        elif (ended := sections.end(began)) is not None:
            open_of[ended] -= 1
        assert [sections.of(unit) for unit in range(units)] == open_of
        assert len(sections) == sum(open_of)
