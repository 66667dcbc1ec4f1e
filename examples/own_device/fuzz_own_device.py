"""Fuzz the device by a program of your own: ``python fuzz_own_device.py -runs=20000``."""

import sys
from pathlib import Path

import atheris

from vblkfuzz.fuzz_target import FuzzTarget, arguments

DEVICE = Path(__file__).with_name("own_device.py")
LONGEST = 20_000


def test_one_input(data: bytes) -> None:
    """Check the rules of vblkfuzz, and that no input keeps the device busy for ever."""
    execution = target.run(data)
    if execution is not None:  # else there is no verdict, and target.harness_errors counts it
        target.check(execution)
        assert execution.trace.steps < LONGEST, "the device does not come to rest"


if __name__ == "__main__":
    target = FuzzTarget(f"{DEVICE}:Forgetful")
    atheris.Setup(
        arguments(sys.argv),
        test_one_input,
        custom_mutator=target.mutate,
        custom_crossover=target.crossover,
    )
    atheris.Fuzz()
