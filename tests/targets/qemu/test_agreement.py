"""The differential check: a guest observes the same on the model and on real QEMU.

`WITHOUT` lists the operations on which the two are known to differ, and why; nothing else may
differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.kinds import COLLECT, OP, PUSH, SECTOR
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.sector_data import UNWRITTEN
from vblkfuzz.trace.trace import Trace

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

REVISION = "qemu-8.0"
"""The oldest revision of the model: drains disable handlers, as in QEMU 7.2."""

WITHOUT = {
    "stop": "operations deferred until `cont` run in one go on the model, one by one on QEMU",
    "cont": "as stop",
    "hold": "the main loop waits for a held request, and with it the guest",
    "complete": "as hold",
    "release": "as hold",
    "flush": "as hold",
    "start_fail": "QEMU has no command that makes a start fail",
    "power_loss": "QEMU's disk cannot lose its cache",
    "save": "in a section, what QEMU has parked is lost",
    "restore": "as save",
    "replug": "in a section, QEMU crashes or hangs",
    "hostile": "each device decides how much of a broken ring it takes",
    "publish_again": "as hostile",
    "inband_kick": "virtio-blk-pci has one way to kick",
    "poll_on": "timing decides what a polling IOThread reads first",
    "poll_off": "as poll_on",
    "resize": "QEMU refuses it while a mirror job uses the disk",
    "queue_reset": "timing of threads decides which requests still end",
}
CORPUS = Path(__file__).parents[3] / "corpus" / "regress"


@pytest.fixture(scope="module")
def qemu() -> Iterator[QemuTarget]:
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        yield target


def comparable(scenario: Scenario) -> Scenario:
    """Leave out operations that differ; end with a collect on each queue."""
    device = replace(
        scenario.device,
        polling=False,
        first_index=0,
        werror="report",
        rerror="report",
        read_only=False,
    )
    looks = tuple(op("collect", queue=queue) for queue in range(device.queues))
    return Scenario(device, tuple(one for one in scenario.ops if one.name not in WITHOUT) + looks)


def visible(trace: Trace) -> tuple[list[list[tuple[int, ...]]], Counter[int]]:
    """Return what the guest collected in each operation, and the number of pushes of each queue.

    The order does not count: requests dequeued together are sorted by sector and merged
    (virtio_blk_submit_multireq), and a device may end them in any order (virtio 1.2, 2.7.8). So the
    heads do not count: the driver takes descriptors again in the order in which they came back. Nor
    does the request of a used entry: after a reset only the model can name it.
    """
    collected: list[list[tuple[int, ...]]] = []
    for event in without_probe(trace.events):
        if event.kind == OP:
            collected.append([])
        elif event.kind == COLLECT:
            collected[-1].append((event.queue, event.flag))
        elif event.kind == SECTOR and event.flag != UNWRITTEN:  # the model announces no such data
            collected[-1][-1] += (event.head, event.flag, event.value)
    pushes = [event for event in without_probe(trace.events) if event.kind == PUSH]
    return [sorted(each) for each in collected if each], Counter(event.queue for event in pushes)


def outlives_a_reset(execution: Execution) -> bool:
    """Whether a request goes on after its reset (B1); its effect then depends on timing."""
    return any(found.rule in {"S4", "S6"} for found in execution.verdict.violations)


def check(scenario: Scenario, qemu: QemuTarget) -> Trace:
    with model(REVISION, "inline") as reference:
        expected = run_scenario(reference, scenario)
    seen = qemu.run(scenario)
    if not outlives_a_reset(expected):
        assert visible(seen) == visible(expected.trace), scenario
    return seen


def test_on_200_scenarios(qemu: QemuTarget) -> None:
    kinds: Counter[int] = Counter()
    for data in fuzz_inputs(41, 200):
        kinds.update(event.kind for event in check(comparable(decode(data)), qemu).events)
    assert kinds[COLLECT] > 100, "else nothing was compared"
    assert kinds[SECTOR] > 10


@pytest.mark.parametrize("folder", sorted(CORPUS.glob("*/")), ids=lambda path: path.name)
def test_on_the_corpus(folder: Path, qemu: QemuTarget) -> None:
    (path,) = folder.glob("scenario.*")
    check(comparable(read_input(path).scenario), qemu)
