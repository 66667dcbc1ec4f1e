"""What is said of a program: of one that is too old, lacks a feature, or does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.leftovers import nothing_left
from vblkfuzz.doctor.check import Found, Verdict, yes
from vblkfuzz.doctor.checks import programs
from vblkfuzz.doctor.trial import tried
from vblkfuzz.targets import binary

HELP = """Log items (comma separated):
unimp           log unimplemented functionality
tid             open a separate log file per thread; filename must contain '%d'
trace:PATTERN   enable trace events
"""
ACCELERATORS = "Accelerators supported in QEMU binary:\ntcg\nkvm\n"


def program(
    folder: Path, *, version: str = "7.2.0", log: str = HELP, accelerators: str = ACCELERATORS
) -> str:
    """Return a program that answers as QEMU does."""
    path = folder / "qemu-system-x86_64"
    path.write_text(
        "#!/bin/sh\n"
        f'case "$1" in\n--version) echo "QEMU emulator version {version}" ;;\n'
        f"-d) cat <<'END'\n{log}END\n;;\n"
        f"-accel) cat <<'END'\n{accelerators}END\n;;\nesac\n"
    )
    path.chmod(0o755)
    return str(path)


def test_a_qemu_with_all(tmp_path: Path) -> None:
    named = program(tmp_path)
    assert programs.qemu(named) == yes(f"7.2.0, {named}")
    assert programs.qemu_trace(named) == yes("backend log; -d tid")
    assert programs.qemu_accelerator(named) == yes("tcg, kvm")


def test_a_qemu_that_is_too_old(tmp_path: Path) -> None:
    named = program(tmp_path, version="6.2.0")
    found = programs.qemu(named)
    assert found.fact == f"{named}: version 6.2 is too old"
    assert found.advice.startswith("install QEMU 7.1 or later")
    assert programs.qemu_trace(named).fact == "not tried: there is no usable QEMU"


@pytest.mark.parametrize(
    ("without", "verdict", "fact"),
    [
        ("trace:", Verdict.NO, "no backend log: events are not written"),
        ("tid", Verdict.LIMITED, "backend log; no -d tid"),
    ],
)
def test_a_qemu_without_a_log(tmp_path: Path, without: str, verdict: Verdict, fact: str) -> None:
    lines = [line for line in HELP.splitlines(keepends=True) if not line.startswith(without)]
    found = programs.qemu_trace(program(tmp_path, log="".join(lines)))
    assert (found.verdict, found.fact) == (verdict, fact)


def test_a_qemu_without_tcg(tmp_path: Path) -> None:
    named = program(tmp_path, accelerators="Accelerators supported in QEMU binary:\nkvm\n")
    assert programs.qemu_accelerator(named) == Found(Verdict.NO, "kvm")


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "gdb"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    assert programs.program(str(path)) == Found(Verdict.NO, f"{path}: no answer to --version")


def test_a_program_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gdb"
    path.write_text("#!/bin/sh\nexec sleep 600\n")
    path.chmod(0o755)
    monkeypatch.setattr(binary, "_PATIENCE_S", 0.3)
    with nothing_left():
        found = tried(lambda: programs.program(str(path)))
    assert (found.verdict, "timed out after 0.3 seconds" in found.fact) == (Verdict.NO, True)


def test_the_first_of_some_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chromium-browser"
    path.write_text("#!/bin/sh\necho Chromium 120.0.1 built on Debian\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.program("chromium", "chromium-browser") == yes(f"120.0.1, {path}")
