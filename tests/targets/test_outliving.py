"""Which reset a push without a request is due to."""

from __future__ import annotations

import pytest

from vblkfuzz.targets.outliving import Outliving

RESET, QUEUE_RESET = 3, 4


def test_each_request_outlives_its_reset_once() -> None:
    late = Outliving()
    late.add(0, 5, RESET)
    late.add(0, 5, QUEUE_RESET)
    assert [late.ended_by(0, 5, 1) for _ in range(3)] == [RESET, QUEUE_RESET, 0]
    assert late.ended_by(1, 5, 1) == 0


@pytest.mark.parametrize(("head", "length"), [(1, 0), (0, 7)])
def test_an_entry_that_was_written_is_not_a_skipped_one(head: int, length: int) -> None:
    late = Outliving()
    late.add(0, 5, RESET)
    assert late.ended_by(0, head, length) == 0
    assert late.ended_by(1, 0, 0) == 0
    assert late.ended_by(0, 0, 0) == RESET
    assert late.ended_by(0, 0, 0) == RESET, "it does not use up the request"
    assert late.ended_by(0, 5, length) == RESET
    assert late.ended_by(0, 0, 0) == 0
