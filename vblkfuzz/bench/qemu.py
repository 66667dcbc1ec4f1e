"""``vblkfuzz bench qemu``: the speed of scenarios on a real QEMU, and the cost of observing it.

The scenario has one drained section. It is compared with a *bare loop* that performs the same
operations on a device of the same kind in one process, without guest process, witnesses and
oracles, with QEMU behind a gate, its threads one at a time, and with a process for each usable core
that does the same at the same time, as the workers of a campaign do. All are measured in turn,
round after round; figures are medians over the rounds.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.crew import Crew
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.executor import run_scenario
from vblkfuzz.process.usable_cores import usable_cores
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget

_BATCH: Final = 25
"""Scenarios in one measurement."""
_WINDOW: Final = Scenario(
    ops=(
        op("init"),
        op("drain_begin"),
        op("publish_kick", request="out", sector=3),
        op("drain_end"),
        op("collect"),
    )
)


def measure(rounds: int, options: TargetOptions) -> dict[str, float]:
    """Run the benchmark; return its figures.

    Raises:
        DeviceUnavailable: no QEMU can be started.
    """
    rates: dict[str, list[float]] = {"free": [], "serial": [], "bare": [], "all": []}
    with (
        Crew(usable_cores(), lambda: _windows(options)) as crew,
        _target(replace(options, serial=False)) as free,
        _target(replace(options, serial=True)) as serial,
        _bare(options) as loop,
    ):
        for _ in range(rounds):
            rates["free"].append(rate(lambda: run_scenario(free, _WINDOW)))
            rates["serial"].append(rate(lambda: run_scenario(serial, _WINDOW)))
            rates["bare"].append(rate(loop))
            rates["all"].append(crew.rate(_BATCH))
    found = {name: median(each) for name, each in rates.items()}
    return {
        "windows_per_s": round(found["free"], 1),
        "serial_windows_per_s": round(found["serial"], 1),
        "bare_windows_per_s": round(found["bare"], 1),
        "ratio": round(found["free"] / found["bare"], 2),
        "all_windows_per_s": round(found["all"], 1),
        "all_ratio": round(found["all"] / found["free"], 2),
        "serial_ratio": round(found["serial"] / found["free"], 2),
        "rounds": rounds,
    }


def _target(options: TargetOptions) -> QemuTarget:
    return qemu_target("virtio-blk-pci", "processes", options)


@contextmanager
def _windows(options: TargetOptions) -> Iterator[Callable[[], object]]:
    with _target(replace(options, serial=False)) as target:
        yield lambda: run_scenario(target, _WINDOW)


def rate(once: Callable[[], object]) -> float:
    """Call `once` `_BATCH` times; return the calls per second."""
    start = time.perf_counter()
    for _ in range(_BATCH):
        once()
    return _BATCH / (time.perf_counter() - start)


@contextmanager
def _bare(options: TargetOptions) -> Iterator[Callable[[], None]]:
    rig = QemuRig(options)
    rig.start()
    ring = TraceRing(memoryview(bytearray(RING_BYTES)))

    def once() -> None:
        port = rig.port()
        # The port closes the descriptors it gets, so it gets copies of the rig's.
        port.power_on(_WINDOW.device, [os.dup(fd) for fd in rig.power_on(_WINDOW)])
        machine = rig.machine
        driver = GuestDriver(port.memory, port, _WINDOW.device, ring)
        for operation in _WINDOW.ops:
            if operation.spec.owner == "guest":
                list(driver.run(operation))
            elif operation.name == "drain_begin":
                machine.qemu.qmp.run(machine.disk.open_window(pivot=False))
            else:
                machine.qemu.qmp.run(machine.disk.close_window(cancelled=False))
        port.power_off()
        ring.clear()

    try:
        yield once
    finally:
        rig.stop()
