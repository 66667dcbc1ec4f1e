"""A crew: its members open what they need themselves, and close it in the end."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from vblkfuzz.bench.crew import Crew
from vblkfuzz.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def test_each_member_does_its_share_and_closes(tmp_path: Path) -> None:
    @contextmanager
    def work() -> Iterator[Callable[[], object]]:
        own = tmp_path / str(os.getpid())
        own.touch()
        with own.open("a") as file:
            yield lambda: print("piece", file=file, flush=True)
        own.rename(own.with_suffix(".closed"))

    with Crew(2, work) as crew:
        assert crew.rate(3) > 0
        assert crew.rate(2) > 0
    assert [path.read_text() for path in tmp_path.glob("*.closed")] == ["piece\n" * 5] * 2


def test_a_member_that_ends_is_a_fault_of_the_harness() -> None:
    @contextmanager
    def work() -> Iterator[Callable[[], object]]:
        yield lambda: os._exit(1)

    with Crew(2, work) as crew, pytest.raises(HarnessError, match="has ended by itself"):
        crew.rate(1)
