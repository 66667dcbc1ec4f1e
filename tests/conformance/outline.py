"""An execution without what the threads of a real device decide among themselves."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from dataclasses import replace
from typing import Final, NamedTuple

from vblkfuzz.executor import Execution
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.trace.kinds import COLLECT, KINDS, MEMWRITE, POP, PUSH
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD


class Outline(NamedTuple):
    """What has to be the same each time."""

    signatures: tuple[str, ...]
    events: tuple[tuple[int, ...], ...]


_LOOKED_FOR: Final = (POP, MEMWRITE, PUSH, HELD, GOES_ON)
"""What is found by looking at rings, memory and log, and not reported by whoever has done it."""


def outline(execution: Execution) -> Outline:
    """Return signatures and events; between two acts the order of threads does not count.

    An act is what guest, operator or harness do. How often is looked in between, and at which look
    something is there, is up to the time that it takes.
    """
    signatures = tuple(sorted(one.signature for one in execution.verdict.violations))
    # Whoever opens the used ring first finds what was pushed until then.
    seen = [one for one in without_probe(execution.trace.events) if one.kind != COLLECT]
    acts = sorted({one.turn for one in seen if one.kind not in _LOOKED_FOR})
    events = sorted(
        (bisect(acts, one.turn), one.kind, one.queue, one.flag, one.epoch) for one in seen
    )
    return Outline(signatures, tuple(events))


def difference(index: int, scenario: Scenario, forth: object, back: object) -> str:
    """Return what two runs of a scenario show: its number, its text, what each run alone has."""
    lines = [f"scenario {index} differs", to_text(replace(scenario, schedule=()))]
    for name, one, other in (("forth", forth, back), ("back", back, forth)):
        lines += [f"only {name}:", *map(_shown, _only(one, other))]
    return "\n".join(lines)


def _parts(seen: object) -> Counter[object]:
    """Return the parts of an `Outline`, or of the signatures alone."""
    if isinstance(seen, Outline):
        return Counter([*seen.signatures, *seen.events])
    assert isinstance(seen, tuple)
    return Counter(seen)


def _only(one: object, other: object) -> list[object]:
    return list((_parts(one) - _parts(other)).elements())


def _shown(part: object) -> str:
    if not isinstance(part, tuple):
        return f"  signature {part}"
    act, kind, queue, flag, epoch = part
    name = KINDS[kind].name
    return f"  act {act}: {name} queue={queue} flag={flag} epoch={epoch}"


_RACES = ("crash-sigabrt-qio_channel_restart_read", "hang-operator-address_space_unmap")


def races(*seen: object) -> bool:
    """Whether QEMU 7.2 has shown a bug that is up to its threads (docs/real-devices.md).

    It wakes a coroutine in another event loop, or main loop and IOThread wait for one another.

    Args:
        seen: outlines or signatures, one for each run of a scenario.
    """
    parts = [str(part) for one in seen for part in _parts(one)]
    return any(part.startswith(_RACES) for part in parts)
