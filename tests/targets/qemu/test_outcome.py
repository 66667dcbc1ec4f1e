"""Statuses, used lengths and the device id of a real QEMU are judged by what the guest finds."""

from __future__ import annotations

import pytest

from tests.targets.outcomes import ALL_MET, signatures
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.pci_port import PciPort
from vblkfuzz.targets.qemu.target import qemu_target

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]


class WrongId(PciPort):
    """Takes the disk for another one."""

    def known_id(self) -> int:
        return super().known_id() ^ 1


def test_what_the_guest_is_told_is_right() -> None:
    target = qemu_target("virtio-blk-pci", "processes", TargetOptions())
    assert signatures(target, ALL_MET) == []


def test_its_id_is_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.targets.qemu.rig.PciPort", WrongId)
    target = qemu_target("virtio-blk-pci", "processes", TargetOptions())
    assert signatures(target, frozenset({"id_read"})) == ["s23-wrong"]
