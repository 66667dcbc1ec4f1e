"""How QEMU processes end, and QEMUs that cannot be used."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conformance.ends import (
    PLAIN,
    EndsContract,
    Killing,
    check_unusable,
    hang_by_stop,
    script,
)
from tests.conformance.leftovers import nothing_left
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.errors import UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.targets.target import Target


class KillingRig(Killing, QemuRig):
    process = "qemu-system"


class LaterRig(KillingRig):
    """Kills QEMU at the end of a scenario, after it has come to rest."""

    def check_rest(self, recorder: Recorder) -> None:
        super().check_rest(recorder)
        self.strike()


def target(options: TargetOptions) -> Target:
    return qemu_target("virtio-blk-pci", "processes", options)


@pytest.mark.realdevice
@NEEDS_QEMU
class TestEnds(EndsContract):
    target = "qemu"
    device = "virtio-blk-pci"
    module = "vblkfuzz.targets.qemu"
    rig = KillingRig
    crew = 5  # guest, NBD server, nursery, watcher and QEMU
    hang = "hang-guest"
    binary = "qemu-system-x86_64"

    def options(self, binary: str) -> TargetOptions:
        return TargetOptions(qemu_binary=binary)

    def factory(self, options: TargetOptions) -> Target:
        return target(options)

    def killing_target(self) -> RealTarget:
        rig = KillingRig(TargetOptions())
        return RealTarget("qemu", "killed", rig, rig.port)


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize(
    ("number", "signature"), [(signal.SIGSTOP, "hang-guest"), (signal.SIGABRT, "crash")]
)
def test_a_qemu_that_cannot_be_reset_any_more_is_a_finding_of_this_scenario(
    number: signal.Signals, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next scenario would get this device, and be blamed for it."""
    hang_by_stop(monkeypatch)
    rig = LaterRig(TargetOptions())
    monkeypatch.setattr(LaterRig, "number", number)
    with nothing_left(), RealTarget("qemu", "killed", rig, rig.port) as killed:
        execution = run_scenario(killed, PLAIN)
        assert [one.signature[: len(signature)] for one in execution.verdict.violations] == [
            signature
        ]
        monkeypatch.setattr(LaterRig, "number", 0)  # signal 0 does nothing
        assert run_scenario(killed, PLAIN).verdict.clean


SCRIPTS = {
    "is another program": ("echo Bochs 2.7", "expected qemu-system-x86_64, found Bochs 2.7"),
    "is too old": ("echo QEMU emulator version 2.11.1", "version 2.11 is too old: install QEMU"),
    "lacks thread-pool-max": (
        "echo QEMU emulator version 7.0.0",
        "version 7.0 is too old: install QEMU 7.1 or later",
    ),
    "is just new enough": (
        'test "$1" = --version && echo QEMU emulator version 7.1 && exit\necho so far >&2; exit 1',
        "QEMU does not start: so far",
    ),
    "prints nothing": ("exit 1", "expected qemu-system-x86_64, found no version"),
    "cannot be loaded": (
        "echo libaio.so.1: no such file >&2; exit 127",
        "expected qemu-system-x86_64, found libaio.so.1: no such file",
    ),
    "dies at start": (
        'test "$1" = --version && echo QEMU emulator version 9.9 && exit\necho no luck >&2; exit 1',
        "QEMU does not start: no luck",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_binary_that_is_no_use(case: str, tmp_path: Path) -> None:
    text, problem = SCRIPTS[case]
    check_unusable(target(TargetOptions(qemu_binary=script(tmp_path, text))), problem)


def test_no_binary(tmp_path: Path) -> None:
    options = TargetOptions(qemu_binary=str(tmp_path / "none"))
    check_unusable(target(options), "none: not found: install QEMU")


def test_a_folder(tmp_path: Path) -> None:
    options = TargetOptions(qemu_binary=str(tmp_path))
    check_unusable(target(options), "expected a program, found a directory")


def test_a_file_that_may_not_be_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    options = TargetOptions(qemu_binary=str(plain))
    check_unusable(target(options), "plain: not executable: chmod")


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"\0\1\2")
    plain.chmod(0o755)
    options = TargetOptions(qemu_binary=str(plain))
    check_unusable(target(options), "found a file that cannot be run: Exec format error")


@pytest.mark.parametrize(
    ("device", "mode", "problem"),
    [("e1000", "processes", "device e1000"), ("virtio-blk-pci", "inline", "mode inline")],
)
def test_what_there_is_not(device: str, mode: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        qemu_target(device, mode, TargetOptions())
