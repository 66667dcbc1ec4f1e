"""What all tests share: the package under test, ctrl-C, Hypothesis profiles, limits of time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import vblkfuzz
from tests.waiting import WAIT_S
from vblkfuzz.process import supervisor

# Example counts, not time, bound a property: machines differ, and no test may depend on its speed.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what runs in the background with ctrl-C ignored, and children inherit that: tests
# of ctrl-C must not depend on how they were started.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _no_answer_is_late() -> Iterator[None]:
    """On a busy machine a healthy actor may be silent for long; tests of hangs set a limit."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("ANSWER_LIMIT_S", "RESPAWN_LIMIT_S"):
            patch.setattr(supervisor, limit, WAIT_S)
        yield


def pytest_report_header() -> str:
    return f"vblkfuzz from {Path(vblkfuzz.__file__).parent}"
