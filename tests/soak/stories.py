"""The reduction of `explore --stories` hides nothing: ``pytest -s tests/soak/stories.py``.

Not collected by a plain `pytest`. For each of VBLKFUZZ_STORY_DEFECTS planted defects (40) and each
alphabet, one story of three operations under every schedule of two deviations, and one of four
under every schedule of one, with the reduction and without it: the same outcomes for the guest and
the same findings. VBLKFUZZ_SEED chooses defects and stories. The last line has how many schedules
were run with it and without it.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.explore.test_branches import inline
from tests.explore.unreduced import NOTHING, reduced, unreduced
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.explore.alphabets import ALPHABETS, alphabet
from vblkfuzz.explore.stories import stories

SEED = int(os.environ.get("VBLKFUZZ_SEED", "0"))
COUNT = int(os.environ.get("VBLKFUZZ_STORY_DEFECTS", "40"))
CHANCE = random.Random(SEED)
NAMES = CHANCE.sample(sorted(DEFECTS), min(COUNT, len(DEFECTS)))
DEVICES = ["reference", "patch-v4", *(f"reference+{name}" for name in NAMES)]
CASES = [
    (device, CHANCE.choice(list(stories(alphabet(name), length))), most)
    for device in DEVICES
    for name in ALPHABETS
    for length, most in ((3, 2), (4, 1))
]
RUNS = [0, 0]

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize(("device", "story", "most"), CASES)
def test_the_reduction_hides_nothing(device: str, story: tuple[object, ...], most: int) -> None:
    with inline(device) as target:
        every = unreduced(target, story, most)  # type: ignore[arg-type]
        left = reduced(target, story, most)  # type: ignore[arg-type]
    RUNS[0] += left.runs
    RUNS[1] += every.runs
    print(f" {left.runs:,} of {every.runs:,} schedules; sum {RUNS[0]:,} of {RUNS[1]:,}")
    assert every.missing_in(left) == NOTHING
    assert left.missing_in(every) == NOTHING
