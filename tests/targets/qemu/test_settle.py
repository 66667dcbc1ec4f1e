"""The operator waits for QEMU once after each action, and not again before the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.qemu.operator import Operator
from vblkfuzz.targets.qemu.variant import Variant
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.trace.kinds import DRAIN_RET
from vblkfuzz.virtio.memory import GuestMemory

if TYPE_CHECKING:
    from vblkfuzz.targets.qemu.process import QemuProcess


class Waits:
    """A QEMU process that counts the calls of `settle`."""

    qmp = disks = image = None
    variant = Variant(iothreads=1, ioeventfd=True)

    def __init__(self) -> None:
        self.count = 0

    def settle(self, *, blocked: bool) -> bool:
        self.count += 1
        return True

    def dequeues(self) -> list[Dequeue]:
        return []


def new_recorder() -> Recorder:
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    return Recorder(memory, DeviceConfig(), exact_pops=True)


def test_it_waits_once_after_each_action() -> None:
    waits = Waits()
    operator = Operator(cast("QemuProcess", waits))
    recorder = new_recorder()
    counts = []
    recorder.operation(0, CODES["kick"])
    for number in range(3):
        if number == 1:
            recorder.guest(())  # an action, although the driver has no events
        if number == 2:
            recorder.tell(DRAIN_RET)  # an event, but no action
        operator.settle(recorder)
        operator.settle(recorder)
        counts.append(waits.count)
    assert counts == [1, 2, 2]


def test_it_waits_again_in_the_next_scenario() -> None:
    waits = Waits()
    operator = Operator(cast("QemuProcess", waits))
    for _ in range(2):
        operator.settle(new_recorder())
    assert waits.count == 2


def test_a_device_that_starts_looks_at_its_queues() -> None:
    recorder = new_recorder()
    seen = {}
    for name in ("init", "cont", "restore", "publish", "drain_end"):
        recorder.operation(0, CODES[name])
        seen[name] = recorder.starts_handlers
    assert [name for name, starts in seen.items() if starts] == ["init", "cont", "restore"]
