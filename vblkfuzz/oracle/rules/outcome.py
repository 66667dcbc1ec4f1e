"""The rule of outcomes: S21. The status that the guest is told is what has happened.

The backend ends a request well or with an error. The error policy of the device (`rerror` for
reads, `werror` for all others) says what an error becomes: `report` ends the request with IOERR,
`ignore` with OK, `stop` keeps it until the VM goes on and the backend has ended it again; `enospc`
is `stop` if the disk is full, else `report`. A request of an unknown type ends with UNSUPP.

A request without SUBMIT is not judged by its backend result: it had none, or the device does not
show it. What the guest finds (COLLECT) is judged on any device; that it finds no status at all is
a consequence of S14 where that is judged, too. Source: virtio 1.2, 5.2.6.2; QEMU
blk_get_error_action, virtio_blk_handle_rw_error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.answered import Answered
from vblkfuzz.oracle.attention import judge_attention
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.backend import RESULTS
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import NO_STATUS, STATUS_OF
from vblkfuzz.trace.ending import RETRY as ASKED_AGAIN
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    HOSTILE,
    IO_DONE,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    RETRY,
    SUBMIT,
)
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.blk import F_DISCARD, F_FLUSH, F_WRITE_ZEROES, BlkStatus

FAILURE_TOLD = Situation("failure_told", "The guest found IOERR in a request that had failed.")
FAILURE_IGNORED = Situation(
    "failure_ignored",
    "A request that the backend had failed was pushed with OK, as it should be.",
    witnesses=Witness.DEVICE,
)
FAILURE_RETRIED = Situation(
    "failure_retried",
    "A request that the backend had failed was pushed after its retry.",
    witnesses=Witness.DEVICE,
)
UNSUPPORTED_TOLD = Situation(
    "unsupported_told", "The guest found UNSUPP in a request of an unknown type."
)

_IN, _OUT, _FLUSH, _GET_ID, _UNKNOWN = (
    REQUESTS.index(name) for name in ("in", "out", "flush", "get_id", "unsupported")
)
_FEATURE_OF: Final = {
    _FLUSH: F_FLUSH,
    REQUESTS.index("discard"): F_DISCARD,
    REQUESTS.index("write_zeroes"): F_WRITE_ZEROES,
}
"""Feature bit that allows a request type."""
_NONE: Final = 63
"""A bit that no feature has."""
_ENOSPC: Final = RESULTS.index("enospc")
_OK, _IOERR, _UNSUPP = (int(status) for status in BlkStatus)
_STATUS_FOR: Final = {"report": _IOERR, "ignore": _OK}
"""Status of a failed request, by error action."""
_FAILED_TOLD: Final = {_OK: "failed_told_ok", _UNSUPP: "failed_told_unsupp"}
"""State, by the status that should be IOERR."""
_WRITES: Final = frozenset(REQUESTS.index(name) for name in ("out", "discard", "write_zeroes"))
_ODD_LENGTH: Final = SHAPES.index("odd_length")


@rule(
    "S21",
    title="The status of a request is its outcome: the backend's result, by the error policy.",
    source="virtio 1.2, 5.2.6.2; QEMU blk_get_error_action, virtio_blk_handle_rw_error",
    instead=(
        "A request that the backend ended well ends with OK, a failed one as `rerror` or `werror` "
        "says, one of an unknown type with UNSUPP. The status does not change after that. Only a "
        "failure that `stop` or `enospc` names is retried. virtio-scsi asks again for a "
        "reason only."
    ),
    needs=(SUBMIT, IO_DONE, RETRY, PUSH, COLLECT),
    situations=(FAILURE_TOLD, FAILURE_IGNORED, FAILURE_RETRIED, UNSUPPORTED_TOLD),
    witnesses=Witness.GUEST,
    path="none",
    leads_to=("S21", "S22"),
    leads_to_in={"not_retried": REQUEST_GOES_ON, "not_ended": REQUEST_GOES_ON},
)
def S21(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The status that is pushed, then the one that the guest finds."""
    outcomes = _Outcomes(scenario.device, report)
    submitted, ended = outcomes.submitted, outcomes.ended
    asked_again = False
    for event in events:
        kind = event.kind
        if kind == SUBMIT:
            submitted[event.request] = event
            if event.request in ended:
                del ended[event.request]
        elif kind == IO_DONE:
            ended[event.request] = event
        elif kind == PUSH:
            done = ended.get(event.request)
            if done is None or done.flag or event.flag or outcomes.retried:  # the rare case
                outcomes.push(event)
        elif kind == RETRY:
            outcomes.retry(event)
        elif kind == COLLECT and event.flag >= NO_STATUS:  # the rare case
            if event.flag == NO_STATUS:
                _judge_no_status(event, report)
            asked_again = asked_again or event.flag == ASKED_AGAIN
    if asked_again:
        judge_attention(report.events, scenario.device.units, report)
    for found in report.answered:
        request, _, _, push, collect = found
        if collect.flag or (push is not None and push.flag) or request.flag == _UNKNOWN:
            _judge_found(found, report)


class _Outcomes:
    """What the backend has made of each request."""

    __slots__ = ("_device", "_report", "ended", "retried", "submitted")

    def __init__(self, device: DeviceConfig, report: Report) -> None:
        self._device = device
        self._report = report
        self.submitted: dict[int, Event] = {}
        """The last SUBMIT of each request, by serial."""
        self.ended: dict[int, Event] = {}
        """The IO_DONE after it."""
        self.retried: set[int] = set()
        """Serials of requests that failed and were kept for a retry."""

    def retry(self, event: Event) -> None:
        """Judge a request that waits for the VM to continue: it failed, or it was parked."""
        done = self.ended.get(event.request)
        if done is None:
            return
        self.retried.add(event.request)
        submit = self.submitted.get(event.request)
        if done.flag != _OK and submit is not None:
            setting, policy, action = self._policy(submit.flag, done.flag)
            if action != "stop":
                self._report_retried(submit.flag, done, event, f"{setting}={policy}")

    def _report_retried(self, code: int, done: Event, retry: Event, setting: str) -> None:
        sentence = (
            f"The backend ended request {retry.request} ({word(REQUESTS, code)}) with "
            f"{word(RESULTS, done.flag)} at turn {done.turn}, which {setting} does not retry, but "
            f"at turn {retry.turn} it began to wait for the VM to continue."
        )
        self._report.violation(done, retry, sentence, "retried")

    def push(self, push: Event) -> None:
        """Judge the status of a PUSH by the backend's result."""
        serial = push.request
        submit, done = self.submitted.get(serial), self.ended.get(serial)
        if submit is None:
            if done is None and push.flag == _IOERR:
                self._judge_refused(push)
        elif done is None:
            self._report_not_ended(submit, push)
        else:
            self._judge_result(submit.flag, done, push)

    def _judge_refused(self, push: Event) -> None:
        """A request without a range has no reason to be refused. S14 judges the others.

        A flush may fail as well because a write before it has failed.
        """
        events = self._report.events
        request = _request_of(push, events)
        code = None if request is None else request.flag
        if request is not None and (
            code == _GET_ID or (code == _FLUSH and not _write_failed(push, events))
        ):
            sentence = (
                f"The backend had not failed request {push.request} "
                f"({word(REQUESTS, request.flag)}) of turn {request.turn}, but it was pushed "
                f"with IOERR at turn {push.turn}."
            )
            self._report.violation(request, push, sentence, "refused")

    def _report_not_ended(self, submit: Event, push: Event) -> None:
        sentence = (
            f"Request {push.request} ({word(REQUESTS, submit.flag)}) was pushed with "
            f"{_name(push.flag)} at turn {push.turn}; it was submitted at turn {submit.turn}, and "
            f"the backend had not ended it."
        )
        self._report.violation(submit, push, sentence, "not_ended")

    def _judge_result(self, code: int, done: Event, push: Event) -> None:
        if push.request in self.retried:
            self._report.met(FAILURE_RETRIED)
        if done.flag == _OK:
            if push.flag != _OK:
                self._report_status(code, done, push, "", "ok_told_failed")
            return
        setting, policy, action = self._policy(code, done.flag)
        if action == "stop":
            why = f", which {setting}={policy} retries"
            self._report_status(code, done, push, why, "not_retried")
        elif push.flag != _STATUS_FOR[action]:
            why = f", which {setting}={policy} makes {_name(_STATUS_FOR[action])}"
            failed = _FAILED_TOLD.get(push.flag, "failed_told_unknown")
            state = "ignored_told_failed" if action == "ignore" else failed
            self._report_status(code, done, push, why, state)
        elif action == "ignore":
            self._report.met(FAILURE_IGNORED)

    def _policy(self, code: int, result: int) -> tuple[str, str, str]:
        """Return name and value of the setting for a failed request, and the action it means."""
        if code == _IN:
            return "rerror", self._device.rerror, self._device.rerror
        werror = self._device.werror
        if werror == "enospc":
            return "werror", werror, "stop" if result == _ENOSPC else "report"
        return "werror", werror, werror

    def _report_status(self, code: int, done: Event, push: Event, why: str, state: str) -> None:
        sentence = (
            f"The backend ended request {push.request} ({word(REQUESTS, code)}) with "
            f"{word(RESULTS, done.flag)} at turn {done.turn}{why}, but it was pushed with "
            f"{_name(push.flag)} at turn {push.turn}."
        )
        self._report.violation(done, push, sentence, state)


def _write_failed(push: Event, events: Sequence[Event]) -> bool:
    """Return whether the backend had failed a write before a PUSH, also before a reset.

    A device may keep that in mind: what the write has left on the disk is unknown.
    """
    writes: set[int] = set()
    for event in events:
        if event is push:
            break
        if event.kind == SUBMIT and event.flag in _WRITES:
            writes.add(event.request)
        elif event.kind == IO_DONE and event.flag and event.request in writes:
            return True
    return False


def _request_of(push: Event, events: Sequence[Event]) -> Event | None:
    """Return the REQUEST that a PUSH ends; None if its rings are gone, or broken."""
    request = None
    for event in events:
        if event is push:
            break
        kind = event.kind
        if kind in (HOSTILE, DRIVER_INIT):
            request = None
        elif event.queue == push.queue:
            if kind == QUEUE_RESET:
                request = None
            elif event.head == push.head and kind in (REQUEST, COLLECT):
                request = event if kind == REQUEST else None
    return request


def _judge_no_status(collect: Event, report: Report) -> None:
    """Each request of rings that the guest has not broken has a status in the end."""
    request = _unbroken_request(collect, report.events)
    if request is not None:
        sentence = (
            f"The guest found no status that the standard knows at turn {collect.turn}, for the "
            f"request of turn {request.turn} ({word(REQUESTS, request.flag)})."
        )
        report.violation(request, collect, sentence, "no_status")


def _unbroken_request(collect: Event, events: Sequence[Event]) -> Event | None:
    """Return the REQUEST that a COLLECT ends; None if there is none, or if its rings are broken."""
    hostile = False
    for event in events:
        if event is collect:
            break
        hostile = event.kind == HOSTILE or (hostile and event.kind != DRIVER_INIT)
    return None if hostile else _request_of(collect, events)


def _judge_found(found: Answered, report: Report) -> None:
    """Judge the status that the guest finds."""
    request, _, _, push, collect = found
    status = STATUS_OF[collect.flag]
    if push is not None and push.flag != status and push.value == collect.value:
        sentence = (
            f"Head {push.head} of queue {push.queue} was pushed with {_name(push.flag)} at turn "
            f"{push.turn}, but the guest found {_name(status)} at turn {collect.turn}."
        )
        report.violation(push, collect, sentence, "changed")
    if request.flag == _UNKNOWN:
        _judge_unknown(request, collect, status, report)
    elif status == _UNSUPP:
        _judge_unsupported(found, report)
    elif status == _IOERR:
        report.met(FAILURE_TOLD)


def _judge_unknown(request: Event, collect: Event, status: int, report: Report) -> None:
    """An unknown type is unsupported."""
    if status == _UNSUPP:
        report.met(UNSUPPORTED_TOLD)
        return
    sentence = (
        f"The request of turn {request.turn} has an unknown type, so it must end with UNSUPP, but "
        f"the guest found {_name(status)} at turn {collect.turn}."
    )
    report.violation(request, collect, sentence, "unsupported")


def _judge_unsupported(found: Answered, report: Report) -> None:
    """What both sides have agreed on is never unsupported.

    The standard names no status for data of an odd length: its driver breaks a rule (5.2.6.1).
    """
    request, collect = found.request, found.collect
    agreed = _agreed(found)
    if agreed or (request.flag in (_IN, _OUT) and found.shape != _ODD_LENGTH):
        why = "which the driver has negotiated" if agreed else "which every device supports"
        sentence = (
            f"The guest found UNSUPP at turn {collect.turn} in the request of turn {request.turn} "
            f"({word(REQUESTS, request.flag)}), {why}."
        )
        report.violation(request, collect, sentence, "not_supported")


def _agreed(found: Answered) -> bool:
    """Whether the driver has negotiated a request, of a shape that the device has to serve.

    Framing is the driver's choice (2.7.4), and zeroes may have the flag unmap (5.2.6.1).
    """
    request = found.request.flag
    feature = _FEATURE_OF.get(request, _NONE)
    served = answer(found.shape, request) is Answer.SERVED
    return served and bool(found.features.value >> feature & 1)


def _name(status: int) -> str:
    return BlkStatus(status).name if status in STATUS_OF.values() else f"status {status}"
