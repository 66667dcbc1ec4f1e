from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.oracle.judge import RULES
from vblkfuzz.oracle.naming.consequence import causes
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.trace.event import Event, Frame
from vblkfuzz.trace.kinds import ATTACH, END, NOTIFIER_OPEN, PUSH, START_RET, STOP_RET

NAMINGS = {rule.id: rule.naming for rule in RULES}


def violation(rule: str, turn: int, state: str = "", path: int = 0, request: int = 0) -> Violation:
    at_the_end = rule.startswith("L") or state == "left_drained"
    kind = END if at_the_end else PUSH
    event = Event(turn, kind, path=path, request=request)
    return Violation(rule, event, event, "They clash.", state, NAMINGS[rule])


def kept(*violations: Violation) -> list[str]:
    return [one.rule for one in causes(violations)]


@given(st.lists(st.tuples(st.sampled_from(sorted(NAMINGS)), st.integers(0, 9)), max_size=8))
def test_there_is_always_a_cause(found: list[tuple[str, int]]) -> None:
    violations = [violation(rule, turn) for rule, turn in sorted(found, key=lambda each: each[1])]
    left = causes(violations)
    assert bool(left) == bool(violations)
    assert set(left) <= set(violations)
    assert causes(left) == left


def test_one_request_that_should_not_have_been_taken() -> None:
    chain = [violation(rule, turn) for turn, rule in enumerate(("S1", "S7", "S4", "S6", "S7"))]
    assert kept(*chain) == ["S1"]
    assert kept(*chain[1:]) == ["S7"]
    assert kept(*chain[2:]) == ["S4"]


def test_a_thread_that_never_returns_or_never_rests_owes_what_it_was_about_to_do() -> None:
    for rule in ("L2", "L5"):
        for owed in ("L1", "L3", "L4"):
            assert kept(violation(owed, 5), violation(rule, 5 - (rule == "L5"))) == [rule]


def test_a_back_end_that_is_not_used_cannot_go_on_with_what_it_had() -> None:
    for rule in ("S44", "S46"):
        assert kept(violation(rule, 5), violation("L3", 9), violation("S38", 9)) == [rule]


def test_what_comes_before_is_no_consequence() -> None:
    assert kept(violation("S6", 1), violation("S1", 2)) == ["S6", "S1"]


def test_of_two_rules_about_one_event_the_first_counts() -> None:
    assert kept(violation("S6", 1), violation("S7", 1)) == ["S6"]


def test_a_wrong_attachment_leads_to_handlers_that_dequeue_not_to_a_stop_that_does() -> None:
    attached = violation("S8", 1, "twice", Frame.START)
    stop = int.from_bytes(bytes([Frame.STOP, Frame.HOST_NOTIFIER_READ]), "big")
    assert kept(attached, violation("S1", 2, path=Frame.HOST_NOTIFIER_READ)) == ["S8"]
    assert kept(attached, violation("S1", 2, path=stop)) == ["S8", "S1"]


def test_what_follows_from_wrong_attachments_threads_and_suppressed_kicks() -> None:
    assert kept(violation("S8", 1, path=Frame.START), violation("S9", 2)) == ["S8"]
    assert kept(violation("S9", 1), violation("L1", 9)) == ["S9"]
    assert kept(violation("S13", 1), violation("L1", 9)) == ["S13"]
    assert kept(violation("S10", 1), violation("S12", 2), violation("L4", 9)) == ["S10", "L4"]
    assert kept(violation("S4", 1), violation("S10", 2)) == ["S4"]


def test_a_stop_of_the_vm_that_only_some_handlers_obey() -> None:
    by_handler = violation("S17", 2, path=Frame.HOST_NOTIFIER_READ)
    assert kept(violation("S10", 1, "not_started"), by_handler) == ["S10"]
    assert kept(violation("S10", 1, "beside"), by_handler) == ["S10", "S17"]
    assert kept(violation("S8", 1, "left_attached"), by_handler) == ["S8"]
    assert kept(violation("S8", 1, "left_attached"), violation("S17", 2)) == ["S8", "S17"]


def test_a_handler_that_should_not_be_there_polls_for_ever_or_starts_the_device() -> None:
    assert kept(violation("S9", 1), violation("L5", 9)) == ["S9"]
    assert kept(violation("S8", 1), violation("L5", 9)) == ["S8", "L5"]
    assert kept(violation("S10", 1, "without_bql"), violation("L2", 9)) == ["S10"]
    assert kept(violation("S10", 1, "beside"), violation("L2", 9)) == ["S10", "L2"]
    assert kept(violation("S10", 9, "without_bql"), violation("L2", 9)) == ["S10"]


def test_a_notifier_that_is_reported_late_was_wrong_since_its_attach() -> None:
    attach, stopped = Event(1, ATTACH), Event(9, STOP_RET)
    left = Violation("S8", attach, stopped, "They clash.", "left_attached", NAMINGS["S8"])
    assert kept(violation("S12", 5), left) == ["S8"]
    opened, failed = Event(1, NOTIFIER_OPEN), Event(9, START_RET, flag=1)
    open_still = Violation("S9", opened, failed, "They clash.", "left_open", NAMINGS["S9"])
    assert kept(violation("S12", 5), open_still) == ["S12"]


def test_at_the_end_calls_that_did_not_return_come_first() -> None:
    end = [violation(rule, 9, "left_drained" if rule == "S11" else "") for rule in ("S11", "L1")]
    assert kept(*end) == ["S11"]
    assert kept(*end, violation("L2", 9, "drain-parked"), violation("L2", 9, "stop")) == ["L2"]


def test_a_drain_that_missed_a_lost_request_is_no_cause() -> None:
    drained, lost = violation("S3", 1, "done"), violation("L3", 9, "done")
    assert kept(drained) == ["S3"]
    assert kept(drained, lost) == ["L3"]
    assert kept(violation("S3", 1, "popped"), lost) == ["S3"]
    assert kept(violation("S3", 1, "written"), lost) == ["S3"]
    assert kept(violation("S16", 1, "nowhere-under_way"), lost) == ["L3"]
    assert kept(violation("S16", 1, "nowhere-under_way", request=2), lost) == ["S16"]
    assert kept(violation("S16", 1, "nowhere-under_way"), violation("L3", 9, "popped")) == ["S16"]
    assert kept(violation("S16", 1, "nowhere-asleep"), lost) == ["S16"]
    assert kept(violation("S16", 1, "nowhere-asleep"), violation("L3", 9, "asleep")) == ["L3"]
    assert kept(violation("S3", 1, "asleep"), violation("S7", 9, "left_in_use-asleep")) == ["S7"]
    assert kept(violation("S16", 1, "nowhere-parked"), lost) == ["S16"]


def test_a_verdict_has_its_causes() -> None:
    chain = (violation("S1", 1), violation("S6", 2))
    assert Verdict(chain).causes == chain[:1]
    assert Verdict().causes == ()


def test_a_request_that_goes_on_is_dropped_later_and_one_that_was_dropped_goes_on() -> None:
    assert kept(violation("S7", 1), violation("S18", 2)) == ["S7"]
    assert kept(violation("S18", 1), violation("S6", 2)) == ["S18"]


def test_what_the_probe_finds_follows_from_whatever_is_wrong_before() -> None:
    counts, dead = violation("S40", 7), violation("S38", 9)
    assert kept(counts, dead) == ["S40"]
    assert kept(violation("S1", 2), counts, dead) == ["S1"]
    assert kept(counts, dead, violation("L3", 9)) == ["L3"]
    assert kept(dead, counts) == ["S40"]


def test_but_not_from_a_spin_that_has_ended() -> None:
    assert kept(violation("L6", 2), violation("S38", 9)) == ["L6", "S38"]
    assert kept(violation("L6", 2), violation("S40", 9)) == ["L6", "S40"]
