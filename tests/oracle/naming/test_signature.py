from __future__ import annotations

import pytest
from hypothesis import given

from tests.oracle.events import traces
from vblkfuzz.oracle.judge import judge, rule_named
from vblkfuzz.oracle.naming.signature import signature
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event, path_text
from vblkfuzz.trace.trace import Trace


def named(rule: str, path: str, state: str) -> str:
    written = rule_named(rule)
    assert written
    return signature(rule, written.naming, path, state)


@pytest.mark.parametrize(
    ("rule", "path", "state", "expected"),
    [
        ("S1", "reset > stop > host_notifier_read", "", "s1-reset-stop-host_notifier_read"),
        # The caller of the reset does not matter; a reset or a VM stop in the path does.
        ("S1", "system_reset > reset > stop > poll", "", "s1-reset-stop-poll"),
        ("S1", "vm_stop > stop > poll", "", "s1-vm_stop-stop-poll"),
        ("S1", "vm_cont > start", "", "s1-start"),
        ("S1", "direct_kick", "", "s1-direct_kick"),
        ("S1", "", "", "s1"),
        ("S7", "reset > reset", "left", "s7-reset-left"),
        # These rules use less of the path.
        ("S8", "reset > stop > blk_drain > drained_end", "twice", "s8-drained_end-twice"),
        ("S9", "reset > stop > blk_drain > drained_end", "closed", "s9-drained_end-closed"),
        ("S13", "vm_cont > start", "attach", "s13-attach"),
        ("S3", "snapshot", "popped", "s3-popped"),
        ("S11", "mirror > blk_drain", "drained_end", "s11-drained_end"),
        # All handlers make this mistake, so the handler does not matter.
        ("S6", "complete", "not_popped", "s6-not_popped"),
        ("S7", "direct_kick", "broken", "s7-broken"),
        ("S7", "vm_stop > stop > poll", "broken", "s7-vm_stop-stop-host_notifier_read-broken"),
        ("S12", "host_notifier_read > poll", "handler", "s12-handler"),
        ("S12", "poll > start", "start_again", "s12-host_notifier_read-start-start_again"),
        ("S14", "host_notifier_read", "refused", "s14-refused"),
        # Polled and kicked handlers count as one, except where polling is the mistake.
        ("S17", "poll", "pop", "s17-host_notifier_read-pop"),
        ("S10", "host_notifier_read > poll", "beside", "s10-host_notifier_read-beside"),
        ("S1", "poll", "", "s1-poll"),
        ("PLANTED", "poll", "", "planted-poll"),
        # Queues are attached at a start and at the end of a drain, by the same function.
        ("S10", "vm_cont > start", "beside", "s10-attach-beside"),
        ("S10", "queue_reset > drained_end", "beside", "s10-attach-beside"),
        ("S12", "queue_reset > drained_end", "handler-beside", "s12-handler-beside"),
        ("S12", "vm_stop > stop", "handler-beside", "s12-vm_stop-stop-handler-beside"),
        ("S10", "poll > start", "without_bql", "s10-host_notifier_read-start-without_bql"),
        ("S10", "", "beside", "s10-beside"),
        # A device outside this project may use frames of its own.
        ("S1", "0xfe", "", "s1-0xfe"),
    ],
)
def test_what_tells_causes_apart(rule: str, path: str, state: str, expected: str) -> None:
    assert named(rule, path, state) == expected


def test_a_signature_that_fits_is_not_cut_and_a_longer_one_keeps_its_name() -> None:
    fits = "x" * (80 - len("s1-"))
    assert named("S1", "", fits) == f"s1-{fits}"
    assert named("S1", "", f"{fits}x") == "s1-" + "x" * 68 + "-6f2b1dda"


@given(traces())
def test_a_name_from_the_cache_is_the_name(events: tuple[Event, ...]) -> None:
    for found in judge(Scenario(), Trace(events)).violations:
        path = found.path and path_text.__wrapped__(found.second.path)
        assert found.path == path
        assert found.signature == signature.__wrapped__(found.rule, found.naming, path, found.state)
