"""The causal path of what is observed: of the operation, or of the section that let it happen."""

from __future__ import annotations

import pytest

from vblkfuzz.scenario.op import op
from vblkfuzz.targets.cause import Cause
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import DRAIN_END, VM_CONT, VM_STOP_CALL, VM_STOP_RET

STOPPED = ((VM_STOP_CALL, 0), (VM_STOP_RET, 0))
ENDS = (DRAIN_END, 0)


def path_of(name: str, *told: tuple[int, int]) -> int:
    cause = Cause()
    cause.operation(op("stop").code)
    for kind, depth in told:
        cause.tell(kind, depth)
    cause.operation(op(name).code)
    return cause.path


def test_it_is_the_operation() -> None:
    assert path_of("drain_end") == Frame.DRAINED_END
    assert path_of("stop") == Frame.VM_STOP
    assert path_of("release") == path_of("collect") == 0


@pytest.mark.parametrize("answers", ["release", "complete"])
def test_in_a_stopped_vm_it_is_the_end_of_the_section_before(answers: str) -> None:
    assert path_of(answers, *STOPPED, ENDS) == Frame.DRAINED_END
    assert path_of("system_reset", *STOPPED, ENDS) == Frame.SYSTEM_RESET


@pytest.mark.parametrize(
    "told",
    [
        STOPPED,
        (ENDS, *STOPPED),
        (*STOPPED, (DRAIN_END, 1)),
        (*STOPPED, ENDS, (VM_CONT, 0)),
        (*STOPPED, ENDS, (VM_CONT, 0), *STOPPED),
    ],
)
def test_not_of_a_section_that_ended_at_another_time(told: tuple[tuple[int, int], ...]) -> None:
    assert path_of("release", *told) == 0
