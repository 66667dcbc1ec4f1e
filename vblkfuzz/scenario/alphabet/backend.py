"""Operations of the backend: when requests in flight complete, and with which result.

One that is a vhost-user back-end also answers the messages of a front-end, perhaps wrongly.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.alphabet.param import Choice
from vblkfuzz.scenario.alphabet.spec import HOLDING, OpSpec

PICKS: Final = ("0", "1", "2", "3", "newest", "all")
"""Which held requests `complete` ends, by code: the n-th oldest (from 0), the newest or all."""

RESULTS: Final = ("ok", "eio", "enospc")
"""Result of a request, by code."""

MESSAGES: Final = (
    *("features", "protocol_features", "queue_num", "config", "vring_base", "inflight"),
    *("mem_table", "set_config", "any"),
)
"""Messages of a vhost-user front-end that `answer` is about, by code; *any*: the next one that has
an answer."""

WAYS: Final = (
    *("right", "late", "error", "short", "long", "huge", "cut", "zeroes", "ones", "more"),
    *("number", "flags", "twice", "file"),
)
"""How it is answered, by code: docs/real-devices.md. *right* ends what another one has begun."""

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
    OpSpec(
        code=41,
        name="answer",
        params=(
            Choice("message", 0, MESSAGES, picks=(0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 8)),
            Choice("how", 1, WAYS, picks=(1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12, 13)),
        ),
        summary="Let a vhost-user back-end answer the next such message late or wrongly.",
        weight=1,
        around=("answer | reset init",),
    ),
)
