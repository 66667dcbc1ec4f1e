"""No switch of threads at any moment breaks the reference: ``pytest -s tests/soak/explore.py``.

Not collected by a plain `pytest`. Every scenario of corpus/ that is written as text, under every
schedule of at most VBLKFUZZ_DEVIATIONS deviations (2); `-k NAME` chooses scenarios.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vblkfuzz.campaign.explore import explore
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.target.model import model

MOST = int(os.environ.get("VBLKFUZZ_DEVIATIONS", "2"))
CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.parent.relative_to(CORPUS)))
def test_the_reference_is_silent(path: Path) -> None:
    count = 0
    with model("reference", "inline") as target:
        for visit in explore(target, read_input(str(path)).scenario, MOST):
            count += 1
            found = visit.execution.verdict.violations
            assert not found, (visit.execution.scenario.schedule, found)
    print(f"{path.parent.name}: {count:,} schedules")
