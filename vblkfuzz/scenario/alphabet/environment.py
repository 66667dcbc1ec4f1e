"""Operations of the environment: whether IOThreads poll or wait for notifiers."""

from __future__ import annotations

from typing import Final

from vblkfuzz.limits import MAX_IOTHREADS
from vblkfuzz.scenario.alphabet.param import Number
from vblkfuzz.scenario.alphabet.spec import POLLING, OpSpec

_IOTHREAD: Final = Number("iothread", 0, 0, MAX_IOTHREADS - 1, picks=(0, 0, 0, 1))

ENVIRONMENT: Final = (
    OpSpec(
        code=25,
        name="poll_on",
        params=(_IOTHREAD,),
        summary="The IOThread starts polling the rings.",
        weight=3,
        excludes=POLLING,
        sets=POLLING,
        end="poll_off",
        around=(
            "poll_on | poll_off",
            "poll_on publish_kick | poll_off",
        ),
        control=True,
        qtest=True,
    ),
    OpSpec(
        code=26,
        name="poll_off",
        params=(_IOTHREAD,),
        summary="The IOThread goes back to notifiers.",
        weight=5,
        needs=POLLING,
        clears=POLLING,
        reach=4,
        asks=4,
        control=True,
        qtest=True,
    ),
)
