"""Operations that a campaign leaves out, to get past a crash that they lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.minimize.edit import without_named
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vblkfuzz.scenario.scenario import Scenario


def begun_by(left_out: Iterable[str]) -> dict[str, str]:
    """Return which operations must be left out too, each with the one that ends what it begins.

    The epilogue ends what is open after the last operation (`Machine.unfinished`), so an input with
    `save` restores even if it has no `restore`.
    """
    ends = tuple(left_out)
    return {spec.name: spec.end for spec in OPS if spec.end in ends and spec.name not in ends}


def decoded(
    data: bytes, left_out: Collection[str], *, scheduled: bool = True
) -> tuple[Scenario, bytes]:
    """Return the scenario of an input without the operations of some names, and its bytes.

    If it is not `scheduled`, it has no deviations either.

    The mutator does not know of them: an input of a corpus may have them, and its other operations
    are worth keeping.
    """
    scenario = decode(data)
    rest = without_named(scenario, left_out)
    if rest.schedule and not scheduled:
        rest = replace(rest, schedule=())
    return (scenario, data) if rest is scenario else (rest, encode(rest))
