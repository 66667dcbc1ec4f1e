"""A program that was exported is run once, and what it did not show is said."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.waiting import until
from vblkfuzz.export import trial
from vblkfuzz.export.trial import not_seen

PRINTS = "import os, sys\nif sys.argv[1] != os.environ['QEMU_TEST_QEMU_BINARY']: sys.exit(3)\n"


@pytest.fixture
def qemu(tmp_path: Path) -> str:
    path = tmp_path / "qemu"
    path.write_text('#!/bin/sh\necho "QEMU emulator version 9.0.0"\n')
    path.chmod(0o755)
    return str(path)


def test_what_shows_the_bug(qemu: str) -> None:
    assert not_seen(f"{PRINTS}sys.exit(1)", qemu) == ""


@pytest.mark.parametrize(("status", "why"), [(0, "it found nothing wrong on "), (2, "it ended")])
def test_what_does_not(qemu: str, status: int, why: str) -> None:
    assert not_seen(f"{PRINTS}sys.exit({status})", qemu).startswith(why)


def test_without_a_qemu(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert not_seen("", missing).startswith(f"it could not be run: {missing}: not found")


def test_a_program_that_does_not_end_is_killed_with_its_qemu(
    tmp_path: Path, qemu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {shlex.quote(str(pid))}; wait"
    monkeypatch.setattr(trial, "_LIMIT_S", 3.0)
    assert not_seen(f"import os; os.system({script!r})", qemu) == (
        f"it did not end within 3 s on {qemu}"
    )
    stat = Path(f"/proc/{pid.read_text().strip()}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")
