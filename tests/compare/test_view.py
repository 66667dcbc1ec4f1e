"""The guest's view: registers, calls, memory, endings, findings; and that freedom is not in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.compare.observed import REST, SET_UP, collect, push, request, values, view
from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.compare.difference import differences
from vblkfuzz.compare.key import Key
from vblkfuzz.compare.view import FINDING, View, view_of
from vblkfuzz.executor import run_scenario
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CALLED,
    CONFIG_READ,
    CRASH,
    ENABLE_READ,
    FEATURES,
    HANG,
    HOSTILE,
    MEMORY_CHANGED,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    STATUS_READ,
    STEP_LIMIT,
    SUPPRESS_CALLS,
    USED_EVENT,
    USED_FLAGS,
    WRITEBACK_READ,
)
from vblkfuzz.trace.place import Place
from vblkfuzz.trace.witness import MODEL, Witness

ENDING = "at the end"
CALLS = "queue 0 calls for a used entry"
BREACH = Event(0, HOSTILE, queue=0)
ORDERS = {"system_reset", "resize", "power_loss", "hold", "complete"}
"""Operations whose place among the others decides how a request ends."""


@pytest.mark.parametrize("seed", [3, 4])
def test_a_schedule_changes_nothing_in_it(seed: int) -> None:
    """When a device serves requests is its own business; the same device under any schedule."""
    ran = 0
    with model("reference", "inline") as target:
        for scenario in map(decode, fuzz_inputs(seed, 400)):
            if not scenario.schedule or ORDERS & {one.name for one in scenario.ops}:
                continue
            ran += 1
            raced = view_of(run_scenario(target, scenario))
            settled = view_of(run_scenario(target, replace(scenario, schedule=())))
            assert differences([[raced], [settled]]) == []
    assert ran > 100


def test_features() -> None:
    seen = view(Event(0, FEATURES, head=1 << 13, length=1 << 13), REST)
    assert values(seen, "offers discard") == ["yes"]
    assert values(seen, "offers event_idx") == ["yes"]
    assert values(seen, "offers flush") == ["no"]


@pytest.mark.parametrize(
    ("read", "what", "value"),
    [
        (Event(0, STATUS_READ, value=0x4F), "device status", "0x4f"),
        (Event(0, ENABLE_READ, queue=0, flag=1), "queue_enable after a reset", "enabled"),
        (Event(0, CONFIG_READ, head=9, value=8), "capacity", "8 sectors"),
        (Event(0, WRITEBACK_READ, value=1), "writeback after it was set", "1"),
    ],
)
def test_registers(read: Event, what: str, value: str) -> None:
    assert values(view(read, REST), what) == [value]
    assert values(view(BREACH, read, REST), what) == []
    reset, set_up = Event(0, RESET_RET), Event(0, FEATURES)
    assert values(view(BREACH, reset, set_up, read, REST), what) == [value]


def test_a_reset_of_the_system_may_choose_any_cache_mode() -> None:
    read, reset = Event(0, WRITEBACK_READ, value=1), Event(0, RESET_RET)
    what = "writeback after it was set"
    assert values(view(read, reset, read, REST), what) == ["1"]
    assert values(view(read, reset, Event(0, FEATURES), read, REST), what) == ["1", "1"]


def test_the_generation_is_the_devices_own() -> None:
    one, other = (view(Event(0, CONFIG_READ, head=at, value=8), REST) for at in (1, 2))
    assert one.sights == other.sights


class TestCalls:
    served = (request(0), push(), collect())
    yes = Event(0, CALLED, queue=0, flag=1)

    def test_one_is_as_good_as_two(self) -> None:
        assert values(view(SET_UP, *self.served, self.yes, REST), CALLS) == ["yes"]
        assert values(view(SET_UP, *self.served, self.yes, self.yes, REST), CALLS) == ["yes"]

    def test_none(self) -> None:
        assert values(view(SET_UP, *self.served, Event(0, CALLED, queue=0), REST), CALLS) == ["no"]

    def test_nothing_served(self) -> None:
        assert values(view(SET_UP, self.yes, REST), CALLS) == []

    def test_each_life_of_the_device(self) -> None:
        seen = view(SET_UP, *self.served, self.yes, SET_UP, *self.served, REST)
        assert values(seen, CALLS) == ["yes", "no"]

    @pytest.mark.parametrize(
        "doubt",
        [
            Event(0, SUPPRESS_CALLS, queue=0, flag=1),
            Event(0, USED_EVENT, queue=0),
            Event(0, QUEUE_RESET, queue=0),
            Event(0, RESET_CALL, flag=1),
            BREACH,
        ],
    )
    def test_a_device_that_need_not_call(self, doubt: Event) -> None:
        seen = view(SET_UP, doubt, *self.served, SET_UP, *self.served, REST)
        assert values(seen, CALLS) == ["no"]


class TestMemory:
    what = "writes memory: past buffer"
    changed = Event(0, MEMORY_CHANGED, flag=Place.PAST_BUFFER)

    def test_changed_or_not(self) -> None:
        assert values(view(self.changed, REST), self.what) == ["yes"]
        assert values(view(REST), self.what) == ["no"]

    def test_flags_of_the_used_ring(self) -> None:
        what = "sets unknown flags in the used ring"
        assert values(view(Event(0, USED_FLAGS), REST), what) == ["yes"]
        assert values(view(REST), what) == ["no"]

    def test_a_lost_device_cannot_show_it(self) -> None:
        assert values(view(Event(0, CRASH, flag=6)), self.what) == []

    def test_nor_one_whose_driver_broke_the_protocol(self) -> None:
        assert values(view(BREACH, self.changed, REST), self.what) == []

    def test_nor_one_that_polls(self) -> None:
        assert values(view(REST, device=DeviceConfig(polling=True)), self.what) == []


@pytest.mark.parametrize(
    ("event", "ending"),
    [
        (REST, "at rest"),
        (Event(0, STEP_LIMIT), "never at rest"),
        (Event(0, HANG, flag=0), "hangs"),
        (Event(0, CRASH, flag=6), "SIGABRT"),
        (Event(0, CRASH, flag=0, value=1), "exit 1"),
    ],
)
def test_endings(event: Event, ending: str) -> None:
    assert values(view(event), ENDING) == [ending]


def test_a_crash_is_the_same_whatever_the_binary_prints() -> None:
    one, other = (view(Event(0, CRASH, flag=6, path=path)) for path in (1, 2))
    assert one.sights == other.sights


def test_a_hang_of_a_device_that_polls_is_up_to_the_clock() -> None:
    assert values(view(Event(0, HANG), device=DeviceConfig(polling=True)), ENDING) == []


def broken(rule: str, at: int, state: str = "") -> Verdict:
    event = Event(at, STATUS_READ)
    return Verdict((Violation(rule, event, event, "It is wrong.", state),))


class TestFindings:
    def finding(self, seen: View, signature: str) -> str | None:
        return seen.value(Key(FINDING, 0, signature))

    def test_yes_and_no(self) -> None:
        seen = view(REST, verdict=broken("S4", 0))
        (signature,) = [key.what for key in seen.sights if key.kind == FINDING]
        assert self.finding(seen, signature) == "yes"
        assert self.finding(view(REST), signature) == "no"

    def test_a_lost_device_cannot_say_no(self) -> None:
        assert self.finding(view(Event(0, CRASH, flag=6)), "s4-reset") is None

    def test_nor_one_on_which_the_rule_is_not_sound(self) -> None:
        assert self.finding(view(REST, witnesses=Witness.GUEST), "s4-reset") is None

    def test_nor_can_anybody_about_a_rule_that_does_not_exist(self) -> None:
        assert self.finding(view(REST), "s999-x") is None

    def test_what_follows_a_broken_rule_is_not_compared(self) -> None:
        early, late = Event(0, STATUS_READ, value=1), Event(0, STATUS_READ, value=2)
        seen = view(early, late, REST, verdict=broken("S4", 1))
        assert values(seen, "device status") == ["0x01"]
        assert values(seen, "used entry without a request") == []
        assert values(seen, TestMemory.what) == []
        assert values(seen, ENDING) == ["at rest"]

    def test_what_is_up_to_the_clock_while_it_polls(self) -> None:
        polls = DeviceConfig(polling=True)
        seen = view(REST, verdict=broken("S24", 0, "after_reset"), device=polls)
        assert not [key for key in seen.sights if key.kind == FINDING]
        assert [
            key
            for key in view(REST, verdict=broken("S24", 0, "after_reset")).sights
            if key.kind == FINDING
        ]

    def test_so_while_it_polls_at_times(self) -> None:
        scenario = Scenario(ops=(op("init"), op("poll_on")))
        with model("reference", "inline") as target:
            seen = view_of(run_scenario(target, scenario))
        assert values(seen, TestMemory.what) == []


def test_a_device_that_is_not_known_to_rest_may_serve_and_call_later() -> None:
    served = (request(0), push(), collect(), request(0, head=1))
    for witnesses, status in ((MODEL, ["ok", "never served"]), (MODEL & ~Witness.REST, ["ok"])):
        seen = view(SET_UP, *served, REST, witnesses=witnesses)
        assert values(seen, "in: status") == status
        assert len(values(seen, CALLS)) == len(values(seen, TestMemory.what)) == len(status) - 1
