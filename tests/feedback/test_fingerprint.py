"""The record of a user's device is of one campaign: what it is made of is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.feedback.fingerprint import fingerprint_of, fingerprint_of_program
from vblkfuzz.targets.device_class import device_class


class Own(VirtioBlk):
    """A device from outside the package."""


def test_of_a_user_s_device_each_campaign_has_its_own() -> None:
    assert fingerprint_of(Own, (), "a") != fingerprint_of(Own, (), "b")
    assert fingerprint_of(Own, (), "a") == fingerprint_of(Own, (), "a")


@pytest.mark.parametrize("name", ["patch-v4", "reference"])
def test_of_a_device_of_the_package_all_campaigns_have_one(name: str) -> None:
    device = device_class(name)
    assert fingerprint_of(device, (), "a") == fingerprint_of(device, (), "b")
    assert fingerprint_of(device, (), "a") != fingerprint_of(device, ("states",), "a")


def test_a_program_that_was_built_again_is_another_one(tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.write_bytes(b"a build")
    first = fingerprint_of_program([str(program)], ("7.2",))
    assert first == fingerprint_of_program([str(program)], ("7.2",))
    assert first != fingerprint_of_program([str(program)], ("7.3",))
    program.write_bytes(b"another")
    assert first != fingerprint_of_program([str(program)], ("7.2",))
