from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.driver import guest as guest_module
from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.limits import SLOTS_PER_QUEUE
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    ENABLE_READ,
    HOSTILE,
    KICK,
    PUBLISH,
    STATUS_READ,
    SUPPRESS_CALLS,
    USED_EVENT,
)
from vblkfuzz.virtio.layout import (
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FAILED,
    STATUS_FEATURES_OK,
)

DRIVER = STATUS_ACKNOWLEDGE | STATUS_DRIVER
FEATURES_OK = DRIVER | STATUS_FEATURES_OK
DRIVER_OK = FEATURES_OK | STATUS_DRIVER_OK
GUEST_OPS = [Op(code) for code, spec in enumerate(OPS) if spec.owner == "guest"]


# --- Set-up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "log", "flag"),
    [
        ("ok", [f"status {DRIVER}", f"status {FEATURES_OK}", "queue 0", f"status {DRIVER_OK}"], 1),
        ("no_driver_ok", [f"status {DRIVER}", f"status {FEATURES_OK}", "queue 0"], 2),
        (
            "no_features",
            [f"status {DRIVER}", "queue 0", f"status {DRIVER | STATUS_DRIVER_OK}"],
            1,
        ),
    ],
)
def test_init_goes_as_far_as_requested(how: str, log: list[str], flag: int) -> None:
    guest = Guest()
    guest.do("init", how=how)
    assert guest.transport.log == log
    assert [event.flag for event in guest.events(DRIVER_INIT)] == [0, flag]
    assert (guest.transport.accepted is None) == (how == "no_features")


@pytest.mark.parametrize("before", [(), ("reset",)])
def test_an_init_of_a_device_that_is_lost_resets_first(before: tuple[str, ...]) -> None:
    """A driver begins with a reset (3.1.1); without one, nothing takes a new connection."""
    guest = Guest()
    for name in before:
        guest.do(name)
    guest.transport.log.clear()
    guest.transport.lost = True
    guest.do("init")
    assert guest.transport.log[0] == "status 0"


def test_a_second_init_resets_first() -> None:
    guest = ready()
    guest.transport.log.clear()
    guest.do("init")
    assert guest.transport.log[0] == "status 0"


def test_an_init_after_a_reset_need_not_reset() -> None:
    guest = ready()
    guest.do("reset")
    guest.transport.log.clear()
    guest.do("init")
    assert guest.transport.log[0] == f"status {DRIVER}"


def test_new_rings_never_lie_at_the_addresses_of_the_last_ones() -> None:
    guest = ready()
    first = guest.transport.layouts[0]
    guest.do("init")
    second = guest.transport.layouts[0]
    guest.do("queue_reset")
    assert {first, second} == {ring_layout(0, 8, 0), ring_layout(0, 8, 1)}
    assert guest.transport.layouts[0] == first


def test_every_queue_is_set_up() -> None:
    guest = ready(queues=3)
    assert sorted(guest.transport.layouts) == [0, 1, 2]


@pytest.mark.parametrize("operation", GUEST_OPS, ids=lambda each: each.name)
def test_before_init_nothing_reaches_the_device(operation: Op) -> None:
    if operation.name in ("init", "reset", "stray_kick"):
        return
    guest = Guest()
    guest.run(operation)
    assert guest.transport.log == []
    assert guest.ring.read() == []


@pytest.mark.parametrize("operation", GUEST_OPS, ids=lambda each: each.name)
def test_after_a_reset_nothing_reaches_the_device(operation: Op) -> None:
    if operation.name in ("init", "reset", "stray_kick"):
        return
    guest = ready()
    guest.do("reset")
    guest.transport.log.clear()
    guest.run(operation)
    assert guest.transport.log == []


# --- Requests ---------------------------------------------------------------------------------


def test_a_publish_does_not_kick() -> None:
    guest = ready()
    guest.do("publish", request="out", sector=3)
    assert "kick 0" not in guest.transport.log
    chain = guest.device().pop()
    assert chain is not None
    (event,) = guest.events(PUBLISH)
    assert (event.queue, event.head, event.value, event.flag) == (0, chain.head, 1, 0)


def test_a_kick_is_sent_if_the_device_asks_for_it() -> None:
    guest = ready()
    guest.do("publish_kick")
    guest.do("publish_kick")  # the device has not asked for a kick at the second entry
    assert guest.transport.log.count("kick 0") == 1
    assert [(event.flag, event.value) for event in guest.events(KICK)] == [(1, 1), (0, 2)]


def test_the_queue_of_an_operation_wraps() -> None:
    guest = ready(queues=2)
    guest.do("publish_kick", queue=3)
    assert "kick 1" in guest.transport.log


@pytest.mark.parametrize("size", [4, 32])
@pytest.mark.parametrize("indirect", [False, True])
def test_a_full_ring_is_a_no_op(size: int, indirect: bool) -> None:
    guest = ready(size=size, indirect=indirect)
    for _ in range(40):
        guest.do("publish")
    published = len(guest.events(PUBLISH))
    assert published == (
        min(size, SLOTS_PER_QUEUE) if indirect else min(size // 3, SLOTS_PER_QUEUE)
    )
    end = guest.device()
    assert sum(end.pop() is not None for _ in range(published)) == published


def test_collecting_frees_the_slots() -> None:
    guest = ready(size=32)
    end = guest.device()
    for round_ in range(3 * SLOTS_PER_QUEUE):
        guest.do("publish")
        guest.answer(end)
        guest.do("collect")
        assert len(guest.events(COLLECT)) == round_ + 1
    assert all(event.flag == 0 for event in guest.events(COLLECT))


def test_an_id_that_was_never_made_available_is_foreign() -> None:
    guest = ready()
    end = guest.device()
    end.push(5, 1)
    end.push(0xFFFF_FFFF, 1)
    guest.do("collect")
    found = [(event.flag, event.head) for event in guest.events(COLLECT)]
    assert found == [(1, 5), (1, 0xFFFF)]


def test_an_id_that_is_used_twice_is_foreign_the_second_time() -> None:
    guest = ready()
    guest.do("publish")
    end = guest.device()
    guest.answer(end)
    end.push(0, 1)
    guest.do("collect")
    assert [event.flag for event in guest.events(COLLECT)] == [0, 1]


def test_collecting_with_a_wrong_used_index_ends() -> None:
    guest = ready()
    end = guest.device()
    end.used_idx = 40_000
    end.push(0, 1)
    guest.do("collect")
    assert len(guest.events(COLLECT)) == 64


def test_indirect_tables_are_used_if_negotiated() -> None:
    for indirect, free in ((True, 7), (False, 5)):
        guest = ready(indirect=indirect)
        guest.do("publish")
        assert guest.driver.queues[0].ring.num_free == free


def test_calls_are_suppressed_and_delayed() -> None:
    guest = ready()
    end = guest.device()
    guest.do("set_used_event", ahead=3)
    calls = []
    for _ in range(4):
        guest.do("publish")
        chain = end.pop()
        assert chain is not None
        end.push(chain.head, 1)
        calls.append(end.should_call())
        guest.do("collect")
    assert calls == [True, False, False, True]
    guest.do("suppress_calls", on="yes")
    layout = guest.transport.layouts[0]
    assert guest.memory.u16[layout.avail >> 1] == 1
    guest.do("suppress_calls", on="no")
    assert guest.memory.u16[layout.avail >> 1] == 0
    guest.do("set_used_event", ahead=2)
    assert [event.value for event in guest.events(USED_EVENT)] == [3, 6]
    assert [event.flag for event in guest.events(SUPPRESS_CALLS)] == [1, 0]


@pytest.mark.parametrize(("how", "event_idx"), [("ok", 1), ("no_driver_ok", 1), ("no_features", 0)])
def test_the_end_of_init_records_whether_event_indices_are_used(how: str, event_idx: int) -> None:
    guest = Guest()
    guest.do("init", how=how)
    assert [event.head for event in guest.events(DRIVER_INIT)] == [0, event_idx]


# --- Hostile ----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_hostile_content_is_recorded(content: str) -> None:
    guest = ready()
    guest.do("hostile", content=content)
    (event,) = guest.events(HOSTILE)
    assert HOSTILE_CONTENTS[event.flag] == content
    assert [event.flag for event in guest.events(PUBLISH)] == [1]
    assert len(guest.events(KICK)) == 1


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_hostile_content_needs_room(content: str) -> None:
    guest = ready(size=4)
    guest.do("publish")
    guest.do("hostile", content=content)
    assert guest.events(HOSTILE) == []


def test_hostile_contents_without_end_do_not_raise() -> None:
    guest = ready(size=32)
    for index in range(40):
        guest.do("hostile", content=HOSTILE_CONTENTS[index % len(HOSTILE_CONTENTS)])
        guest.do("collect")
    assert len(guest.events(HOSTILE)) == SLOTS_PER_QUEUE


def test_a_row_without_a_method_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"driver/guest\.py: expected a method dance of GuestDriver"
    ):
        guest_module._method("dance")


# --- Status and rest --------------------------------------------------------------------------


def test_the_status_is_read_before_a_set_up_and_after_a_reset() -> None:
    guest = ready()
    guest.do("init")
    guest.do("reset")
    assert [event.head for event in guest.events(STATUS_READ)] == [0, 0, 0]


def test_after_a_reset_queue_enable_is_read() -> None:
    guest = ready(queues=2)
    guest.transport.enabled.add(1)
    guest.do("queue_reset", queue=1)
    guest.do("reset")
    found = [(event.queue, event.flag) for event in guest.events(ENABLE_READ)]
    assert found == [(1, 1), (0, 0), (1, 1)]


def test_at_rest_it_collects_on_every_queue() -> None:
    guest = ready(queues=2)
    for queue in (0, 1):
        guest.do("publish", queue=queue)
        guest.answer(guest.device(queue))
    guest.rest()
    assert [event.queue for event in guest.events(COLLECT)] == [0, 1]
    assert [event.head for event in guest.events(STATUS_READ)] == [0, 15]


def test_at_rest_a_driver_without_rings_looks_at_the_status_only() -> None:
    guest = ready()
    guest.do("reset")
    guest.transport.log.clear()
    guest.rest()
    assert guest.transport.log == []
    assert len(guest.events(STATUS_READ)) == 3


# --- What the device refuses, and what the reset of one queue does to others --------------------


def test_a_driver_whose_features_are_refused_gives_up() -> None:
    guest = ready()
    guest.transport.refuses = True
    guest.transport.log.clear()
    guest.ring.clear()
    guest.do("init")
    given_up = f"status {DRIVER | STATUS_FAILED}"
    written = [line for line in guest.transport.log if line.startswith("status")]
    assert written == ["status 0", f"status {DRIVER}", f"status {DRIVER | 8}", given_up]
    assert [event.flag for event in guest.events(DRIVER_INIT)] == [0]
    guest.do("publish_kick")
    guest.do("driver_ok")
    assert guest.transport.log[-1] == given_up


def test_another_queue_that_a_reset_disables_is_recorded() -> None:
    guest = ready(queues=3)
    guest.transport.enabled = {0, 1, 2}
    guest.transport.disables = {1, 2}
    guest.ring.clear()
    guest.do("queue_reset", queue=1)
    assert [(event.queue, event.flag) for event in guest.events(ENABLE_READ)] == [(1, 0), (2, 0)]


def test_other_queues_that_a_reset_does_not_change_are_not_recorded() -> None:
    guest = ready(queues=3)
    guest.transport.enabled = {1}
    guest.ring.clear()
    guest.do("queue_reset", queue=2)
    assert [(event.queue, event.flag) for event in guest.events(ENABLE_READ)] == [(2, 0)]
