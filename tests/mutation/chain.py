"""A chain of inputs, each made of earlier ones."""

from __future__ import annotations

from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import MAX_BYTES


def chain(seed: int, length: int) -> list[bytes]:
    """Inputs as a campaign makes them: from one or two of a pool, which they then replace."""
    mutator = Mutator(seed)
    pool = [b""] * 100
    made = []
    for index in range(length):
        data = pool[index * 7 % 100]
        if index % 10 == 9:
            made.append(mutator.crossover(data, pool[index * 11 % 100], MAX_BYTES))
        else:
            made.append(mutator.mutate(data, MAX_BYTES))
        pool[index * 7 % 100] = made[-1] if index % 20 else b""
    return made
