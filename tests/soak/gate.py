"""The schedules of `tests/targets/qemu/gate_scenarios.py`, often, each hang on a new QEMU.

``pytest -s tests/soak/gate.py``. Not collected by a plain `pytest`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.gate.program import NEEDS_GATE
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.gate_scenarios import DEADLOCK, DEADLOCK_AT, LOST, WINDOW, interrupted_at
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget

pytestmark = [NEEDS_QEMU, NEEDS_GATE, pytest.mark.realdevice, pytest.mark.timeout(0)]

TIMES = 10
WINDOWS = 500


def test_schedules_show_what_they_are_for() -> None:
    rig = QemuRig(TargetOptions(serial=True))
    with QemuTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:

        def shows(signature: str, scenario: Scenario) -> bool:
            found = run_scenario(target, scenario).verdict.violations
            return signature in [violation.signature for violation in found]

        for point in range(DEADLOCK_AT - 3, DEADLOCK_AT + 4):
            times = sum(shows(DEADLOCK, interrupted_at(point)) for _ in range(TIMES))
            print(f"{DEADLOCK} at point {point}: {times} of {TIMES}")
            assert times == (TIMES if point == DEADLOCK_AT else 0)
        lost = sum(shows("l1-suppressed", LOST) for _ in range(10 * TIMES))
        print(f"l1-suppressed: {lost} of {10 * TIMES}")
        assert lost >= 9 * TIMES
        without = replace(LOST, schedule=())
        assert not any(shows("l1-suppressed", without) for _ in range(10 * TIMES))


def test_orders_of_a_drained_window() -> None:
    """How many orders depends on what else the machine does: read the figures."""
    rig = QemuRig(TargetOptions(serial=True))
    orders: Counter[tuple[int, ...]] = Counter()
    with QemuTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        for _ in range(WINDOWS):
            assert not run_scenario(target, WINDOW).verdict.violations
            assert rig.gated is not None
            orders[tuple(rig.gated.gate.neighbours)] += 1
    print([times for _, times in orders.most_common()])
    assert orders.most_common(1)[0][1] > WINDOWS // 2
