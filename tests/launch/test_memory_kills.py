"""The kernel's count of processes that it killed for lack of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.launch.memory_kills import memory_kills


@pytest.mark.parametrize(
    ("text", "kills"), [("pgfault 9\noom_kill 3\n", 3), ("pgfault 9\n", 0), ("oom_kill x\n", 0)]
)
def test_the_counter(tmp_path: Path, text: str, kills: int) -> None:
    (tmp_path / "vmstat").write_text(text)
    assert memory_kills(tmp_path / "vmstat") == kills


def test_no_counters(tmp_path: Path) -> None:
    assert memory_kills(tmp_path / "none") == 0
