"""Which QEMUs the tests of real devices run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.targets.binaries import each
from tests.targets.known_bugs import QEMU, excused, on
from tests.triage.stories import QUIET, RESET_IN_DRAIN, run
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qemu.binary import find_qemu

LIST = "VBLKFUZZ_QEMU_BINARIES"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, but for the shell that the programs need."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(LIST, raising=False)
    return tmp_path


def program(path: Path, version: str) -> str:
    path.write_text(f"#!/bin/sh\necho 'QEMU emulator version {version} (Fake)'\n")
    path.chmod(0o755)
    return str(path)


def test_without_any_there_is_one_test_that_is_skipped_and_says_why(folder: Path) -> None:
    (only,) = each(LIST, find_qemu)
    assert only.id == "none"
    (mark,) = only.marks
    assert "qemu-system-x86_64: not found" in getattr(mark, "mark", mark).kwargs["reason"]


def test_the_one_on_path_comes_first_and_each_build_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = program(folder / "qemu-system-x86_64", "9.1.2")
    newer, same = program(folder / "newer", "20.0.0"), program(folder / "same", "9.1.2")
    (folder / "link").symlink_to(newer)
    monkeypatch.setenv(LIST, os.pathsep.join((newer, "", str(folder / "link"), same)))
    parameters = each(LIST, find_qemu)
    assert [one.values for one in parameters] == [(found,), (newer,), (same,)]
    assert [one.id for one in parameters] == ["9.1.2", "20.0.0", "9.1.2-2"]


def test_a_named_one_is_enough_and_must_be_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = program(folder / "newer", "20.0.0")
    monkeypatch.setenv(LIST, newer)
    assert [one.values for one in each(LIST, find_qemu)] == [(newer,)]
    monkeypatch.setenv(LIST, os.pathsep.join((newer, str(folder / "missing"))))
    with pytest.raises(DeviceUnavailable, match=r"missing: not found"):
        each(LIST, find_qemu)


def test_only_the_known_bugs_of_a_version_are_excused() -> None:
    quiet, found = run(QUIET, "reference"), run(RESET_IN_DRAIN)
    first, *_ = [one.signature for one in found.verdict.violations]
    bug = QEMU[0]._replace(signature="s*", needs="")
    with on((bug,), "10.0.13"):
        assert excused(quiet) is quiet
        with pytest.raises(pytest.xfail.Exception, match=first):
            excused(found)
    other, elsewhere = bug._replace(signature=first), bug._replace(needs="save")
    for one, version in ((bug, "7.2.22"), (other, "10.0.13"), (elsewhere, "10.0.13")):
        with on((one,), version):
            assert excused(found) is found
