"""DRIVER_OK on its own, a head that is published again, and kicks in any state."""

from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.alphabet.guest import HOSTILE_DEEDS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.kinds import (
    BROKEN,
    COLLECT,
    DRIVER_INIT,
    DRIVER_OK,
    HANDLER,
    HOSTILE,
    KICK,
    POP,
    PUBLISH,
    PUSH,
    SECTOR,
    START_RET,
    STRAY_KICK,
)
from vblkfuzz.virtio.layout import (
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FEATURES_OK,
    STATUS_NEEDS_RESET,
)

FEATURES_OK = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK
WRITTEN = f"status {FEATURES_OK | STATUS_DRIVER_OK}"


def run(*ops: Op, device: str = "reference", **config: int | bool) -> Execution:
    scenario = Scenario(DeviceConfig(**config), ops)  # type: ignore[arg-type]  # any field, by name
    with model(device, "inline") as target:
        return run_scenario(target, scenario)


def kinds(execution: Execution, *wanted: int) -> list[int]:
    return [event.kind for event in execution.trace.events if event.kind in wanted]


# --- driver_ok --------------------------------------------------------------------------------


def waiting(status: int = FEATURES_OK) -> Guest:
    """A driver that has left DRIVER_OK out; the device's status."""
    guest = Guest()
    guest.do("init", how="no_driver_ok")
    guest.transport.log.clear()
    guest.transport.status = status
    return guest


def test_driver_ok_ends_the_set_up() -> None:
    guest = waiting()
    guest.do("driver_ok")
    assert guest.transport.log == [WRITTEN]
    assert [event.flag for event in guest.events(DRIVER_INIT)] == [0, 2]
    assert len(guest.events(DRIVER_OK)) == 1


def test_driver_ok_is_written_once() -> None:
    guest = waiting()
    guest.do("driver_ok")
    guest.do("driver_ok")
    assert guest.transport.log == [WRITTEN]


@pytest.mark.parametrize("how", ["ok", "no_features"])
def test_driver_ok_is_not_written_again(how: str) -> None:
    guest = waiting()
    guest.do("init", how=how)
    guest.transport.log.clear()
    guest.do("driver_ok")
    assert guest.transport.log == []


@pytest.mark.parametrize("status", [0, FEATURES_OK | STATUS_NEEDS_RESET])
def test_driver_ok_is_not_written_to_a_device_that_was_reset_or_broke(status: int) -> None:
    guest = waiting(status)
    guest.do("driver_ok")
    assert guest.transport.log == []
    assert guest.events(DRIVER_OK) == []


EARLY = (op("init", how="no_driver_ok"), op("publish"), op("kick"))


@pytest.mark.parametrize("ioeventfd", [True, False])
def test_a_kick_before_activation_is_served(ioeventfd: bool) -> None:
    execution = run(*EARLY, op("driver_ok"), op("collect"), ioeventfd=ioeventfd)
    assert execution.verdict.clean
    assert kinds(execution, KICK, PUSH, COLLECT) == [KICK, PUSH, COLLECT]


def test_a_request_before_activation_is_served_without_a_kick_of_its_own() -> None:
    ops = (op("init", how="no_driver_ok"), op("publish"), op("driver_ok"))
    execution = run(*ops)
    assert execution.verdict.clean
    assert kinds(execution, PUBLISH, START_RET, POP) == [PUBLISH, START_RET, POP]


def test_a_device_that_loses_an_early_kick_is_found_out() -> None:
    """Without an ioeventfd, only DRIVER_OK makes it serve what was published before."""
    assert run(*EARLY, op("driver_ok"), device="reference+no_kick_on_resume").verdict.clean is False


# --- publish_again ----------------------------------------------------------------------------


def test_the_oldest_request_is_published_again() -> None:
    guest = ready()
    guest.do("publish")
    guest.do("publish")
    guest.do("publish_again")
    heads = [event.head for event in guest.events(PUBLISH)]
    assert heads == [heads[0], heads[1], heads[0]]
    assert [event.flag for event in guest.events(PUBLISH)] == [0, 0, 1]
    assert [HOSTILE_DEEDS[event.flag] for event in guest.events(HOSTILE)] == ["head_again"]
    assert guest.events(KICK)[-1].value == 3


def test_without_a_request_nothing_is_published_again() -> None:
    guest = ready()
    guest.do("publish_again")
    assert guest.events(HOSTILE) == guest.events(PUBLISH) == []


def test_its_head_is_collected_each_time_and_never_used_again() -> None:
    guest = ready()
    guest.do("publish", request="in")
    guest.do("publish_again")
    device = guest.device()
    guest.answer(device)
    guest.do("collect")
    guest.answer(device)
    guest.do("collect")
    head = guest.events(PUBLISH)[0].head
    assert [(event.head, event.flag) for event in guest.events(COLLECT)] == [(head, 0)] * 2
    assert guest.events(SECTOR) == [], "two reads share the buffer"
    guest.do("publish")
    assert guest.events(PUBLISH)[-1].head != head


def test_new_rings_forget_what_was_published_again() -> None:
    guest = ready()
    guest.do("publish", request="in")
    guest.do("publish_again")
    guest.do("init")
    guest.do("publish")
    guest.answer(guest.device())
    guest.do("collect")
    assert guest.events(COLLECT)[-1].flag == 0
    assert guest.events(SECTOR)


@pytest.mark.parametrize("held", [True, False])
def test_a_device_serves_a_head_as_often_as_it_is_published(held: bool) -> None:
    begin = (op("init"), *[op("hold")] * held, op("publish_kick"), op("publish_again"))
    execution = run(*begin, op("release"), op("collect"), op("reset"))
    assert execution.verdict.clean
    assert kinds(execution, POP, PUSH).count(PUSH) == 2
    assert kinds(execution, BROKEN) == []


def test_a_ring_that_is_too_full_breaks_the_device() -> None:
    again = [op("publish_again")] * 4
    execution = run(op("init"), op("hold"), op("publish_kick"), *again, op("reset"), queue_size=4)
    assert execution.verdict.clean
    assert kinds(execution, BROKEN) == [BROKEN]


# --- stray_kick -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before", [(), (op("init"), op("reset")), (op("init"), op("system_reset"))]
)
@pytest.mark.parametrize("queue", [0, 3])
def test_a_stray_kick_is_ignored(before: tuple[Op, ...], queue: int) -> None:
    execution = run(*before, op("stray_kick", queue=queue), queues=2)
    assert execution.verdict.clean
    at = [event.kind for event in execution.trace.events].index(STRAY_KICK)
    after = {event.kind for event in execution.trace.events[at:]}
    assert not after & {HANDLER, START_RET, POP, KICK}


@pytest.mark.parametrize("device", ["reference", "patch-v4", "qemu-10.2"])
def test_a_queue_that_the_device_does_not_have(device: str) -> None:
    ops = (op("init"), op("stray_kick", queue=3), op("publish_kick"), op("collect"))
    assert kinds(run(*ops, device=device), PUSH, COLLECT) == [PUSH, COLLECT]


def test_a_stray_kick_may_let_the_device_serve() -> None:
    execution = run(op("init"), op("publish"), op("stray_kick"))
    assert kinds(execution, STRAY_KICK, POP) == [STRAY_KICK, POP]


def test_a_stray_kick_of_a_stopped_device_owes_nothing() -> None:
    guest = Guest()
    guest.do("stray_kick", queue=2)
    assert guest.transport.log == ["kick 2"]
    assert [event.queue for event in guest.events(STRAY_KICK)] == [2]
