"""The guest process of a real target: the guest driver, on a port to a real device.

    fuzz process -- GuestProcess --> guest process -- Port --> device process

Forked once, before libFuzzer has handlers and threads; it outlives device processes, whose
connections are handed over with the scenario (SCM_RIGHTS). One packet each way an operation:

    load   scenario, connections   new driver                    -> done | lost | failed
    run    index of an operation   the driver carries it out     -> events | lost | failed
    off                            the device is reset           -> done | lost | failed

`lost` means that the device does not answer the guest any more: its connection has ended. Whether
that is a finding is decided by who owns the device process. A guest that gives no answer in time
waits for the device; `answer` can be asked again, so the operator may act meanwhile.
"""

from __future__ import annotations

import socket
import traceback
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.port import Observed, Port
from vblkfuzz.errors import ActorDied, HarnessError
from vblkfuzz.process.forked import Forked
from vblkfuzz.scenario.codec import decode_canonical, encode
from vblkfuzz.trace.event import EVENT_RECORD, Event
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.scenario.scenario import Scenario

_PACKET_BYTES: Final = 1 << 17
_MAX_FDS: Final = 16


class _Verb(IntEnum):
    LOAD = 0
    RUN = 1
    OFF = 2


class _Answer(IntEnum):
    DONE = 0
    LOST = 1
    FAILED = 2


class GuestAnswer(NamedTuple):
    """What an operation of the guest gave."""

    events: list[Event]
    """What the driver did, in order; turns and epochs are not set."""
    lost: bool
    """The device's connection ended meanwhile."""


class GuestProcess:
    """The fuzz process's handle on its guest."""

    def __init__(self, make_port: Callable[[], Port]) -> None:
        self._forked = Forked(lambda line: _guest_main(line, make_port()))

    def start(self) -> None:
        """Fork it; it dies with the calling thread."""
        self._forked.start()

    @property
    def pid(self) -> int:
        """Of the process, while it is started."""
        return self._forked.pid

    def stop(self) -> None:
        """Kill and reap it."""
        self._forked.stop()

    def restart(self) -> None:
        """Replace one that hangs or has failed; the next `load` must bring connections."""
        self.stop()
        self.start()

    def load(self, scenario: Scenario, fds: Sequence[int]) -> None:
        """Give it the next scenario; `answer` says when it has it.

        Args:
            scenario: its configuration and operations count.
            fds: connections of a new device process; stay open here.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.LOAD]) + encode(scenario), fds)

    def power_off(self) -> None:
        """Let it end the scenario; `answer` says when the device has done its part.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.OFF]))

    def begin(self, index: int) -> None:
        """Let it carry out operation `index`.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.RUN, index]))

    def _send(self, packet: bytes, fds: Sequence[int] = ()) -> None:
        line = self._forked.line
        try:
            if fds:
                socket.send_fds(line, [packet], list(fds))
            else:
                line.send(packet)
        except (BrokenPipeError, ConnectionResetError):
            raise ActorDied("the guest process has ended") from None

    def answer(self, patience_s: float) -> GuestAnswer | None:
        """Return what the operation gave, None if the guest still waits for the device.

        Raises:
            ActorDied: the guest process has ended.
            HarnessError: the guest raised.
        """
        line = self._forked.line
        line.settimeout(patience_s)
        try:
            packet = line.recv(_PACKET_BYTES)
        except (TimeoutError, BlockingIOError):
            return None
        except ConnectionResetError:  # it ended before it had read what we sent
            packet = b""
        if not packet:
            raise ActorDied("the guest process has ended")
        if packet[0] == _Answer.FAILED:
            raise HarnessError(f"the guest process failed:\n{packet[1:].decode(errors='replace')}")
        events = [Event(*record) for record in EVENT_RECORD.iter_unpack(packet[1:])]
        return GuestAnswer(events, packet[0] == _Answer.LOST)


def _guest_main(line: socket.socket, port: Port) -> None:
    """Serve until the fuzz process is gone."""
    ring = TraceRing(memoryview(bytearray(RING_BYTES)))
    scenario: Scenario
    driver: GuestDriver
    while True:
        packet, fds, _, _ = socket.recv_fds(line, _PACKET_BYTES, _MAX_FDS)
        if not packet:
            return
        answer = _Answer.DONE
        ring.clear()
        try:
            if packet[0] == _Verb.LOAD:
                scenario = decode_canonical(packet[1:])
                config = scenario.device
                port.power_on(config, fds)
                driver = GuestDriver(port.memory, Observed(port, ring), config, ring)
            elif packet[0] == _Verb.OFF:
                port.power_off()
            else:
                for _ in driver.run(scenario.ops[packet[1]]):
                    pass
            said = _packed(ring)
        except (OSError, EOFError):
            answer, said = _Answer.LOST, _packed(ring)
        except Exception:
            answer, said = _Answer.FAILED, traceback.format_exc().encode(errors="replace")
        line.send(bytes([answer]) + said[: _PACKET_BYTES - 1])


def _packed(ring: TraceRing) -> bytes:
    return b"".join([EVENT_RECORD.pack(*event) for event in ring.read()])
