"""Findings like those of a campaign: mutated until they are long, with the bug that they show."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from vblkfuzz.executor import run_scenario
from vblkfuzz.minimize.reproduce import Bug
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import MAX_BYTES, decode
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.target import Target

_LONGER = 24
"""Number of mutations of a finding. Each is kept if the input gets no shorter and shows a bug."""
_POOL = 64


class Finding(NamedTuple):
    scenario: Scenario
    bug: Bug


def bugs(target: Target, scenario: Scenario) -> list[Bug]:
    violations = run_scenario(target, scenario).verdict.violations
    return [Bug(violation.rule, violation.signature) for violation in violations]


def inputs(seed: int) -> Iterator[bytes]:
    """Yield chains of mutations without end."""
    random, mutator = Random(seed), Mutator(seed)
    pool = [b""] * _POOL
    while True:
        at = random.randrange(_POOL)
        pool[at] = mutator.mutate(pool[at] if random.random() < 0.95 else b"", MAX_BYTES)
        yield pool[at]


def findings(target: Target, seed: int, count: int, tries: int) -> Iterator[Finding]:
    """Yield up to `count` findings of up to `tries` inputs: one for each bug of an input."""
    random, mutator = Random(seed), Mutator(seed)
    for _, data in zip(range(tries), inputs(seed), strict=False):
        if not bugs(target, decode(data)):
            continue
        scenario = decode(_longer(target, data, mutator))
        yield Finding(scenario, random.choice(bugs(target, scenario)))
        count -= 1
        if count == 0:
            return


def _longer(target: Target, data: bytes, mutator: Mutator) -> bytes:
    for _ in range(_LONGER):
        mutated = mutator.mutate(data, MAX_BYTES)
        if len(mutated) >= len(data) and bugs(target, decode(mutated)):
            data = mutated
    return data
