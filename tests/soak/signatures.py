"""One bug, one signature, on many findings: ``pytest -s tests/soak/signatures.py``.

Not collected by a plain `pytest`. VBLKFUZZ_FINDINGS sets how many findings of each defect (1000),
VBLKFUZZ_TRIES how many inputs they may take (30000), VBLKFUZZ_SEED where they begin (1). Prints the
signatures of each defect, and what it found of those that are rare.
"""

from __future__ import annotations

import os

import pytest

from tests.triage.one_name import SPREAD, names
from vblkfuzz.dataplane.defects import DEFECTS

COUNT = int(os.environ.get("VBLKFUZZ_FINDINGS", "1000"))
TRIES = int(os.environ.get("VBLKFUZZ_TRIES", "30000"))
SEED = int(os.environ.get("VBLKFUZZ_SEED", "1"))

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("defect", DEFECTS)
def test_one_bug_one_signature(defect: str) -> None:
    found = names(f"reference+{defect}", SEED, COUNT, TRIES)
    print(f"\n{defect}: {dict(found.most_common())}")
    assert len(found) <= SPREAD.get(defect, 2)
