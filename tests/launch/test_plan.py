"""Plans and messages survive their JSON form."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.launch.plan import Message, WorkerPlan

TEXT = st.text(max_size=30)


@given(st.builds(WorkerPlan))
def test_plans_round_trip(plan: WorkerPlan) -> None:
    assert WorkerPlan.from_json(plan.to_json()) == plan


@given(st.builds(Message, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.integers(0), TEXT))
def test_messages_round_trip_as_one_line(message: Message) -> None:
    line = message.to_line()
    assert line.index(b"\n") == len(line) - 1
    assert Message.from_line(line) == message
