"""The state that each circumstance function gives a violation.

Each example is a trace as in `cases/`; `first` and `second` mark the events of the violation.
"""

from __future__ import annotations

import pytest

from tests.oracle.case_file import event, marked
from vblkfuzz.oracle.judge import rule_named
from vblkfuzz.oracle.violation import Violation


def state(rule: str, trace: str, before: str = "") -> str:
    lines = trace.strip().splitlines()
    events = [event(turn, line.partition("#")[0]) for turn, line in enumerate(lines)]
    first, second = marked(lines, "first"), marked(lines, "second")
    assert first is not None
    assert second is not None
    violation = Violation(rule, events[first], events[second], "They clash.", before)
    written = rule_named(rule)
    assert written
    assert written.circumstance
    return written.circumstance(violation, events)


def lost(trace: str) -> str:
    """Return the state of a kick that is lost at the end of a trace."""
    return state("L1", f"{trace}\nharness end # second")


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("io0 unpark request=2", "parked"),
        ("main drain_end value=1\nio0 unpark request=2", "parked"),
        ("main drain_end value=1", "parked"),
        ("main drain_end value=0\nio0 unpark request=2", "asleep"),
        ("main drain_end value=0\nio0 unpark request=1", "resumed"),
    ],
)
def test_a_request_sleeps_once_another_went_on_after_the_drain(between: str, doing: str) -> None:
    parked = "io0 pop queue=0 request=1 # first\nio0 park request=1"
    assert state("L3", f"{parked}\n{between}\nharness end # second") == doing


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("main drain_ret flag=1", "parked"),
        ("main drain_end value=0", "parked"),
        ("main drain_end value=1\nmain drain_ret flag=1", "parked"),
        ("main drain_end value=0\nmain drain_ret flag=0", "parked"),
        ("main drain_end value=0\nmain drain_ret flag=1", "parked-uncounted"),
        (
            "main drain_end value=0\nmain drain_ret flag=1\nmain drain_end value=1",
            "parked-uncounted",
        ),
        ("main drain_end value=0\nmain drain_ret flag=1\nio0 park request=2", "parked-uncounted"),
        ("main vm_cont\nmain drain_ret flag=1", "parked"),
        ("main drain_end value=0\nmain drain_ret flag=1\nio0 unpark request=2", "asleep"),
        ("main drain_end value=0\nmain drain_end value=1\nio0 unpark request=2", "asleep"),
        ("main drain_end value=0\nmain drain_ret flag=1\nio0 park request=1", "parked"),
    ],
)
def test_a_request_that_was_woken_is_uncounted_if_the_next_drain_did_not_wait(
    between: str, doing: str
) -> None:
    parked = f"io0 pop queue=0 request=1 # first\nio0 park request=1\n{between}"
    reset, stop = "vcpu reset_ret path=reset # second", "main vm_stop_ret # second"
    after = "main drain_end value=0\nmain drain_ret flag=1"
    assert state("S7", f"{parked}\n{reset}\n{after}", "left_in_use") == f"left_in_use-{doing}"
    assert state("S16", f"{parked}\n{stop}", "nowhere") == f"nowhere-{doing}"


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("main drain_end value=0\nmain drain_ret flag=1", "to_retry"),
        ("main vm_cont\nmain drain_ret flag=0", "to_retry"),
        ("main vm_cont\nmain drain_ret flag=1", "to_retry-uncounted"),
    ],
)
def test_a_request_of_the_retry_list_may_go_on_after_cont(between: str, doing: str) -> None:
    trace = f"io0 pop queue=0 request=1 # first\nio0 retry request=1\n{between}"
    assert state("S16", f"{trace}\nmain vm_stop_ret # second", "nowhere") == f"nowhere-{doing}"


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("", "popped"),
        ("io0 memwrite queue=0 request=1", "popped"),
        ("io0 memwrite queue=0 request=1\nio0 handler_end queue=1", "popped"),
        ("io0 memwrite queue=0 request=1\nio1 handler_end queue=0", "popped"),
        ("io0 memwrite queue=0 request=1\nio0 handler_end queue=0", "written"),
        ("io0 handler_end queue=0", "popped"),
        ("io0 submit request=1\nio0 memwrite queue=0 request=1", "written"),
    ],
)
def test_a_handler_has_what_it_popped_until_it_ends(between: str, doing: str) -> None:
    pop = "io0 pop queue=0 request=1 # first"
    trace = f"{pop}\n{between}\nharness end # second".replace("\n\n", "\n")
    assert state("L3", trace) == doing


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("", "under_way"),
        ("io0 submit request=1", "under_way"),
        ("io0 submit request=1\nharness io_done request=1", "under_way"),
        ("io0 submit request=1\nio0 memwrite request=1", "under_way"),
        ("io0 unpark request=1", "under_way"),
        ("io0 park request=1", "parked"),
        ("io0 retry request=1", "to_retry"),
    ],
)
def test_a_stop_that_waits_for_nothing_finds_requests_anywhere(between: str, doing: str) -> None:
    pop = "io0 pop queue=0 request=1 # first"
    trace = f"{pop}\n{between}\nmain vm_stop_ret # second".replace("\n\n", "\n")
    assert state("S16", trace, "nowhere") == f"nowhere-{doing}"
    assert state("S16", trace, "ended") == "ended"


def test_handlers_of_one_thread_are_nested_those_of_two_run_beside_each_other() -> None:
    first, again = "io0 handler queue=0 # first", "handler queue=0 # second"
    assert state("S12", f"{first}\nio0 {again}", "handler") == "handler"
    assert state("S12", f"{first}\nmain {again}", "handler") == "handler-beside"
    assert state("S12", f"{first}\nmain {again}", "stop_again") == "stop_again"


@pytest.mark.parametrize(
    ("between", "doing"),
    [
        ("main drain_ret value=0", "resumed-uncounted"),
        ("main drain_ret value=1", "resumed"),
        ("main drain_ret value=0\nmain drain_end value=1", "resumed-uncounted"),
        ("main drain_ret value=0\nmain drain_end value=0", "resumed"),
    ],
)
def test_a_drain_that_returned_had_counted_the_request_or_not(between: str, doing: str) -> None:
    begin = "main drain_call value=1 # first\nio0 unpark request=1"
    assert state("S2", f"{begin}\n{between}\nio0 submit request=1 # second") == doing


@pytest.mark.parametrize(
    ("before", "between", "doing"),
    [
        ("", "io0 retry request=1", "retried"),
        ("", "io0 retry request=2", ""),
        ("io0 retry request=1\nio0 submit request=1\n", "", ""),
        ("io0 submit request=1\n", "", ""),
        ("io0 submit request=1\nio0 retry request=1\nio0 submit request=1\n", "", ""),
        ("io0 submit request=1\nio0 park request=1\nio0 submit request=1\n", "", ""),
        ("io0 submit request=1\n", "io0 submit request=2", ""),
        ("io0 submit request=1\n", "io0 submit request=1", "resumed_twice"),
        ("io0 submit request=1\nio0 submit request=1\n", "", "resumed_twice"),
        ("io0 park request=1\nio0 submit request=1\nio0 submit request=1\n", "", "resumed_twice"),
    ],
)
def test_what_led_to_the_second_push(before: str, between: str, doing: str) -> None:
    push = "io0 push queue=0 request=1"
    trace = f"{before}{push} # first\n{between}\n{push} # second\nio0 submit request=1"
    assert state("S5", trace.replace("\n\n", "\n")) == doing


@pytest.mark.parametrize(
    ("between", "path", "was"),
    [
        ("", "mirror", "popped"),
        ("", "mirror>stop", "popped-in_stop"),
        ("io0 unpark request=1", "stop", "resumed"),
        ("io0 submit request=1", "stop", "uncounted"),
    ],
)
def test_a_drain_that_missed_a_request_was_in_a_stop_or_not(
    between: str, path: str, was: str
) -> None:
    ret = f"main drain_ret path={path} # second"
    trace = f"io0 pop queue=0 request=1 # first\n{between}\n{ret}".replace("\n\n", "\n")
    assert state("S3", trace, "under_way") == was
    assert state("S3", trace, "in_flight") == "in_flight"


def test_only_what_a_stop_left_attached_was_attached_by_it() -> None:
    deep = ">".join(["stop", *["cleanup_host_notifier"] * 7])
    attached = f"main attach queue=0 path={deep} # first\nmain stop_ret # second"
    assert state("S8", attached, "left_attached") == "attached_by_stop"
    assert state("S8", attached, "twice") == "twice"
    by_start = attached.replace("=stop>", "=start>")
    assert state("S8", by_start, "left_attached") == "left_attached"


def test_the_last_attach_after_a_lost_kick_counts() -> None:
    kick = "guest kick queue=0 flag=1 # first"
    by_start, again = "vcpu attach queue=0 path=start", "main attach queue=0 path=drained_end"
    assert lost(f"{kick}\n{by_start}\n{again}") == "attached_again"
    assert lost(f"{kick}\n{again}\n{by_start}") == "attached_by_start"
    assert lost(f"{kick}\n{by_start}\n{by_start}\n{again}") == "attached_again"
    assert lost(f"{kick}\n{by_start}") == "attached_by_start"
    assert lost(f"{kick}\n{again.replace('queue=0', 'queue=1')}") == "sent"


def test_a_kick_lost_around_a_start_that_failed() -> None:
    failed = "vcpu start_ret flag=1"
    sent, silent = (f"guest kick queue=0 flag={flag} # first" for flag in (1, 0))
    assert lost(f"{failed}\n{sent}") == "failed_start-sent"
    assert lost(f"{failed}\n{silent}") == "failed_start"
    assert lost(f"{sent}\n{failed}") == "failed_start"
    assert lost(f"vcpu start_ret\n{sent}") == "sent"
    assert lost(f"{failed}\nvcpu start_ret\n{sent}") == "sent"
    assert lost(f"vcpu start_ret\n{failed}\n{sent}") == "failed_start-sent"


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("io0 notification queue=0 flag=1", "suppressed"),
        ("io0 notification queue=1 flag=0", "suppressed"),
        ("io0 notification queue=1 flag=1\nio0 notification queue=0 flag=0", "silent"),
        ("io0 notification queue=0 flag=0\nmain attach queue=0", "silent"),
        ("io0 poll_begin queue=0\nio0 notification queue=0 flag=0", "silent"),
        (
            "io0 poll_begin queue=0\nio0 notification queue=0 flag=0\nmain attach queue=0",
            "silent-attached_again",
        ),
    ],
)
def test_why_the_guest_did_not_kick(before: str, why: str) -> None:
    assert lost(f"{before}\nguest kick queue=0 flag=0 # first") == why


@pytest.mark.parametrize(
    ("doings", "waits_for"),
    [
        ("", "drain"),
        ("io0 pop request=1", "drain-popped"),
        ("io0 submit request=1\nio0 pop request=2", "drain-in_flight"),
        ("io0 retry request=1\nio0 submit request=2", "drain-to_retry"),
        ("io0 unpark request=1\nio0 retry request=2", "drain-resumed"),
        ("io0 park request=1\nmain drain_end\nio0 unpark request=2", "drain-asleep"),
        ("io0 park request=1\nio0 unpark request=2", "drain-parked"),
        ("io0 push request=1", "drain"),
        ("io0 park request=1\nmain cancel request=1", "drain"),
        ("io0 park request=1\nmain cancel request=2", "drain-parked"),
    ],
)
def test_a_drain_waits_for_the_request_that_is_furthest_from_its_end(
    doings: str, waits_for: str
) -> None:
    trace = f"main drain_call # first\n{doings}\nharness end # second".replace("\n\n", "\n")
    assert state("L2", trace, "drain") == waits_for


def test_a_push_in_the_second_stop_is_in_a_stop() -> None:
    stops = ["main stop_call", "main stop_ret", "main stop_call"]
    push = ["io0 push queue=0 request=1 # first", "harness end # second"]
    assert state("L4", "\n".join([*stops, *push]), "flag") == "flag-in_stop"
    assert state("L4", "\n".join([*stops, "main stop_ret", *push]), "flag") == "flag"
