"""How daemons end, and daemons that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.ends import EndsContract, Killing, check_unusable, script
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.target import Target


class KillingRig(Killing, QsdRig):
    process = "qemu-storage"


def target(options: TargetOptions) -> Target:
    return qsd_target("vhost-user-blk", "processes", options)


@pytest.mark.realdevice
@NEEDS_QSD
class TestEnds(EndsContract):
    target = "qsd"
    device = "vhost-user-blk"
    module = "vblkfuzz.targets.qsd"
    rig = KillingRig
    crew = 5  # guest, NBD server, nursery, watcher and daemon
    hang = "hang-operator"
    binary = "qemu-storage-daemon"

    def options(self, binary: str) -> TargetOptions:
        return TargetOptions(qsd_binary=binary)

    def factory(self, options: TargetOptions) -> Target:
        return target(options)

    def killing_target(self) -> RealTarget:
        rig = KillingRig(TargetOptions())
        return RealTarget("qsd", "killed", rig, rig.port)


SCRIPTS = {
    "is another program": (
        "echo Bochs 2.7",
        "expected qemu-storage-daemon, found Bochs 2.7",
    ),
    "is too old": (
        "echo qemu-storage-daemon version 2.11.1",
        "version 2.11 is too old: install QEMU",
    ),
    "prints nothing": ("exit 1", "expected qemu-storage-daemon, found no version"),
    "dies at start": (
        'test "$1" = --version && echo qemu-storage-daemon version 9.9 && exit\n'
        "echo no luck >&2; exit 1",
        "qemu-storage-daemon does not start: no luck",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_binary_that_is_no_use(case: str, tmp_path: Path) -> None:
    text, problem = SCRIPTS[case]
    check_unusable(target(TargetOptions(qsd_binary=script(tmp_path, text))), problem)


def test_no_binary(tmp_path: Path) -> None:
    options = TargetOptions(qsd_binary=str(tmp_path / "none"))
    check_unusable(target(options), "none: not found: install QEMU")


@pytest.mark.parametrize(
    ("device", "mode", "problem"),
    [("e1000", "processes", "device e1000"), ("vhost-user-blk", "inline", "mode inline")],
)
def test_what_there_is_not(device: str, mode: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        qsd_target(device, mode, TargetOptions())
