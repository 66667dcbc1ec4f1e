"""A guest sees the same on split and packed rings, many times: ``pytest tests/soak/packed.py``.

Not collected by a plain `pytest`. VBLKFUZZ_INPUTS sets the number of scenarios (500), VBLKFUZZ_SEED
where they begin (1). The few of a plain run: tests/dataplane/test_packed_rings.py and, on real
devices, tests/targets/qemu/test_packed_rings.py, tests/targets/vhost_user/test_packed_rings.py.
"""

from __future__ import annotations

import os

import pytest

from tests.dataplane.ring_outcome import on, outcome, stories
from tests.targets.both_rings import Compared, compare
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.vhost_user.backend import RINGS
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.executor import run_scenario
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.target import Target
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import COLLECT

FIXED = 10
"""The first major version without that bug, of those that were tried."""
COUNT = int(os.environ.get("VBLKFUZZ_INPUTS", "500"))
SEED = int(os.environ.get("VBLKFUZZ_SEED", "1"))

pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("device", REVISIONS)
def test_the_guest_sees_the_same(device: str) -> None:
    """Of a revision with bugs, too: they are in what both forms share."""
    ended = different = found = 0
    with model(device, "inline") as target:
        for scenario in stories(SEED, COUNT):
            split, packed = (target.run(on(ring, scenario)) for ring in ("split", "packed"))
            different += outcome(split) != outcome(packed)
            found += not judge(on("packed", scenario), packed).clean
            ended += sum(event.kind == COLLECT for event in packed.events)
    print(f"{device}: {COUNT} scenarios, {ended} requests, {different} differ, {found} violating")
    if device == "reference":
        assert (different, found) == (0, 0)


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize("device", ["virtio-blk-pci", "virtio-scsi-pci"])
def test_on_qemu(device: str) -> None:
    check(device, qemu_target(device, "processes", TargetOptions()))


@pytest.mark.realdevice
@NEEDS_QEMU
def test_a_broken_ring_that_qemu_7_2_never_leaves() -> None:
    """It takes the same descriptor again and again, for seconds until that is a finding."""
    ops = op("init"), op("hostile", content="loop")
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        found = run_scenario(target, Scenario(DeviceConfig(ring="packed"), ops)).verdict.violations
        old = int(target.versions["qemu-system-x86_64"].partition(".")[0]) < FIXED
    assert [each.signature for each in found] == ["l5"] * old


@pytest.mark.realdevice
def test_on_a_vhost_user_back_end() -> None:
    options = TargetOptions(vhost_user_command=RINGS)
    check("vhost-user-blk", vhost_user_target("vhost-user-blk", "processes", options))


def check(device: str, target: Target) -> None:
    """Where a bug has damaged the device, what the guest sees may depend on the form."""
    seen = Compared()
    with target:
        for scenario in stories(SEED, COUNT):
            compare(target, scenario, seen)
    print(f"{device}: {COUNT} scenarios, {seen}")
    assert seen.different == []
