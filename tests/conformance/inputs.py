"""Scenarios to run targets on: random bytes, and chains of mutations as a campaign makes them."""

from __future__ import annotations

from random import Random

from tests.strategies import on_virtio_blk
from vblkfuzz.limits import MAX_DEVIATIONS, MAX_OPS, MAX_POINT
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario


def fuzz_inputs(seed: int, count: int) -> list[bytes]:
    """Return canonical inputs: every fourth from random bytes, the others mutated."""
    random, mutator = Random(seed), Mutator(seed)
    pool = [b""] * 64
    made = []
    for index in range(count):
        at = random.randrange(len(pool))
        if index % 4 == 0:
            data = encode(on_virtio_blk(decode(random.randbytes(random.randrange(MAX_BYTES)))))
        elif index % 10 == 9:
            data = mutator.crossover(pool[at], random.choice(pool), MAX_BYTES)
        else:
            data = mutator.mutate(pool[at], MAX_BYTES)
        if index % 4:  # random bytes make long stories; mutations of those would all be long
            pool[at] = data
        made.append(data)
    return made


def biggest() -> Scenario:
    """Return a scenario at every limit of size."""
    ops = [op("init"), *[Op(CODES["publish_kick"], index % 4) for index in range(MAX_OPS - 1)]]
    step = MAX_OPS // MAX_DEVIATIONS
    places = [(index * step, (index * 5) % MAX_POINT) for index in range(MAX_DEVIATIONS)]
    schedule = [Deviation(*place, Go(index % len(Go))) for index, place in enumerate(places)]
    return Scenario(DeviceConfig(queues=4, iothreads=2), tuple(ops), tuple(schedule))


def every_operation(device: DeviceConfig) -> Scenario:
    """Return a scenario with each operation once, after an init."""
    return Scenario(device, (op("init"), *[Op(code) for code in range(len(OPS))]))


def delaying() -> Scenario:
    """Return a scenario whose schedule delays stores of the guest and of whoever serves it."""
    ops = (op("init"), *[op("publish_kick")] * 4, op("collect"))
    points = enumerate((6, 2, 6, 2), start=1)
    schedule = tuple(Deviation(index, point, Go.NEXT, delayed=True) for index, point in points)
    return Scenario(DeviceConfig(event_idx=False), ops, schedule)
