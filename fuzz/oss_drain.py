"""Fuzz drained sections as OSS-Fuzz and ClusterFuzzLite do: one process, the flags of libFuzzer.

    python fuzz/oss_drain.py -runs=100000 corpus-folder
    python fuzz/oss_drain.py crash-0123abc

The device is `reference`, on which no rule must be violated, or the one that ``VBLKFUZZ_DEVICE``
names. docs/oss-fuzz.md says how it is built and started there.
"""

# No `from __future__`: for a coverage report, OSS-Fuzz puts code of its own before this file.
import os
import sys

import atheris

from vblkfuzz.fuzz_target import FuzzTarget, arguments

if __name__ == "__main__":
    target = FuzzTarget(os.environ.get("VBLKFUZZ_DEVICE", "reference"))
    atheris.Setup(
        arguments(sys.argv),
        target.test_one_input,
        custom_mutator=target.mutate,
        custom_crossover=target.crossover,
    )
    atheris.Fuzz()
