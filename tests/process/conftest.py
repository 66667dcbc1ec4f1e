"""Fixture of the process tests: a started target with its actors and the expected traces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.leftovers import await_end, descendants, nothing_left
from tests.process.crew import Crew
from vblkfuzz.targets.model import model


@pytest.fixture
def crew() -> Iterator[Crew]:
    """A target of mode `processes`; none of its processes or fds may be left after the test."""
    with nothing_left(), model("patch-v4", "processes") as target:
        yield Crew(target)
        actors = descendants()
    await_end(actors)
