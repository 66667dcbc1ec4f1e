"""What all tests share: where the package under test comes from, ctrl-C, Hypothesis profiles."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from hypothesis import HealthCheck, settings

import vblkfuzz

# Example counts, not time, bound a property: machines differ, and no test may depend on its speed.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what runs in the background with ctrl-C ignored, and children inherit that: tests
# of ctrl-C must not depend on how they were started.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    return f"vblkfuzz from {Path(vblkfuzz.__file__).parent}"
