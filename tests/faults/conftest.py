"""What the tests of faults share: a campaign that does not survive its test; the long form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.campaign import Campaign

LONG: Final = os.environ.get("VBLKFUZZ_FAULTS") == "all"
long = pytest.mark.skipif(not LONG, reason="not in the short form: tox -e faults")
"""A fault that the ordinary tests leave out, because it takes long."""
ONE_WORKER: Final = ("--workers", "1", "--seed", "5")
RUNS: Final = ("--runs", "60")
"""A campaign of a few seconds, which finds something."""


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    """A campaign in a folder of its own; whatever is left of it ends with the test."""
    one = Campaign(tmp_path)
    yield one
    one.kill_all()
