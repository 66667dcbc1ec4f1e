"""Re-runs of a finding on a real QEMU: a rate with its interval, kept beside the finding."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, Cli, cli
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go
from vblkfuzz.store.confidence import confidence_in
from vblkfuzz.store.finding import save_finding
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

__all__ = ["cli"]

RUNS = 4


def test_from_the_command_line(cli: Cli, tmp_path: Path) -> None:
    """A reset in a drained section: the bug of all versions, in each run (B1)."""
    plan = (Deviation(len(BUG.ops), 0, Go.NEXT),)
    scenario = replace(BUG, ops=(*BUG.ops, op("collect")), schedule=plan)
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        execution = run_scenario(target, scenario)
        cause = next(one for one in execution.verdict.causes if one.rule == "S1")
        (tmp_path / "findings").mkdir()
        folder = save_finding(tmp_path / "findings", target, execution, cause, b"").path
    result = cli("triage", tmp_path, "--repeat", str(RUNS))
    assert (result.exit_code, result.stderr) == (0, "")
    words = r"\d of 4 \(\d+ to \d+ %\)(, \d harness errors?)?"
    (said,) = re.findall(
        rf"^    rate ({words}; without its schedule {words})$", result.stdout, re.M
    )
    kept = confidence_in(folder)
    assert kept is not None
    assert kept.bare is not None
    assert str(kept) == said[0]
    for rate in (kept.rate, kept.bare):
        assert rate.runs + rate.harness_errors == RUNS
        assert rate.seen > 0, "it shows in each run on an idle machine"
    assert list(kept.versions) == ["qemu-system-x86_64"]
    (found,) = cli("triage", tmp_path, "--json").stdout.splitlines()
    assert json.loads(found)["confidence"] == kept.to_json()
