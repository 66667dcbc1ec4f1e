"""Operations of the backend: when requests in flight complete, and with which result."""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.alphabet.param import Choice
from vblkfuzz.scenario.alphabet.spec import HOLDING, OpSpec

PICKS: Final = ("0", "1", "2", "3", "newest", "all")
"""Which held requests `complete` ends, by code: the n-th oldest (from 0), the newest or all."""

RESULTS: Final = ("ok", "eio", "enospc")
"""Result of a request, by code."""

BACKEND: Final = (
    OpSpec(
        code=21,
        name="complete",
        params=(
            Choice("which", 0, PICKS, picks=(0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 5, 5)),
            Choice("result", 1, RESULTS, picks=(0, 0, 0, 0, 0, 1, 1, 2)),
        ),
        summary="Complete held requests with a result.",
        weight=10,
        needs=HOLDING,
        reach=8,
        path_frame="complete",
    ),
    OpSpec(
        code=22,
        name="hold",
        summary="From now on, keep submitted requests in flight.",
        weight=6,
        excludes=HOLDING,
        sets=HOLDING,
        end="release",
        around=(
            "hold | complete",
            "hold publish_kick | complete",
            "hold | release",
            "hold | flush release",
            "hold publish_kick | set_used_event release",
            "hold publish_kick block_job | complete",
        ),
    ),
    OpSpec(
        code=23,
        name="release",
        summary="Stop holding; complete all held requests without error.",
        weight=4,
        needs=HOLDING,
        clears=HOLDING,
        reach=16,
    ),
    OpSpec(
        code=24,
        name="flush",
        summary="Complete all held writes and flushes without error; reads stay held.",
        weight=3,
        needs=HOLDING,
        reach=8,
    ),
)
