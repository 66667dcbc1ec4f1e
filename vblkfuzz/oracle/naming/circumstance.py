"""Circumstances: the state of the device at a violation, if it distinguishes causes.

A rule gets only the events it needs, and reports what is wrong. The cause often shows in the state
of a request, or in what the device last did with a queue. The functions here find that in the whole
trace; they are called for violations only. The result is `Violation.state`, part of the signature.
A rule names its function in the decorator (`oracle.rule.rule`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.violation import Violation
from vblkfuzz.trace.event import Event, Frame, frames_of
from vblkfuzz.trace.kinds import (
    ATTACH,
    CANCEL,
    DRAIN_END,
    DRAIN_RET,
    END,
    HANDLER_END,
    IO_DONE,
    MEMWRITE,
    NOTIFICATION,
    PARK,
    POLL_BEGIN,
    POP,
    PUSH,
    RESET_RET,
    RESTORED,
    RESUMED,
    RETRY,
    START_RET,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
    SUPPRESS_CALLS,
    UNPARK,
    USED_EVENT,
    VM_CONT,
)

Events = Sequence[Event]

_STANDING: Final = {
    POP: "popped",
    PARK: "parked",
    UNPARK: "resumed",
    SUBMIT: "in_flight",
    IO_DONE: "done",
    MEMWRITE: "written",
    RETRY: "to_retry",
    PUSH: "pushed",
}
"""State of a request after an event."""

_LATER: Final = frozenset({UNPARK, END})
_UNDER_WAY: Final = frozenset({"popped", "resumed", "in_flight", "done", "written"})
_HOLDS: Final = frozenset({PARK, RETRY})
_HELD: Final = frozenset({"parked", "to_retry"})


def standing(request: int, events: Events, until: Event) -> str:
    """Return the state of a request just before the event `until`.

    ``popped``: its handler has not ended, even if the request is answered already. ``asleep``: it
    is parked, although the drained section has ended and another request went on. ``left_behind``:
    it was parked in a device that was thrown away (RESTORED).
    """
    found, ended, own = "", False, until
    for event in events:
        if event is until:
            break
        if event.request == request and event.kind in _STANDING:
            at_once = event.kind == MEMWRITE and found == "popped"
            found, ended, own = "answered" if at_once else _STANDING[event.kind], False, event
        elif event.kind == DRAIN_END:
            ended = ended or event.value == 0
        elif event.kind in _LATER and ended and found == "parked":
            found = "asleep"
        elif event.kind == RESTORED and found == "parked":
            found = "left_behind"
        elif found == "answered" and _is_end_of_handler(event, own):
            found = "written"
    return "popped" if found == "answered" else found


def _is_end_of_handler(event: Event, own: Event) -> bool:
    """Whether the handler that answered a request has ended; `own` is the answer."""
    return event.kind == HANDLER_END and (event.actor, event.queue) == (own.actor, own.queue)


def _held(request: int, events: Events, until: Event) -> str:
    """Return its `standing`; with ``-uncounted`` if a polling drain should have waited for it."""
    was = standing(request, events, until)
    return f"{was}-uncounted" if was in _HELD and _missed(request, events, until) else was


def _missed(request: int, events: Events, until: Event) -> bool:
    """Whether a polling drain has returned after a held request was free to go on."""
    may_go_on = missed = False
    held_by = until
    for event in events:
        if event is until:
            break
        if event.request == request and event.kind in _STANDING:
            may_go_on, missed, held_by = False, False, event
        elif event.kind == DRAIN_END and held_by.kind == PARK:
            may_go_on = may_go_on or event.value == 0
        elif event.kind == VM_CONT and held_by.kind == RETRY:
            may_go_on = True
        elif event.kind == DRAIN_RET and event.flag == 1:
            missed = missed or may_go_on
    return missed


def came_from(violation: Violation, events: Events) -> str:
    """State of the request before its submit; ``-uncounted`` if a drain returned without it."""
    submit = violation.second
    uncounted = False
    for event in events:
        if event is submit:
            break
        if event.kind == DRAIN_RET:
            uncounted = event.value == 0
        elif event.kind == DRAIN_END:
            uncounted = uncounted and event.value != 0
    was = standing(submit.request, events, submit)
    return f"{was}-uncounted" if uncounted else was


def missed_by_drain(violation: Violation, events: Events) -> str:
    """State of the request that the drain missed; `in_flight` if the drain counted some."""
    if violation.state == "in_flight":
        return violation.state
    was = standing(violation.first.request, events, violation.second)
    if was == "in_flight":
        return "uncounted"
    # A stop waits for handlers by itself, before it drains: a failure of that is another mistake.
    in_stop = was == "popped" and Frame.STOP in frames_of(violation.second)
    return f"{was}-in_stop" if in_stop else was


def outlived_reset(violation: Violation, events: Events) -> str:
    """State of the request when the last reset returned, and its first effect afterwards."""
    last = violation.first
    for event in events:
        if event is violation.second:
            break
        if event.kind == RESET_RET:
            last = event
    was = standing(violation.second.request, events, last)
    return f"{was}-{violation.state}"


def pushed_again(violation: Violation, events: Events) -> str:
    """Reason of the second push: the request was retried after the first, or resumed twice."""
    pushed, submits = False, 0
    for event in events:
        if event.request == violation.second.request:
            if event.kind == RETRY and pushed:
                return "retried"
            pushed = pushed or event is violation.first
            submits = 0 if event.kind in _HOLDS else submits + (event.kind == SUBMIT)
        if event is violation.second:
            break
    return "resumed_twice" if submits > 1 else violation.state


def left_in_use(violation: Violation, events: Events) -> str:
    """State of the request that a reset left in use."""
    if violation.state != "left_in_use":
        return violation.state
    return f"left_in_use-{_held(violation.first.request, events, violation.second)}"


def left_by_stop(violation: Violation, events: Events) -> str:
    """Whether the stop itself attached the notifier that it left attached."""
    if violation.state == "left_attached" and Frame.STOP in frames_of(violation.first):
        return "attached_by_stop"
    return violation.state


def attached_by_stop(violation: Violation, events: Events) -> str:
    """Whether a stop made the wrong attachment; the end of a drain does so for other reasons."""
    attach = violation.second if violation.second.kind == ATTACH else violation.first
    by_stop = violation.state in ("attached", "closed") and Frame.STOP in frames_of(attach)
    return f"{violation.state}-in_stop" if by_stop else violation.state


def inside_or_beside(violation: Violation, events: Events) -> str:
    """Whether the other handler runs in another thread, or further out in the same one."""
    if violation.state != "handler":
        return violation.state
    same = violation.first.actor == violation.second.actor
    return "handler" if same else "handler-beside"


def held_at_stop(violation: Violation, events: Events) -> str:
    """What held the request; if nothing did, its exact state is left out, as it is a race."""
    if violation.state != "nowhere":
        return violation.state
    was = _held(violation.first.request, events, violation.second)
    return f"nowhere-{'under_way' if was in _UNDER_WAY else was}"


def kick_lost(violation: Violation, events: Events) -> str:
    """What the device did last for the queue of the lost kick, or left out."""
    kick, queue = violation.first, violation.first.queue
    after = events[events.index(kick) :]
    attached = [event for event in after if event.kind == ATTACH and event.queue == queue]
    if attached:
        return "attached_by_start" if Frame.START in frames_of(attached[-1]) else "attached_again"
    if _failed_start(events):
        return "failed_start" if not kick.flag or _failed_start(after) else "failed_start-sent"
    return "sent" if kick.flag else _suppressed(kick, events)


def _failed_start(events: Events) -> bool:
    """Whether the last start failed."""
    starts = [event for event in events if event.kind == START_RET]
    return bool(starts) and starts[-1].flag == 1


def _suppressed(kick: Event, events: Events) -> str:
    """Why the guest did not kick: kicks were suppressed (`silent`), or avail_event was old."""
    enabled, polled, attached, before = True, False, False, 0
    for event in events[: events.index(kick)]:
        if event.queue != kick.queue:
            continue
        if event.kind == NOTIFICATION:
            enabled, polled, attached = event.flag == 1, before == POLL_BEGIN, False
        elif event.kind == ATTACH:
            attached = True
        before = event.kind
    if enabled:
        return "suppressed"
    return "silent-attached_again" if polled and attached else "silent"


def waits_for(violation: Violation, events: Events) -> str:
    """What the call waits for: the state of a request that is stuck; nothing if none is left."""
    cancelled = {event.request for event in events if event.kind == CANCEL}
    requests = {event.request for event in events if event.request}.difference(cancelled)
    doing = {standing(request, events, violation.second) for request in requests}
    for stage in ("parked", "asleep", "resumed", "to_retry", "in_flight", "popped"):
        if stage in doing:
            return f"{violation.state}-{stage}"
    return violation.state


def unfinished(violation: Violation, events: Events) -> str:
    """State of the request that never ended."""
    return standing(violation.first.request, events, violation.second)


def not_taken_up(violation: Violation, events: Events) -> str:
    """Where the request is that a restored device did not take up, or how the kick was lost.

    `resumed`: it came with the state, and was not submitted.
    """
    if violation.state == "request":
        request = violation.first.request
        came = any(event.kind == RESUMED and event.request == request for event in events)
        return f"request-{'resumed' if came else standing(request, events, violation.second)}"
    if violation.state == "available":
        until = events[: events.index(violation.second)]
        how = "failed_start" if _failed_start(until) else kick_lost(violation, until)
        return f"available-{how}"
    return violation.state


def of_old_device(violation: Violation, events: Events) -> str:
    """State of the request when the device that it belongs to was saved; none for a flush."""
    was = standing(violation.second.request, events, violation.first)
    return f"{violation.state}-{was}" if was else violation.state


def dropped(violation: Violation, events: Events) -> str:
    """What a request was doing that was dropped; not told where the reset of a queue did it."""
    return violation.state or standing(violation.second.request, events, violation.second)


def call_missed(violation: Violation, events: Events) -> str:
    """Whether the device was stopping at the push, or the driver changed which calls it wants."""
    before = events[: events.index(violation.first)]
    last = [event.kind for event in before if event.kind in _STOPS][-1:]
    if last == [STOP_CALL]:
        return f"{violation.state}-in_stop"
    changed = _calls_changed(violation.first, before)
    return f"{violation.state}-new_wish" if changed else violation.state


_STOPS: Final = frozenset({STOP_CALL, STOP_RET})
_CALL_CHANGES: Final = frozenset({USED_EVENT, SUPPRESS_CALLS})


def _calls_changed(push: Event, before: Events) -> bool:
    """Whether the driver changed which calls it wants after the request was dequeued.

    A device that reads this too early then uses the old value.
    """
    dequeued = False
    for event in before:
        if event.kind == POP and event.request == push.request:
            dequeued = True
        elif dequeued and event.kind in _CALL_CHANGES and event.queue == push.queue:
            return True
    return False
