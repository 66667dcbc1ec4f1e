"""The main loops of a worker's actor processes: device and guest, or a device that runs both.

Each process waits on its own semaphore. The fuzz process hands an execution over to the device,
which runs the turnstile and hands single turns over to the guest. After a hand-over a process
accesses no shared memory until it gets the turn back.

An exception in the code of a user's device ends the execution as FAULT, a finding. Any other
exception in an actor is a harness error: its traceback is written to the report area and the
execution ends as FAILED. Actors end only by `os._exit` or a signal.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorHung, HarnessError
from vblkfuzz.limits import HANG_LIMIT_S, MAX_REPORT_BYTES
from vblkfuzz.process.actor_error import error_text
from vblkfuzz.process.control import (
    EXECUTION,
    GUEST_BUDGET,
    GUEST_FAILED,
    GUEST_OP,
    GUEST_STATE,
    GUEST_TURN,
    GUEST_USED,
    HANDOVERS,
    STATUS,
    STEPS,
    WATCHED,
    Status,
)
from vblkfuzz.process.cpu_limit import CpuLimit
from vblkfuzz.process.execution import Ran, SharedParts, execute
from vblkfuzz.process.guest import GuestState, InlineRunner
from vblkfuzz.process.last_line import LastLine
from vblkfuzz.process.leftovers import has_copy
from vblkfuzz.process.memory_limit import limit_memory
from vblkfuzz.process.own_code import OwnCode
from vblkfuzz.process.refused_calls import refuse_calls
from vblkfuzz.scenario.codec import decode_canonical
from vblkfuzz.schedule.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.semaphore import Semaphore
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op

_STATES: Final = tuple(GuestState)


@dataclass(frozen=True, slots=True)
class Turns:
    """One semaphore for each process that takes turns."""

    fuzzer: Semaphore
    device: Semaphore
    guest: Semaphore


class RemoteRunner:
    """Runs turns of the guest in the guest process; satisfies `guest.GuestRunner`."""

    def __init__(self, parts: SharedParts, turns: Turns) -> None:
        self.handovers = 2
        """Hand-overs so far, including those from and to the fuzz process."""
        self._control = parts.arena.control
        self._hand_over = turns.guest.release
        self._await_turn = turns.device.acquire

    def run(self, index: int | None, budget: int, turn: int) -> tuple[int, GuestState]:
        """Start operation `index` in the guest process, or continue the current one (None).

        Raises:
            HarnessError: the guest raised an exception.
        """
        control = self._control
        control[GUEST_OP] = 0 if index is None else index + 1
        control[GUEST_BUDGET] = budget
        control[GUEST_TURN] = turn
        self._hand_over()
        self._await_turn()
        self.handovers += 2
        state = control[GUEST_STATE]
        if state == GUEST_FAILED:
            raise HarnessError("the guest process failed")
        return control[GUEST_USED], _STATES[state]


def device_main(
    parts: SharedParts,
    turns: Turns,
    device: type[VirtioBlk],
    *,
    memory_mb: int | None,
    alone: bool,
) -> None:
    """Run executions for ever.

    Args:
        parts: what it shares.
        turns: whose turn it is.
        device: class of the device.
        memory_mb: MiB that a user's device may take; 0: no limit; None: the device is built in.
        alone: it runs the guest too, so there is no guest process.
    """
    control = parts.arena.control
    own = OwnCode(device)
    limit = CpuLimit(HANG_LIMIT_S, deadly=bool(own))
    if own:
        limit.install()
        refuse_calls()
    if memory_mb:
        limit_memory(memory_mb)
    while True:
        turns.device.acquire()
        runner = RemoteRunner(parts, turns)
        watch = LastLine(own, parts.arena) if control[WATCHED] else nullcontext()

        def remote(
            config: DeviceConfig, ops: tuple[Op, ...], runner: RemoteRunner = runner
        ) -> RemoteRunner:
            return runner

        try:
            scenario = decode_canonical(parts.arena.scenario.read())
            make_runner = parts.inline_runner if alone else remote
            asked = parts.arena.steering.read()
            steering = Steering.from_json(asked) if asked else None
            with limit, watch, _one_returns():
                ran = execute(parts, scenario, device, make_runner, own, steering)
            if own and has_copy():
                raise HarnessError("the device process was forked in C; its copy ran on beside it")
            _report_result(parts, ran)
            control[HANDOVERS] = 0 if alone else runner.handovers
            if alone:
                fields = (ran.points, ran.obeyed, ran.overtaken)
                parts.arena.schedule.write(json.dumps(fields).encode())
        except ActorHung as error:
            _report(parts, error, Status.HUNG)
        except BaseException as error:
            _report(parts, error)
        turns.fuzzer.release()


@contextmanager
def _one_returns() -> Iterator[None]:
    """End a copy of this process that the device has made in C (fork(2)) inside the block."""
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != pid:
            os._exit(1)


def _report_result(parts: SharedParts, ran: Ran) -> None:
    """Leave trace and figures for the fuzz process, and what the device did wrong."""
    arena = parts.arena
    arena.control[STEPS] = ran.steps
    arena.device_ring.publish()
    if ran.broken is None:
        arena.control[STATUS] = Status.DONE
        return
    head = ran.broken.fault.to_line()
    stack = ran.broken.stack.encode(errors="backslashreplace")
    arena.report.write(head + stack[-(MAX_REPORT_BYTES - len(head)) :])
    arena.control[STATUS] = Status.FAULT


def guest_main(parts: SharedParts, turns: Turns) -> None:
    """Run turns of the guest driver for ever."""
    control = parts.arena.control
    stores = parts.arena.stores
    loaded, delays = -1, False
    runner: InlineRunner
    while True:
        turns.guest.acquire()
        try:
            if control[EXECUTION] != loaded:
                scenario = decode_canonical(parts.arena.scenario.read())
                # Resets the event count of this process; the device reset its own at power-on.
                parts.arena.guest_ring.clear()
                runner = parts.guest_runner(scenario.device, scenario.ops)
                delays = scenario.delays
                stores.follow()
                loaded = control[EXECUTION]
            if delays:
                stores.follow()
            op, budget, turn = control[GUEST_OP], control[GUEST_BUDGET], control[GUEST_TURN]
            used, state = runner.run(op - 1 if op else None, budget, turn)
            parts.arena.guest_ring.publish()
            control[GUEST_USED], control[GUEST_STATE] = used, state
        except (Exception, SystemExit) as error:
            _report(parts, error)
            control[GUEST_STATE] = GUEST_FAILED
        turns.device.release()


def _report(parts: SharedParts, error: BaseException, status: Status = Status.FAILED) -> None:
    """Write the traceback to the report area unless the execution has a report already."""
    if parts.arena.control[STATUS] == Status.RUNNING:
        # The end of a long traceback is its most useful part. Encoding must not raise here.
        text = error_text(error).encode(errors="backslashreplace")
        parts.arena.report.write(text[-MAX_REPORT_BYTES:])
        parts.arena.control[STATUS] = status
