"""What an option of the target makes of a scenario is what is judged and saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.device import DeviceConfig, Kind
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.finding import save_finding
from vblkfuzz.targets.as_run import as_run
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.registry import default_device, open_target

Target = InlineModel | ProcessesModel


@pytest.fixture
def target() -> Iterator[Target]:
    with model("patch-v4", "inline") as started:
        yield started


def with_iothreads(count: int) -> Scenario:
    return Scenario(replace(DeviceConfig(), iothreads=count))


@pytest.mark.parametrize(
    ("wanted", "before", "after"),
    [(None, 2, 2), (None, 0, 0), (True, 2, 2), (True, 0, 1), (False, 2, 0), (False, 0, 0)],
)
def test_the_option_decides(
    target: Target, monkeypatch: pytest.MonkeyPatch, wanted: bool | None, before: int, after: int
) -> None:
    monkeypatch.setattr(type(target), "iothread", wanted, raising=False)
    scenario = with_iothreads(before)
    ran = as_run(target, scenario)
    assert ran.device.iothreads == after
    assert (ran is scenario) == (before == after)


@pytest.mark.parametrize(
    ("wanted", "before", "after"),
    [
        (None, "scsi", "scsi"),
        (None, "blk", "blk"),
        ("scsi", "blk", "scsi"),
        ("scsi", "scsi", "scsi"),
        ("blk", "scsi", "blk"),
    ],
)
def test_the_target_decides_the_kind(
    target: Target, monkeypatch: pytest.MonkeyPatch, wanted: str | None, before: Kind, after: Kind
) -> None:
    monkeypatch.setattr(type(target), "kind", wanted, raising=False)
    scenario = Scenario(DeviceConfig(kind=before))
    ran = as_run(target, scenario)
    assert ran.device.kind == after
    assert (ran is scenario) == (before == after)


def test_the_model_runs_virtio_blk(target: Target) -> None:
    scsi = replace(BUG, device=replace(BUG.device, kind="scsi"))
    execution = run_scenario(target, scsi)
    assert execution.scenario == BUG
    assert execution.trace.digest == run_scenario(target, BUG).trace.digest


@pytest.mark.parametrize(
    ("name", "device", "kind"),
    [
        ("qemu", "virtio-blk-pci", "scsi"),
        ("qemu", "virtio-scsi-pci", "scsi"),
        ("qsd", "vhost-user-blk", "blk"),
    ],
)
def test_which_targets_have_virtio_scsi(name: str, device: str, kind: str) -> None:
    opened = open_target(name, device, "processes", TargetOptions())
    assert as_run(opened, Scenario(DeviceConfig(kind="scsi"))).device.kind == kind
    always = device == "virtio-scsi-pci"
    assert (as_run(opened, Scenario()).device.kind == "scsi") == always


@pytest.mark.parametrize(
    ("name", "ring"), [("model", "packed"), ("qemu", "packed"), ("qsd", "split")]
)
def test_which_targets_have_packed_rings(name: str, ring: str) -> None:
    opened = open_target(name, default_device(name), "processes", TargetOptions())
    assert as_run(opened, Scenario(DeviceConfig(ring="packed"))).device.ring == ring


def test_a_finding_holds_what_ran(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unset = replace(BUG, device=replace(BUG.device, iothreads=0))
    monkeypatch.setattr(type(target), "iothread", True, raising=False)
    execution = run_scenario(target, unset)
    saved = save_finding(tmp_path, target, execution, execution.verdict.violations[0], b"")
    monkeypatch.undo()
    for name in ("finding.vblk", "scenario.toml"):
        scenario = read_input(saved.path / name).scenario
        assert scenario.device.iothreads == 1
        assert run_scenario(target, scenario).trace.digest == execution.trace.digest


@pytest.mark.parametrize(
    "name", [pytest.param("qemu", marks=NEEDS_QEMU), pytest.param("qsd", marks=NEEDS_QSD)]
)
@pytest.mark.parametrize("wanted", [None, True, False])
def test_real_targets_say_what_decides(name: str, wanted: bool | None) -> None:
    options = TargetOptions(iothread=wanted)
    opened = open_target(name, default_device(name), "processes", options)
    ran = as_run(opened, with_iothreads(0 if wanted else 1))
    assert ran.device.iothreads == (0 if wanted is False else 1)
