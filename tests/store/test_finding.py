"""A finding on disk: all files are written, and each form replays."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import BUG
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.store.finding import Saved, save_finding
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel

Target = InlineModel | ProcessesModel


@pytest.fixture
def target() -> Iterator[Target]:
    with model("patch-v4", "inline") as started:
        yield started


@pytest.fixture
def execution(target: Target) -> Execution:
    return run_scenario(target, BUG)


def save(folder: Path, target: Target, execution: Execution, data: bytes = b"") -> Saved:
    return save_finding(folder, target, execution, execution.verdict.violations[0], data)


def test_all_forms_replay(tmp_path: Path, target: Target, execution: Execution) -> None:
    saved = save(tmp_path, target, execution, encode(BUG))
    violation = execution.verdict.violations[0]
    assert saved == Saved(tmp_path / violation.signature, True)
    artifact = read_input(saved.path / "finding.vblk")
    assert artifact.trace_digest == execution.trace.digest
    assert artifact.expectation is not None
    assert artifact.expectation.signature == violation.signature
    raw = decode((saved.path / "input.bin").read_bytes())
    text = read_input(saved.path / "scenario.toml").scenario
    for scenario in (artifact.scenario, text, raw):
        again = run_scenario(target, scenario)
        assert again.trace.digest == execution.trace.digest
        assert violation in again.verdict.violations


def test_findings_of_several_devices_do_not_hide_each_other(
    tmp_path: Path, target: Target, execution: Execution
) -> None:
    """Two devices that break a rule in the same way have one signature."""
    signature = execution.verdict.violations[0].signature
    one = save(tmp_path, target, execution)
    with model("qemu-8.0", "inline") as other:
        two = save(tmp_path, other, execution)
        assert save(tmp_path, other, execution) == Saved(two.path, False)
    assert save(tmp_path, target, execution) == Saved(one.path, False)
    assert [one, two] == [
        Saved(tmp_path / signature, True),
        Saved(tmp_path / f"{signature}@2", True),
    ]
    devices = [read_input(each.path / "finding.vblk").device for each in (one, two)]
    assert devices == ["patch-v4", "qemu-8.0"]
    assert {signature_of(each.path) for each in (one, two)} == {signature}


def test_a_damaged_finding_of_another_device_is_not_replaced(
    tmp_path: Path, target: Target, execution: Execution
) -> None:
    one = save(tmp_path, target, execution)
    (one.path / "trace.txt").write_bytes(b"")
    with model("qemu-8.0", "inline") as other:
        assert save(tmp_path, other, execution).new
    assert read_input(one.path / "finding.vblk").device == "patch-v4"


def test_the_program_of_a_real_device_is_recorded(
    tmp_path: Path, target: Target, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = {"qemu-system-x86_64": "7.2.19"}
    monkeypatch.setattr(type(target), "versions", program, raising=False)
    versions = read_input(save(tmp_path, target, execution).path / "finding.vblk").versions
    assert versions.items() > program.items()
    assert set(versions) == {"vblkfuzz", "python", "qemu-system-x86_64"}


def test_verdict_and_trace(tmp_path: Path, target: Target, execution: Execution) -> None:
    saved = save(tmp_path, target, execution)
    verdict = json.loads((saved.path / "verdict.json").read_text())
    fixed = {"verdict", "rule", "signature", "trace_digest", "steps", "target", "device", "mode"}
    assert fixed <= set(verdict)
    assert (verdict["verdict"], verdict["mode"]) == ("violation", "inline")
    assert verdict["sentence"] in (saved.path / "trace.txt").read_text()


def test_an_old_one_is_kept(tmp_path: Path, target: Target, execution: Execution) -> None:
    first = save(tmp_path, target, execution, b"first")
    second = save(tmp_path, target, execution, b"second")
    assert (first.new, second.new) == (True, False)
    assert (second.path / "input.bin").read_bytes() == b"first"


@pytest.mark.parametrize("name", ["finding.vblk", "scenario.toml"])
def test_a_damaged_one_is_written_again(
    tmp_path: Path, target: Target, execution: Execution, name: str
) -> None:
    path = save(tmp_path, target, execution, b"first").path
    whole = (path / name).read_bytes()
    (path / name).write_bytes(b"")
    assert save(tmp_path, target, execution, b"second") == Saved(path, False)
    assert (path / name).read_bytes() == whole
    assert (path / "input.bin").read_bytes() == b"second"


def test_another_place_if_it_does_not_fit(
    tmp_path: Path, target: Target, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    saved = save(tmp_path / "gone", target, execution)
    assert saved.path.is_relative_to(tmp_path)
    assert saved.fallback == f"No such file or directory: {tmp_path / 'gone'}"
    assert read_input(saved.path / "finding.vblk").scenario == BUG


def test_nowhere_to_put_it(
    tmp_path: Path, target: Target, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="No such file"):
        save(tmp_path / "gone", target, execution)


@pytest.mark.parametrize("left", [b"", b"\x89\xa6format\xa8vblkfuzz", None])
def test_a_damaged_one_is_written_anew(
    tmp_path: Path, target: Target, execution: Execution, left: bytes | None
) -> None:
    artifact = save(tmp_path, target, execution, b"first").path / "finding.vblk"
    whole = artifact.read_bytes()
    artifact.unlink()
    if left is not None:
        artifact.write_bytes(left)
    assert not save(tmp_path, target, execution, b"second").new
    assert artifact.read_bytes() == whole
    assert artifact.with_name("input.bin").read_bytes() == b"second"


def test_a_file_that_was_emptied_is_written_anew(
    tmp_path: Path, target: Target, execution: Execution
) -> None:
    text = save(tmp_path, target, execution).path / "scenario.toml"
    whole = text.read_bytes()
    text.write_bytes(b"")
    save(tmp_path, target, execution)
    assert text.read_bytes() == whole


def test_one_of_a_newer_version_is_kept(
    tmp_path: Path, target: Target, execution: Execution
) -> None:
    artifact = save(tmp_path, target, execution).path / "finding.vblk"
    newer = b"\x82\xa6format\xa8vblkfuzz\xa7version\x09"
    artifact.write_bytes(newer)
    save(tmp_path, target, execution)
    assert artifact.read_bytes() == newer
