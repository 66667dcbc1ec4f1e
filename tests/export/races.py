"""A race of QEMU 7.2 and its schedule, as small as they can be."""

from __future__ import annotations

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Place, Role, Scenario

SHOWS = "a request was never served"
OPS = (op("init"), op("drain_begin"), op("publish_kick", request="in"), op("drain_end"))
_POLLS = Place("run_poll_handlers_begin", after="mirror_before_drain")
_LOCK = Place("qemu_mutex_lock", "util/main-loop.c:318")
SCHEDULE = (
    Deviation(1, 7, Go.NEXT, role=Role.IO0, place=_POLLS),
    Deviation(3, 0, Go.NEXT, role=Role.MAIN, locks=True, place=_LOCK),
)
SUPPRESSED = Scenario(DeviceConfig(iothreads=1, polling=True, event_idx=False), OPS, SCHEDULE)
"""The IOThread polls in the section with notifications off; a request that is published then is not
kicked, and not looked for after it (`l1-suppressed`)."""
