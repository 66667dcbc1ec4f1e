"""An issue without a program has all that its reader needs to replay the scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.export.test_issue import on_qemu
from tests.export.test_program_rules import breaks
from tests.export.test_qtest_file import RESET
from tests.triage.stories import case
from vblkfuzz._version import __version__
from vblkfuzz.export.issue import EXPORT
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import package_of
from vblkfuzz.triage.case import Case


def test_how_to_install_this_version() -> None:
    assert f"\n   python3 -m pip install 'vblkfuzz=={__version__}'\n" in EXPORT.text([case()])
    assert f" 'vblkfuzz[qemu]=={__version__}'\n" in EXPORT.text([breaks("L6")])


def test_the_command_line_of_the_device() -> None:
    one = breaks("L6")
    assert "-device virtio-blk-pci," in EXPORT.text([one])
    assert "iothread=io0" in EXPORT.text([one])
    scenario = Scenario(DeviceConfig(iothreads=0), RESET)
    artifact = replace(one.outcome.artifact, scenario=scenario)
    assert "iothread=io0" not in EXPORT.text([Case(replace(one.outcome, artifact=artifact))])
    assert "command line" not in EXPORT.text([case()])


def test_errors_that_the_scenario_causes() -> None:
    fails = Scenario(ops=(op("start_fail"), *RESET))
    assert "`Too many open files`" in " ".join(EXPORT.text([on_qemu(fails)]).split())
    assert "Too many open files" not in EXPORT.text([breaks("L6")])


def test_the_package_of_a_distribution(tmp_path: Path) -> None:
    path = tmp_path / "qemu"
    for said, package in (
        (
            "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
            "Debian 1:7.2+dfsg-7+deb12u18",
        ),
        ("qemu-storage-daemon version 9.0.0", ""),
    ):
        path.write_text(f"#!/bin/sh\necho '{said}'\n")
        path.chmod(0o755)
        assert package_of(str(path)) == package
    assert package_of(str(tmp_path / "none")) == ""
