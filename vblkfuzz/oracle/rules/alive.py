"""The rule of the probe: S38. A device works after whatever a scenario did.

The other rules ask for what was under way. A device that has lost a handler, counts its requests
wrongly or cannot be started again shows that with the next request only. So the harness makes one
at the end (`trace.probe`), and only the events of the probe are judged here. It asks last: if
another rule is broken, the dead device is its consequence (`naming.consequence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import ENDED_OK, FOREIGN, RETRY
from vblkfuzz.trace.event import NO_QUEUE, Event
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, END, KICK, OP, PUBLISH
from vblkfuzz.trace.probe import probe_of
from vblkfuzz.trace.witness import Witness

ALIVE = Situation("probe_answered", "A queue in use answered the request of the probe.")
REVIVED = Situation("probe_answered_after_init", "A queue answered it after an init of the probe.")

_INIT: Final = CODES["init"]
_ANSWERS: Final = (ENDED_OK, RETRY)
"""Endings of a plain read: after a reset virtio-scsi asks for it again."""
_DRIVER_OK: Final = 1
"""Flag of a DRIVER_INIT."""


@rule(
    "S38",
    title="After a scenario each queue answers one more request.",
    source="virtio 1.2, 2.1, 2.7.13; 3.1.1 after a reset",
    instead="Each queue serves a request; a device that was reset does so once it is set up.",
    needs=(OP, DRIVER_INIT, PUBLISH, KICK, COLLECT, END),
    situations=(ALIVE, REVIVED),
    witnesses=Witness.GUEST | Witness.REST | Witness.PROBE,
    path="none",
)
def S38(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """`init`: it could not be set up. `queue`: no answer, on rings in use or new ones. `failed`."""
    probe = probe_of(events)
    if not probe or probe[-1].kind != END:
        return
    begin, end, init = probe[0], probe[-1], probe[0].flag == _INIT
    if init and not any(event.kind == DRIVER_INIT and event.flag for event in probe):
        sentence = (
            f"The device refused its own features in the probe that began at turn {begin.turn}, "
            f"and had not been set up when everything had settled (turn {end.turn})."
        )
        report.violation(begin, end, sentence, "init")
    after = "_after_init" if init else ""
    for queue, (answer, failed) in _answers(probe).items():
        if answer is None:
            sentence = (
                f"Queue {queue} had not answered the request of the probe, made at turn "
                f"{begin.turn}{' on new rings' if init else ''}, when everything had settled "
                f"(turn {end.turn})."
            )
            report.violation(begin, end, sentence, f"queue{after}")
        elif failed:
            sentence = (
                f"The request of the probe on queue {queue}, a plain read made at turn "
                f"{begin.turn}, has failed (turn {answer.turn})."
            )
            report.violation(begin, answer, sentence, f"failed{after}")
        else:
            report.met(REVIVED if init else ALIVE)


def works(events: Sequence[Event]) -> bool:
    """Whether the device has answered everything in `events`, those of a probe."""
    answers = _answers(events).values()
    return bool(answers) and all(answer and not failed for answer, failed in answers)


def _answers(events: Sequence[Event]) -> dict[int, tuple[Event | None, bool]]:
    """Return, by queue, the COLLECT of the probe's request, if there is one; whether it failed.

    A full ring got no request, only the kick. Then it is that of any request, which may fail.
    """
    heads: dict[int, int] = {}
    found: dict[int, tuple[Event | None, bool]] = {}
    for event in events:
        queue = event.queue
        if queue == NO_QUEUE:
            continue
        if event.kind == PUBLISH:
            heads[queue] = event.head
        elif event.kind == KICK:
            found[queue] = None, False
        elif event.kind == COLLECT and queue in found and event.flag != FOREIGN:
            if queue not in heads:
                found[queue] = event, False
            elif heads[queue] == event.head:
                found[queue] = event, event.flag not in _ANSWERS
    return found
