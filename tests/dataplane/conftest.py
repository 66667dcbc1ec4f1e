from __future__ import annotations

from collections.abc import Iterator

import pytest

from vblkfuzz.process.arena import Arena
from vblkfuzz.process.execution import SharedParts


@pytest.fixture
def parts() -> Iterator[SharedParts]:
    """Guest memory, registers, real eventfds and trace rings."""
    made = SharedParts(Arena())
    made.power_on(4)
    yield made
    made.close()
