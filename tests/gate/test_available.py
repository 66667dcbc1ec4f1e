"""A machine without a gate: the reason is one short sentence, and nothing is left of the trial."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.leftovers import nothing_left
from tests.gate import without_seccomp
from tests.gate.program import NEEDS_GATE
from vblkfuzz.gate import available
from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.gate.installation import Installation, NoGate

ASKS = "from vblkfuzz.gate.available import why_no_gate; print(why_no_gate())"


def without(number: int, *command: str) -> list[str]:
    """Return a command whose calls of seccomp(2) fail with an errno."""
    return [sys.executable, str(Path(without_seccomp.__file__)), str(number), *command]


@NEEDS_GATE
def test_nothing_is_left_of_the_trial() -> None:
    with nothing_left():
        why_no_gate.cache_clear()
        assert why_no_gate() == ""


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, errno.EBUSY])
def test_a_machine_without_it(number: int) -> None:
    command = without(number, sys.executable, "-c", ASKS)
    said = subprocess.check_output(command, text=True)
    assert said == f"no seccomp user notification: {os.strerror(number)}\n"


def test_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with nothing_left():
        why_no_gate.cache_clear()
        assert why_no_gate() == "no seccomp user notification: no filter for riscv64"
    why_no_gate.cache_clear()


@NEEDS_GATE
def test_memory_of_a_child_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(fd: int, pid: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(available, "Listener", refuses)
    with nothing_left():
        why_no_gate.cache_clear()
        assert "memory of a child process cannot be read: Permission denied" in why_no_gate()
    why_no_gate.cache_clear()


def test_the_program_starts_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    installation = Installation()
    try:
        process = subprocess.run(["true"], preexec_fn=installation.prepare, check=True)
        assert process.returncode == 0
        with pytest.raises(NoGate, match="no filter for riscv64"):
            installation.listener()
    finally:
        installation.close()
