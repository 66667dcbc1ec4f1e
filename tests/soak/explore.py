"""No switch of threads at any moment breaks the reference: ``pytest -s tests/soak/explore.py``.

Not collected by a plain `pytest`. Every scenario of corpus/ that is written as text, under every
schedule of at most VBLKFUZZ_DEVIATIONS deviations (2); of those with more than a dozen operations,
under every schedule of one. `-k NAME` chooses scenarios.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vblkfuzz.explore.deviations import explore
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.targets.model import model

MOST = int(os.environ.get("VBLKFUZZ_DEVIATIONS", "2"))
SHORT = 12
"""Operations."""
CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))

pytestmark = pytest.mark.timeout(0)


def slug(path: Path) -> str:
    return str(path.relative_to(CORPUS).with_suffix("")).removesuffix("/scenario")


@pytest.mark.parametrize("path", FILES, ids=slug)
def test_the_reference_is_silent(path: Path) -> None:
    count = 0
    scenario = read_input(str(path)).scenario
    most = MOST if len(scenario.ops) <= SHORT else min(MOST, 1)
    with model("reference", "inline") as target:
        for visit in explore(target, scenario, most):
            count += 1
            found = visit.execution.verdict.violations
            assert not found, (visit.execution.scenario.schedule, found)
    print(f" {slug(path)}: {count:,} schedules of at most {most}")
