"""How many names a bug gets: the signatures of the causes in findings of one device."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

from vblkfuzz.executor import run_scenario
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import MAX_BYTES, decode
from vblkfuzz.targets.model import model

SPREAD: Final = {
    "cleanup_reads": 3,
    "lost_completion": 4,
    "pause_point": 3,
    "recount_late": 4,
    "signalled_used_wrong": 3,
    "stop_from_main": 4,
    "wakes_one": 3,
}
"""Defects that may have more than two signatures; docs/decisions/0007 says why."""


def names(device: str, seed: int, count: int, tries: int) -> Counter[str]:
    """Count the signatures of all causes in up to `count` findings of up to `tries` inputs.

    Inputs are mutated from findings; otherwise a rare bug would show in one form only.
    """
    random, mutator = Random(seed), Mutator(seed)
    pool, found, seen = [b""] * 64, 0, Counter[str]()
    with model(device, "inline") as target:
        for _ in range(tries):
            at = random.randrange(len(pool))
            fresh = random.random() < 0.05
            pool[at] = mutator.mutate(b"" if fresh else random.choice(pool), MAX_BYTES)
            causes = run_scenario(target, decode(pool[at])).verdict.causes
            seen.update({violation.signature for violation in causes})
            found += bool(causes)
            if found == count:
                break
    return seen
