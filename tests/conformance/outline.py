"""An execution without what the threads of a real device decide among themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from vblkfuzz.executor import Execution
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.trace.kinds import COLLECT, KINDS
from vblkfuzz.trace.probe import without_probe


class Outline(NamedTuple):
    """What has to be the same each time."""

    signatures: tuple[str, ...]
    events: tuple[tuple[int, ...], ...]


def outline(execution: Execution) -> Outline:
    """Return signatures and events; in one turn the order of threads does not count.

    Turns in which nothing of that happened do not count either: one may look once more.
    """
    signatures = tuple(sorted(one.signature for one in execution.verdict.violations))
    # Whoever opens the used ring first finds what was pushed until then.
    seen = [one for one in without_probe(execution.trace.events) if one.kind != COLLECT]
    number = {turn: count for count, turn in enumerate(sorted({one.turn for one in seen}))}
    events = sorted((number[one.turn], one.kind, one.queue, one.flag, one.epoch) for one in seen)
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
    turn, kind, queue, flag, epoch = part
    name = KINDS[kind].name
    return f"  turn {turn}: {name} queue={queue} flag={flag} epoch={epoch}"


_RACES = ("crash-sigabrt-qio_channel_restart_read", "hang-operator-address_space_unmap")


def races(*seen: object) -> bool:
    """Whether QEMU 7.2 has shown a bug that is up to its threads (docs/real-devices.md).

    It wakes a coroutine in another event loop, or main loop and IOThread wait for one another.

    Args:
        seen: outlines or signatures, one for each run of a scenario.
    """
    parts = [str(part) for one in seen for part in _parts(one)]
    return any(part.startswith(_RACES) for part in parts)
