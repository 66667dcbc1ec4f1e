"""The fixed scenarios of ``vblkfuzz bench core``: eight scenarios of 20 to 30 operations.

Together they use the same kinds of operations, about as often, as the inputs of a campaign, so that
their speed is representative of one.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

_INIT, _RESET = op("init"), op("reset")
_POLL, _NOPOLL, _END = op("drain_begin"), op("drain_begin", wait="nopoll"), op("drain_end")
_HOLD, _RELEASE = op("hold"), op("release")
_KICK, _COLLECT = op("kick"), op("collect")


def _read(sector: int, queue: int = 0) -> Op:
    return op("publish_kick", queue=queue, request="in", sector=sector)


def _write(sector: int, queue: int = 0) -> Op:
    return op("publish_kick", queue=queue, request="out", sector=sector)


def _publish(sector: int, queue: int = 0) -> Op:
    return op("publish", queue=queue, request="in", sector=sector)


_KICKS_IN_DRAINS = (
    *(_INIT, _write(1), _POLL, _write(2), _read(1), _END, _COLLECT, _NOPOLL, _POLL, _read(2)),
    *(_END, _KICK, _END, _COLLECT, _read(3), _POLL, _publish(4), _KICK, _END, _COLLECT),
)
_RESETS = (
    *(_INIT, _write(1), _read(1), _COLLECT, _POLL, _write(2), _RESET, _INIT, _read(2), _END),
    *(_COLLECT, _HOLD, _write(3), _publish(4), _RELEASE, _COLLECT, op("system_reset"), _INIT),
    *(_write(5), _COLLECT),
)
_HELD = (
    *(_INIT, _HOLD, _write(1), _write(2), _read(1), op("complete", which="newest"), _COLLECT),
    *(op("complete", result="eio"), _COLLECT, _RELEASE, _read(2), _HOLD, _write(3), _POLL),
    *(op("complete", which="all"), _END, _COLLECT, _RELEASE, _read(3), _COLLECT, op("flush")),
)
_MIRROR = (
    *(_INIT, _write(1), _COLLECT, op("mirror_begin"), _write(2), _publish(3), _KICK),
    *(op("resize", sectors=32), op("mirror_finish"), _COLLECT, op("snapshot"), _read(1), _COLLECT),
    *(_write(2), _publish(3), _publish(4), _KICK, _COLLECT, op("suppress_calls", on="yes")),
    *(_read(4), _COLLECT),
)
_STOPS = (
    *(_INIT, _write(1), _read(1), _COLLECT, op("stop"), op("snapshot"), op("cont"), _read(2)),
    *(_COLLECT, _HOLD, _write(3), op("complete"), op("stop"), op("cont"), _RELEASE, _COLLECT),
    *(_publish(4), _KICK, _COLLECT, op("set_used_event", ahead=2), _write(5), _COLLECT),
)
_POLLING = (
    *(_INIT, _write(1), op("poll_on"), _write(2), _publish(3), _COLLECT, _POLL, _publish(4)),
    *(_END, _COLLECT, op("poll_off"), _write(5), _COLLECT, op("poll_on"), _read(1), _NOPOLL),
    *(_read(2), _END, op("poll_off"), _COLLECT, _read(3), _COLLECT),
)
_QUEUES = (
    *(_INIT, _write(1), _write(2, 1), _read(1), _read(2, 1), _COLLECT, op("collect", queue=1)),
    *(_POLL, _write(3, 1), _publish(4), _END, op("collect", queue=1), op("queue_reset", queue=1)),
    *(_write(5, 1), _KICK, _COLLECT, _HOLD, _read(3, 1), _RELEASE, op("collect", queue=1), _KICK),
)
_HOSTILE = (
    *(_INIT, _write(1), _read(1), _COLLECT, op("hostile", content="loop"), _read(2), _POLL, _END),
    *(_RESET, op("init", how="no_driver_ok"), _write(3), _COLLECT, _RESET, _INIT, _write(4)),
    *(_publish(5), _COLLECT, _KICK, _COLLECT, _read(4), _COLLECT),
)

SCENARIOS: Final = (
    Scenario(ops=_KICKS_IN_DRAINS),
    Scenario(ops=_RESETS, schedule=(Deviation(5, 3, Go.NEXT),)),
    Scenario(ops=_HELD),
    Scenario(ops=_MIRROR, device=DeviceConfig(event_idx=False)),
    Scenario(ops=_STOPS, schedule=(Deviation(1, 2, Go.IO0), Deviation(12, 4, Go.NEXT))),
    Scenario(ops=_POLLING),
    Scenario(ops=_QUEUES, device=DeviceConfig(queues=2, iothreads=2, indirect=True)),
    Scenario(ops=_HOSTILE, device=DeviceConfig(iothreads=0)),
)
