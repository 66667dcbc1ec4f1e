"""``vblkfuzz bench qsd``: the speed of a real storage daemon, and the cost of observing it.

A session is one scenario: a connection, the whole handshake, two requests one after the other, a
stop. It is compared with a *bare loop* that performs the same operations on a daemon of the same
kind in one process, which polls the used ring for the end of each request, without guest process,
witnesses and oracles. Both are measured in turn, round after round; figures are medians over the
rounds.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.qemu import rate
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.targets.options import TargetOptions

_SESSION: Final = Scenario(
    ops=(
        op("init"),
        op("publish_kick", request="out", sector=3),
        op("publish_kick", request="in", sector=3),
        op("collect"),
        op("reset"),
    )
)


def measure(rounds: int, options: TargetOptions) -> dict[str, float]:
    """Run the benchmark; return its figures.

    Raises:
        DeviceUnavailable: no storage daemon can be started.
    """
    watched: list[float] = []
    bare: list[float] = []
    # In this order: the target has a connection from its start, and a process that is forked later
    # would inherit it and keep it open.
    with _bare(options) as loop, qsd_target("vhost-user-blk", "processes", options) as target:
        for _ in range(rounds):
            watched.append(rate(lambda: run_scenario(target, _SESSION)))
            bare.append(rate(loop))
    return {
        "sessions_per_s": round(median(watched), 1),
        "bare_sessions_per_s": round(median(bare), 1),
        "ratio": round(median(watched) / median(bare), 2),
        "rounds": rounds,
    }


@contextmanager
def _bare(options: TargetOptions) -> Iterator[Callable[[], None]]:
    rig = QsdRig(options)
    rig.start()
    port = rig.port()
    ring = TraceRing(memoryview(bytearray(RING_BYTES)))
    layout = ring_layout(0, _SESSION.device.queue_size, bank=0)
    used_idx = layout.used_idx >> 1

    def once() -> None:
        # The port closes the descriptors it gets, so it gets copies of the rig's.
        port.power_on(_SESSION.device, [os.dup(fd) for fd in rig.power_on(_SESSION)])
        driver = GuestDriver(port.memory, port, _SESSION.device, ring)
        sent = 0
        for operation in _SESSION.ops:
            list(driver.run(operation))
            sent += operation.name == "publish_kick"
            while operation.name == "publish_kick" and port.memory.u16[used_idx] != sent:
                os.sched_yield()
        ring.clear()

    try:
        yield once
    finally:
        port.power_off()
        rig.stop()
