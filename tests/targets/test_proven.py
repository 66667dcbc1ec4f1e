"""When a scenario itself shows that its device still works."""

from __future__ import annotations

import pytest

from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.targets.proven import is_proven, queues_in_use
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    COLLECT,
    DRIVER_INIT,
    FEATURES,
    HOSTILE,
    KICK,
    OP,
    POP,
    PUBLISH,
    QUEUE_RESET,
    RESET_CALL,
    STRAY_KICK,
)
from vblkfuzz.virtio.request.blk import F_MQ

ONE, MANY = Event(0, FEATURES), Event(0, FEATURES, value=1 << F_MQ)
DRAIN = Event(0, OP, flag=CODES["drain_end"])
RESET = Event(0, RESET_CALL)


def served(queue: int = 0, flag: int = 0) -> list[Event]:
    return [Event(0, kind, queue=queue, flag=flag) for kind in (PUBLISH, KICK, POP, COLLECT)]


def test_without_anything_that_can_hurt_it_is_proven() -> None:
    assert is_proven([], 4)
    assert is_proven([MANY, *served(), RESET, MANY, Event(0, DRIVER_INIT)], 4)


@pytest.mark.parametrize("kind", [BROKEN, HOSTILE, QUEUE_RESET, STRAY_KICK])
def test_what_can_hurt_it_is_followed_by_a_proof(kind: int) -> None:
    assert not is_proven([ONE, *served(), Event(0, kind)], 4)
    assert is_proven([ONE, Event(0, kind), *served()], 4)


@pytest.mark.parametrize("name", ["drain_begin", "drain_end", "stop", "resize", "hold", "poll_on"])
def test_operations_of_others_than_the_guest_can_hurt_it(name: str) -> None:
    assert not is_proven([ONE, *served(), Event(0, OP, flag=CODES[name])], 1)


@pytest.mark.parametrize("name", ["init", "reset", "kick", "publish_kick", "collect"])
def test_those_of_the_guest_cannot(name: str) -> None:
    assert is_proven([ONE, *served(), Event(0, OP, flag=CODES[name])], 1)


def test_each_queue_in_use_needs_a_proof() -> None:
    assert not is_proven([MANY, DRAIN, *served(0)], 2)
    assert is_proven([MANY, DRAIN, *served(0), *served(1)], 2)
    assert is_proven([ONE, DRAIN, *served(0)], 2)


def test_the_request_must_be_dequeued_afterwards() -> None:
    publish, kick, pop, collect = served()
    assert is_proven([ONE, publish, kick, DRAIN, pop, collect], 1)
    assert not is_proven([ONE, publish, kick, pop, DRAIN, collect], 1)


def test_it_must_end_well() -> None:
    assert not is_proven([ONE, DRAIN, *served(flag=2)], 1)


def test_a_reset_with_a_request_under_way_can_hurt_it() -> None:
    publish, *others = served()
    assert not is_proven([ONE, publish, RESET], 1)
    assert is_proven([ONE, publish, *others, RESET], 1)
    assert is_proven([ONE, publish, Event(0, DRIVER_INIT), RESET], 1)


def test_without_multiqueue_a_driver_uses_one_queue() -> None:
    assert queues_in_use([], 4) == 1
    assert queues_in_use([MANY, ONE], 4) == 1
    assert queues_in_use([ONE, MANY], 4) == 4
