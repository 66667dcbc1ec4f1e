"""The starting inputs: named scenarios to start a campaign with, one function each.

They are short and show what guests and operators typically do, so that a campaign need not find
these sequences by chance. None shows a bug on `reference`. To write them as text, run
``python -m vblkfuzz.mutation.starting_inputs corpus/start``; to start with them, run
``vblkfuzz fuzz --corpus corpus/start``. To add one, write a function whose docstring is its purpose
in one line, and list it in `STARTING_INPUTS`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS, REQUESTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.scenario.text import to_text

Start = Callable[[], Scenario]

_INIT: Final = op("init")
_READ: Final = op("publish_kick")
_WRITE: Final = op("publish_kick", request="out")
_COLLECT: Final = op("collect")
_DRAIN: Final = op("drain_begin")
_END: Final = op("drain_end")


def every_request() -> Scenario:
    """Each kind of request, one after another."""
    requests = [op("publish_kick", request=request, sector=2) for request in REQUESTS]
    return Scenario(ops=(_INIT, *requests, _COLLECT))


def batch() -> Scenario:
    """Several requests behind one kick, in indirect descriptors."""
    requests = [op("publish", request="out", sector=at, sectors=2) for at in range(3)]
    return Scenario(DeviceConfig(indirect=True), (_INIT, *requests, op("kick"), _COLLECT))


def ring_wraps() -> Scenario:
    """More requests than a small ring has entries."""
    rounds = [op for _ in range(3) for op in (_READ, _WRITE, _COLLECT)]
    return Scenario(DeviceConfig(queue_size=4, event_idx=False), (_INIT, *rounds))


def two_queues() -> Scenario:
    """Two queues in an IOThread each, one of them reset."""
    ops = (_INIT, _READ, op("publish_kick", queue=1), op("queue_reset", queue=1), _COLLECT)
    return Scenario(DeviceConfig(queues=2, iothreads=2), ops)


def exits_only() -> Scenario:
    """Kicks as VM exits, the dataplane in the main loop; a request parked and resumed."""
    ops = (_INIT, _DRAIN, _WRITE, _END, _COLLECT)
    return Scenario(DeviceConfig(ioeventfd=False, iothreads=0), ops)


def poll_mode() -> Scenario:
    """An IOThread that polls, a drain in it, and back to notifiers."""
    ops = (_INIT, op("publish"), _DRAIN, _END, _READ, op("poll_off"), _READ, _COLLECT)
    return Scenario(DeviceConfig(polling=True), ops)


def drain_waits() -> Scenario:
    """A drain waits for a request in flight, which ends out of order."""
    ops = (op("hold"), _READ, _WRITE, _DRAIN, op("complete", which="newest"), op("release"), _END)
    return Scenario(ops=(_INIT, *ops, _COLLECT))


def kick_in_drain() -> Scenario:
    """A kick inside nested drained sections, served after the outer one."""
    ops = (_DRAIN, op("drain_begin", wait="nopoll"), _WRITE, _END, _END, _COLLECT)
    return Scenario(ops=(_INIT, *ops))


def kick_races_drain() -> Scenario:
    """A kick whose request is dequeued while a drain begins."""
    schedule = (Deviation(1, 3, Go.NEXT),)
    return Scenario(ops=(_INIT, _WRITE, _DRAIN, _END, _COLLECT), schedule=schedule)


def mirror() -> Scenario:
    """A mirror job's long drained section, with guest writes before, in and after it."""
    ops = (_WRITE, op("mirror_begin"), _WRITE, op("mirror_finish"), _WRITE, _COLLECT)
    return Scenario(ops=(_INIT, *ops))


def short_drains() -> Scenario:
    """A snapshot and a resize, each a short drained section, between requests."""
    ops = (_WRITE, op("snapshot"), _READ, op("resize", sectors=128), _READ, _COLLECT)
    return Scenario(ops=(_INIT, *ops))


def reset_in_flight() -> Scenario:
    """A reset with a request in flight, then a new driver."""
    return Scenario(ops=(_INIT, op("hold"), _WRITE, op("reset"), _INIT, _READ, _COLLECT))


def reset_in_drain() -> Scenario:
    """A kick, a reset and a new driver inside one drained section."""
    return Scenario(ops=(_INIT, _DRAIN, _WRITE, op("reset"), _INIT, _READ, _END, _COLLECT))


def system_reset() -> Scenario:
    """The machine is reset from outside while a drain waits."""
    ops = (op("hold"), _WRITE, _DRAIN, op("system_reset"), op("release"), _END, _INIT, _READ)
    return Scenario(ops=(_INIT, *ops))


def replug_in_flight() -> Scenario:
    """The device is unplugged with a request in flight, then a driver sets up the next one."""
    ops = (op("hold"), _WRITE, op("replug"), op("release"), _INIT, _READ, _COLLECT)
    return Scenario(ops=(_INIT, *ops))


def replug_in_drain() -> Scenario:
    """The disk has a new device inside a drained section, after a kick for the old one."""
    return Scenario(ops=(_INIT, _DRAIN, _WRITE, op("replug"), _INIT, _READ, _END, _COLLECT))


def reconnect() -> Scenario:
    """Several connections in a row, the driver of each with a request."""
    again = (op("replug", part="connection"), _INIT, _WRITE)
    return Scenario(ops=(_INIT, _WRITE, *again, *again, _COLLECT))


def stop_and_cont() -> Scenario:
    """The VM stops with requests in flight; the guest kicks again once it runs."""
    ops = (op("hold"), _WRITE, op("stop"), op("release"), op("cont"), _READ, _COLLECT)
    return Scenario(ops=(_INIT, *ops))


def stop_in_drain() -> Scenario:
    """The VM stops and continues inside a drained section with an unserved kick."""
    return Scenario(ops=(_INIT, _DRAIN, _WRITE, op("stop"), op("cont"), _END, _COLLECT))


def save_and_restore() -> Scenario:
    """A VM is saved with a failed write and a call that is not taken; a new device goes on."""
    failed = op("complete", result="enospc")
    ops = (_READ, op("hold"), _WRITE, failed, op("release"), op("save"), op("restore"), _COLLECT)
    return Scenario(DeviceConfig(werror="stop"), (_INIT, *ops))


def save_in_drain() -> Scenario:
    """A VM is saved and restored inside a drained section with an unserved kick."""
    return Scenario(ops=(_INIT, _DRAIN, _WRITE, op("save"), op("restore"), _END, _COLLECT))


def retry_on_cont() -> Scenario:
    """A failed write stops the VM and is retried when it continues."""
    failed = op("complete", result="enospc")
    ops = (op("hold"), _WRITE, failed, op("release"), op("cont"), _COLLECT)
    return Scenario(DeviceConfig(werror="stop"), (_INIT, *ops))


def start_fails() -> Scenario:
    """A start fails at its second queue and falls back to VM exits."""
    ops = (op("start_fail", queue=1), _INIT, _READ, op("publish_kick", queue=1), _COLLECT)
    return Scenario(DeviceConfig(queues=2), ops)


def jobs() -> Scenario:
    """A block job of each kind with a request in flight, the last one inside a drained section."""
    kinds = [op("block_job", kind=kind) for kind in ("backup", "commit", "stream")]
    beside = [
        step for job in kinds for step in (op("hold"), _WRITE, job, op("release"), _COLLECT, _READ)
    ]
    return Scenario(ops=(_INIT, *beside, _DRAIN, _WRITE, kinds[0], _END, _COLLECT))


def limits() -> Scenario:
    """Limits of I/O are set and removed, a node is reopened, and a mirror job is cancelled."""
    mirror = (op("mirror_begin"), _WRITE, op("mirror_finish", how="cancel"), _COLLECT)
    doors = (op("throttle"), _READ, op("throttle", limits="removed"), _READ, op("reopen"))
    return Scenario(ops=(_INIT, *doors, *mirror))


def early_kick() -> Scenario:
    """A driver kicks before DRIVER_OK."""
    return Scenario(ops=(op("init", how="no_driver_ok"), _READ, op("reset"), _INIT, _READ))


def quiet_guest() -> Scenario:
    """A guest that suppresses calls, then asks for one after several used entries."""
    ops = (op("suppress_calls", on="yes"), _READ, op("suppress_calls"))
    late = (op("set_used_event", ahead=1), _READ, _READ, _COLLECT)
    return Scenario(ops=(_INIT, *ops, *late))


def hostile_guest() -> Scenario:
    """Broken ring contents of each kind, each followed by a new driver."""
    breaks = [
        each
        for content in HOSTILE_CONTENTS
        for each in (op("hostile", content=content), op("reset"), _INIT)
    ]
    return Scenario(ops=(_INIT, *breaks, _READ, _COLLECT))


STARTING_INPUTS: Final[tuple[Start, ...]] = (
    every_request,
    batch,
    ring_wraps,
    two_queues,
    exits_only,
    poll_mode,
    drain_waits,
    kick_in_drain,
    kick_races_drain,
    mirror,
    short_drains,
    reset_in_flight,
    reset_in_drain,
    system_reset,
    replug_in_flight,
    replug_in_drain,
    reconnect,
    stop_and_cont,
    stop_in_drain,
    save_and_restore,
    save_in_drain,
    retry_on_cont,
    start_fails,
    jobs,
    limits,
    early_kick,
    quiet_guest,
    hostile_guest,
)


def files() -> dict[str, str]:
    """Return the starting inputs: text by file name."""
    return {
        f"{start.__name__.replace('_', '-')}.toml": to_text(start(), start.__doc__ or "")
        for start in STARTING_INPUTS
    }


def write(folder: Path) -> None:
    """Write the starting inputs to `folder`, and remove other `.toml` files from it.

    Raises:
        UsageError: the folder cannot be written.
    """
    wanted = files()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.toml"):
            if old.name not in wanted:
                old.unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vblkfuzz.mutation.starting_inputs FOLDER")
    write(Path(sys.argv[1]))
