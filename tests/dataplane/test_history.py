"""A bug shows on exactly the revisions between the commit that introduced it and its fix.

Each bug has a scenario in corpus/regress, whose file has the expected verdict. `SHOWN` lists the
revisions. No revision may show a bug of `LATER_BUGS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given

from tests.conformance.inputs import fuzz_inputs
from tests.dataplane.test_properties import SCENARIOS
from tests.dataplane.test_scenarios import INIT, LATER_BUGS, Bug, name, violations
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.oracle.judge import RULES, judge
from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import Text, read_text
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_RET, END, SUBMIT

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus" / "regress"

ALL = ("qemu-8.0", "patch-v4", "qemu-8.1", "qemu-9.0", "qemu-10.2")
SERIES = ALL[1:]
LOCKED = ("patch-v4", "qemu-8.1")
LOCK_FREE = ("qemu-9.0", "qemu-10.2")

SHOWN: Final[dict[str, tuple[str, ...]]] = {
    # B1, B1b: open, and older than the drain series
    "s1-early-kick-in-drain": ALL,
    "s1-reset-in-drain": ALL,
    "s1-reset-in-mirror": ALL,
    "s1-stop-in-drain": ALL,
    "s1-system-reset-in-drain": ALL,
    "s4-direct-kick-parked": ALL,
    "s10-parked-request-of-failed-start": ALL,
    "s4-parked-request-after-reset": ALL,
    "s6-foreign-used-entry": ALL,
    "s6-stale-push": ALL,
    "s7-inuse-underflow": ALL,
    "s7-broken-by-good-driver": ALL,
    "s7-left-in-use": ALL,
    # B1c: open
    "s16-parked-at-stop": ALL,
    "s17-drain-ends-while-stopped": ALL,
    # The generation of the configuration: open
    "s15-generation-with-interrupt": ALL,
    # B2: 75dcb4d790
    "s1-wrong-context": ("patch-v4",),
    "s8-start-attaches-twice": ("patch-v4",),
    "s8-stop-leaves-attached": ("patch-v4",),
    "s9-stop-closes-attached": ("patch-v4",),
    # B3: with the AioContext lock the handler waits too long, without it the drain not long enough
    "s1-handler-waits-for-lock": LOCKED,
    "s3-handler-not-submitted": LOCK_FREE,
    "s10-handler-outlives-stop": LOCK_FREE,
    "s10-poll-handler-outlives-stop": LOCK_FREE,
    "s12-handler-in-two-threads": LOCK_FREE,
    # B4, B4b: 5bdbaebcce, 52bff01f64
    "l1-drain-while-polling": LOCKED,
    "l1-published-in-drain-while-polling": LOCKED,
    "s13-drain-while-polling": LOCKED,
    "s13-stop-while-polling": ("qemu-8.0", *LOCKED),
    # B7: 8eeaa706ba counts the request; its submission inside the drain is a bug of its own
    "s2-drain-again-at-once": ALL[:-1],
    # B13: open, introduced with drained_begin and drained_end
    "l1-failed-start-suppressed": ALL,
    "s8-failed-start-attaches": SERIES,
    "s9-failed-start-attaches": SERIES,
    # B15: since 75dcb4d790 stop clears `started` before it drains; bfa36802d1 checks the thread
    "s10-call-while-stopping": ("qemu-8.1",),
    # B38: open
    "s6-queue-reset-in-flight": ALL,
    "s14-write-after-queue-reset": ALL,
}

FIXED: Final[dict[str, frozenset[str]]] = {
    "qemu-8.0": frozenset({"S3", "S9", "S12", "L4"}),
    "patch-v4": frozenset({"S12", "L4"}),
    "qemu-8.1": frozenset({"S3", "S8", "S9", "S12", "L4"}),
    "qemu-9.0": frozenset({"S8", "S9", "S13", "L1", "L4"}),
    "qemu-10.2": frozenset({"S8", "S9", "S13", "L1", "L4"}),
    "reference": frozenset(rule.id for rule in RULES),
}
"""Rules that a revision breaks only after a failed start (B13)."""


def read(slug: str) -> Text:
    path = CORPUS / slug / "scenario.toml"
    return read_text(path.read_text(), path.name)


B1_IN_8_0: Final = "s1-stop_bh-host_notifier_read"
"""Place of B1 in 8.0, whose stop runs its bottom half even in a drain."""


def signatures(device: str, scenario: Scenario) -> set[str]:
    found = {each.signature for each in violations(device, scenario)}
    if B1_IN_8_0 in found:
        paths = ("reset", "vm_stop")
        found |= {f"s1-{path}-stop-cleanup_host_notifier-host_notifier_read" for path in paths}
    return found


def shows(device: str, text: Text) -> bool:
    assert text.expectation is not None
    return text.expectation.signature in signatures(device, text.scenario)


@pytest.mark.parametrize("slug", SHOWN)
def test_a_bug_shows_where_history_says(slug: str) -> None:
    text = read(slug)
    assert tuple(device for device in REVISIONS if shows(device, text)) == SHOWN[slug]


@pytest.mark.parametrize("slug", SHOWN)
def test_what_shows_is_known(slug: str) -> None:
    text = read(slug)
    for device in SHOWN[slug]:
        assert text.expectation is not None
        assert explanation(text.expectation.signature, REVISIONS[device].known)


def test_neighbours_in_history_differ() -> None:
    shown = [{slug for slug in SHOWN if device in SHOWN[slug]} for device in REVISIONS]
    differ = [one != other for one, other in pairwise(shown)]
    assert differ == [True, True, True, True, True]


@pytest.mark.parametrize("bug", LATER_BUGS, ids=name)
@pytest.mark.parametrize("device", REVISIONS)
def test_no_revision_has_the_bugs_of_others(device: str, bug: Bug) -> None:
    assert bug.rule not in {each.rule for each in violations(device, bug.scenario)}


def events(device: str, scenario: Scenario) -> tuple[Event, ...]:
    with model(device, "inline") as target:
        return target.run(scenario).events


@pytest.mark.parametrize(("device", "waits"), [(device, device == "qemu-10.2") for device in ALL])
def test_a_drain_waits_for_woken_requests(device: str, waits: bool) -> None:
    """B7: since 8eeaa706ba the drain returns after the request, not before it."""
    trace = events(device, read("s2-drain-again-at-once").scenario)
    until_submit = takewhile(lambda event: event.kind != SUBMIT, trace)
    returns = [event for event in until_submit if event.kind == DRAIN_RET]
    assert len(returns) == (1 if waits else 2)


@pytest.mark.parametrize(("device", "drains"), [("qemu-9.0", 0), ("qemu-10.2", 1)])
def test_a_start_drains_though_the_context_stays(device: str, drains: int) -> None:
    trace = events(device, Scenario(DeviceConfig(iothreads=0), (INIT,)))
    assert len([event for event in trace if event.kind == DRAIN_CALL]) == drains


# --- Known holes ------------------------------------------------------------------------------


def test_the_reference_has_no_known_hole() -> None:
    assert REVISIONS["reference"].known == {}


@pytest.fixture(scope="module", params=REVISIONS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with model(request.param, "inline") as made:
        yield made


def check(target: Target, scenario: Scenario) -> set[str]:
    """Check that the device settles and has known holes only; return the rules it breaks."""
    trace = target.run(scenario)
    assert trace.events[-1].kind == END
    found, known = judge(scenario, trace).violations, REVISIONS[target.device].known
    assert [each.signature for each in found if not explanation(each.signature, known)] == []
    return {each.rule for each in found}


@given(scenario=SCENARIOS)
def test_any_scenario_shows_only_what_is_known(target: Target, scenario: Scenario) -> None:
    check(target, scenario)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_inputs_show_only_what_is_known(target: Target, seed: int) -> None:
    """A known hole is recognised by its signature; some fixes show only as missing signatures."""
    for scenario in map(decode, fuzz_inputs(seed, 500)):
        broken = check(target, scenario)
        if "start_fail" not in {each.name for each in scenario.ops}:
            assert not broken & FIXED[target.device]


def test_the_inputs_find_the_holes() -> None:
    """The tests above need inputs that find the known holes."""
    broken = dict.fromkeys(REVISIONS, frozenset[str]())
    for device in REVISIONS:
        with model(device, "inline") as target:
            for scenario in map(decode, fuzz_inputs(1, 1500)):
                broken[device] |= check(target, scenario)
    assert {"S8", "S9", "S1", "S4", "S6", "S7", "S13", "L1"} <= broken["patch-v4"]
    assert {"S1", "S4", "S6", "S7", "S13", "L1"} <= broken["qemu-8.1"]
    assert {"S1", "S4", "S6", "S7", "S10"} <= broken["qemu-9.0"] & broken["qemu-10.2"]
    assert not broken["reference"]
