"""The rule of announced bytes: S37. A used entry announces no byte that was not written.

The device must have written the first `len` bytes of the device-writable buffers: a driver may take
them for the device's. A read that failed is the hard case, as its buffers may be as the driver left
them. The driver fills them with poison beforehand and looks whether it is still there (SECTOR,
*unwritten*). The reverse is allowed: `len` may be too small (S22).

QEMU announces the whole buffers of each request, whether it failed or not, and other devices follow
it. So the rule judges the model only, by its witness (docs/decisions/0016). Source: virtio 1.2,
2.7.8.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.oracle.answered import Answered
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import ENDED_OK
from vblkfuzz.trace.event import UNTOUCHED, Event
from vblkfuzz.trace.kinds import COLLECT, SECTOR
from vblkfuzz.virtio.request.blk import STATUS_SIZE

FAILED_READ = Situation("length_of_failed_read", "The guest took the used entry of a failed read.")
IGNORED_READ = Situation(
    "length_of_unwritten_read", "A read ended OK, but had failed and left a sector unwritten."
)

_IN: Final = REQUESTS.index("in")


@rule(
    "S37",
    title="A used entry announces no bytes that the device has not written.",
    source="virtio 1.2, 2.7.8.2",
    instead="A read that has written no data announces its status byte at most.",
    needs=(COLLECT, SECTOR),
    situations=(FAILED_READ, IGNORED_READ),
    path="none",
)
def S37(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A read that ended OK is judged with `rerror` = ignore only: S14 judges the others."""
    ignores = scenario.device.rerror == "ignore"
    for answer in report.answered:
        if answer.request.flag != _IN:
            continue
        collect = answer.collect
        failed = collect.flag != ENDED_OK
        if failed:
            report.met(FAILED_READ)
        if ignores or (failed and collect.length > STATUS_SIZE):
            _judge(answer, events, report)


def _judge(answer: Answered, events: Sequence[Event], report: Report) -> None:
    """Judge the sectors of a read that were found unwritten."""
    request, collect = answer.request, answer.collect
    failed = collect.flag != ENDED_OK
    for sector in _sectors(collect, events):
        if sector.value != UNTOUCHED:
            continue
        if not failed:
            report.met(IGNORED_READ)
        if collect.length - STATUS_SIZE > (sector.head - (request.value & 0xFF)) * SECTOR_SIZE:
            _report(answer, sector, report)
            return


def _sectors(collect: Event, events: Sequence[Event]) -> Sequence[Event]:
    """Return the SECTORs of a COLLECT: those right behind it."""
    found = []
    after = False
    for event in events:
        if after and event.kind != SECTOR:
            break
        if after:
            found.append(event)
        after = after or event is collect
    return found


def _report(answer: Answered, sector: Event, report: Report) -> None:
    collect = answer.collect
    failed = collect.flag != ENDED_OK
    how = "failed" if failed else "ended OK, as its failure is ignored"
    sentence = (
        f"The used entry of turn {collect.turn} announces {collect.length} bytes of a read that "
        f"{how}, but sector {sector.head} was as the driver had left it (turn {sector.turn})."
    )
    report.violation(collect, sector, sentence, "failed" if failed else "ignored")
