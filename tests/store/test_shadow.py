"""When a crash is said to hide other bugs."""

from __future__ import annotations

import pytest

from vblkfuzz.store.shadow import shadow


@pytest.mark.parametrize(
    ("seen", "execs", "said"),
    [
        ({}, 1000, ""),
        ({"crash-a": 100}, 1000, "crash-a ended 10% of all executions"),
        ({"crash-a": 99}, 1000, ""),
        ({"hang-a": 500, "crash-a": 400}, 1000, "hang-a ended 50% of all executions"),
        ({"s1-crash": 900}, 1000, ""),
        ({"s1-reset": 900, "crash-a": 200}, 1000, "crash-a ended 20% of all executions"),
        ({"crash-a": 100}, 100, "crash-a ended 100% of all executions"),
        ({"crash-a": 99}, 99, ""),
    ],
)
def test_a_share_of_executions(seen: dict[str, int], execs: int, said: str) -> None:
    text = shadow(seen, execs)
    assert text.startswith(said)
    assert bool(text) == bool(said)
    assert not text or text.endswith("vblkfuzz fuzz --without OP")
