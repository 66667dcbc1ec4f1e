"""How QEMU processes end, and what is left then: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conformance.leftovers import PATIENCE_S, await_end, descendants, nothing_left
from tests.target.qemu.binary import NEEDS_QEMU
from vblkfuzz.errors import DeviceLost, DeviceUnavailable, ExitStatus, UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.ops import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.target.options import TargetOptions
from vblkfuzz.target.qemu.rig import QemuRig
from vblkfuzz.target.qemu.target import qemu_target
from vblkfuzz.target.real import RealTarget
from vblkfuzz.target.recorder import Recorder

PLAIN = Scenario(ops=(op("init"), op("publish_kick"), op("collect")))
KILLED = Scenario(ops=(op("init"), op("start_fail"), op("publish_kick"), op("stop")))


def qemus() -> set[psutil.Process]:
    return {process for process in descendants() if "qemu-system" in process.name()}


class KillingRig(QemuRig):
    """Sends its QEMU a signal where a real one has nothing to do."""

    number = signal.SIGKILL

    def perform(self, operation: Op, recorder: Recorder) -> None:
        if operation.name == "start_fail":
            for process in qemus():
                os.kill(process.pid, self.number)
        super().perform(operation, recorder)


class LaterRig(KillingRig):
    """Does so at the very end of a scenario, when all has been at rest."""

    def check_rest(self, recorder: Recorder) -> None:
        super().check_rest(recorder)
        super().perform(op("start_fail"), recorder)


@pytest.fixture
def killing() -> Iterator[RealTarget]:
    rig = KillingRig(TargetOptions())
    with nothing_left(), RealTarget("qemu", "killed", rig, rig.port) as target:
        yield target


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_qemu_that_somebody_killed_is_no_finding(killing: RealTarget) -> None:
    for _ in range(3):
        with pytest.raises(DeviceLost):
            killing.run(KILLED)
        assert run_scenario(killing, PLAIN).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_qemu_that_crashes_is_one(
    killing: RealTarget, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KillingRig, "number", number)
    execution = run_scenario(killing, KILLED)
    assert [one.rule for one in execution.verdict.violations] == ["CRASH"]
    assert execution.verdict.violations[0].signature.endswith(number.name.lower())
    assert f"signal {int(number)}" in execution.trace.report
    again = run_scenario(killing, KILLED)
    assert again.verdict.violations[0].signature == execution.verdict.violations[0].signature
    assert run_scenario(killing, PLAIN).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_qemu_that_hangs_is_one(killing: RealTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KillingRig, "number", signal.SIGSTOP)
    execution = run_scenario(killing, KILLED)
    assert [one.signature for one in execution.verdict.violations] == ["hang-guest"]
    assert run_scenario(killing, PLAIN).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize(
    ("number", "signature"), [(signal.SIGSTOP, "hang-guest"), (signal.SIGABRT, "crash")]
)
def test_a_qemu_that_cannot_be_reset_any_more_is_a_finding_of_this_scenario(
    number: signal.Signals, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one begins with such a device otherwise, and has to answer for it."""
    rig = LaterRig(TargetOptions())
    monkeypatch.setattr(LaterRig, "number", number)
    with nothing_left(), RealTarget("qemu", "killed", rig, rig.port) as target:
        execution = run_scenario(target, PLAIN)
        assert [one.signature[: len(signature)] for one in execution.verdict.violations] == [
            signature
        ]
        monkeypatch.setattr(LaterRig, "number", 0)  # which asks whether there is such a process
        assert run_scenario(target, PLAIN).verdict.clean


@pytest.mark.realdevice
@NEEDS_QEMU
def test_nothing_survives_a_killed_user() -> None:
    """SIGKILL leaves no time to clean up: the kernel has to do it."""
    program = (
        "import time\n"
        "from vblkfuzz.target.options import TargetOptions\n"
        "from vblkfuzz.target.qemu.target import qemu_target\n"
        "with qemu_target('virtio-blk-pci', 'processes', TargetOptions()):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        below = set(psutil.Process(user.pid).children(recursive=True))
        assert len(below) == 2, "guest and QEMU"
        user.kill()
    await_end(below)


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_killed_guest_process_is_replaced() -> None:
    with nothing_left(), qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        (guest,) = descendants() - qemus()
        guest.kill()
        deadline = time.monotonic() + PATIENCE_S
        with pytest.raises(Exception, match="guest process"):
            while time.monotonic() < deadline:
                target.run(PLAIN)
        assert run_scenario(target, PLAIN).verdict.clean


SCRIPTS = {
    "says it is something else": ("echo Bochs 2.7", "expected qemu-system-x86_64, found Bochs 2.7"),
    "is too old": ("echo QEMU emulator version 2.11.1", "version 2.11 is too old: install QEMU"),
    "lacks thread-pool-max": (
        "echo QEMU emulator version 7.0.0",
        "version 7.0 is too old: install QEMU 7.1 or later",
    ),
    "is just new enough": (
        'test "$1" = --version && echo QEMU emulator version 7.1 && exit\necho so far >&2; exit 1',
        "QEMU does not start: so far",
    ),
    "says nothing": ("exit 1", "expected qemu-system-x86_64, found no version"),
    "dies at start": (
        'test "$1" = --version && echo QEMU emulator version 9.9 && exit\necho no luck >&2; exit 1',
        "QEMU does not start: no luck",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_binary_that_is_no_use(case: str, tmp_path: Path) -> None:
    script, problem = SCRIPTS[case]
    binary = tmp_path / "qemu"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    options = TargetOptions(qemu_binary=str(binary))
    with nothing_left(), pytest.raises(DeviceUnavailable, match=problem) as raised:
        qemu_target("virtio-blk-pci", "processes", options).__enter__()
    assert "\n" not in str(raised.value)
    assert raised.value.exit_status == ExitStatus.HARNESS


def test_no_binary(tmp_path: Path) -> None:
    options = TargetOptions(qemu_binary=str(tmp_path / "none"))
    with nothing_left(), pytest.raises(DeviceUnavailable, match=r"none: not found: install QEMU"):
        qemu_target("virtio-blk-pci", "processes", options).__enter__()


@pytest.mark.parametrize(
    ("device", "mode", "problem"),
    [("e1000", "processes", "device e1000"), ("virtio-blk-pci", "inline", "mode inline")],
)
def test_what_there_is_not(device: str, mode: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        qemu_target(device, mode, TargetOptions())
