"""The rule of wake-ups: S33.

A thread with nothing to do sleeps, and the code that gives it work wakes it. In QEMU a bottom half
is queued before aio_notify, a loop says that it is going to sleep (notify_me) before it looks for
bottom halves, and a wait counts itself (num_waiters) before it checks its condition. If one of
these orders is wrong, or a call is missing, the work stays where it is until something else
happens to wake the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import waits_for
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event, actor_name
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, MEMWRITE, OP, OVERSLEPT

_IO0: Final = ActorId.IO0
WOKEN_IN_DRAIN = Situation(
    "loop_woken_in_drain",
    "An IOThread that slept while a drained section was open was woken for a completion in it.",
)


@rule(
    "S33",
    title="An event loop does not sleep while something waits for it.",
    source="QEMU aio_notify, aio_notify_accept, aio_poll, aio_wait_kick, AIO_WAIT_WHILE",
    instead=(
        "The code that schedules a bottom half, attaches a handler or ends what a drain waits for "
        "wakes the event loop afterwards."
    ),
    needs=(OP, DRAIN_CALL, DRAIN_END, MEMWRITE, OVERSLEPT),
    situations=(WOKEN_IN_DRAIN,),
    leads_to=("S11", "L1", "L2", "L3", "L4"),
    circumstance=waits_for,
)
def S33(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The situation needs a section that is open when an operation starts and all threads sleep."""
    hurried = {each.op for each in scenario.schedule if each.hurries}
    sections = 0
    slept_in = False  # all threads have slept inside the section that is open
    last = events[0]
    for event in events:
        kind = event.kind
        if kind == OP:
            last = event
            slept_in = sections > 0 and (event.head == 1 or event.value - 1 not in hurried)
        elif kind == MEMWRITE:
            if slept_in and event.actor >= _IO0:
                report.met(WOKEN_IN_DRAIN)
        elif kind == OVERSLEPT:
            _report_sleeper(last, event, report)
        else:  # DRAIN_CALL, DRAIN_END
            sections = event.value
            slept_in = slept_in and sections > 0


_WAIT: Final = ("wait", "wait", "waits", "over but not kicked")
_WAITING: Final = {
    0: ("bottom_half", "bottom half", "bottom halves", "of which it had not been notified"),
    1: ("notifier", "notifier", "notifiers", "set but not watched"),
}
"""By flag of an OVERSLEPT event: slug and words for what waits."""


def _report_sleeper(last: Event, sleeper: Event, report: Report) -> None:
    state, one, many, why = _WAITING.get(sleeper.flag, _WAIT)
    sentence = (
        f"Everything had settled after the operation of turn {last.turn}, but at turn "
        f"{sleeper.turn} the event loop of {actor_name(sleeper.actor)} still slept, with "
        f"{sleeper.value} {one if sleeper.value == 1 else many} {why}."
    )
    report.violation(last, sleeper, sentence, state)
