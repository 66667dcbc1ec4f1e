"""The guest process of a real target: the guest driver, on a port to a real device.

    fuzz process -- GuestProcess --> guest process -- Port --> device process

It is forked before libFuzzer installs handlers and starts threads. It outlives the device
processes; their connections are passed with the scenario (SCM_RIGHTS). Each request is one packet,
and so is its answer:

    load   scenario, connections   makes a new driver            -> done | lost | failed
    run    index, or REST          the driver carries it out     -> done | lost | failed
    set up                         an init, for the probe        -> done | lost | failed
    probe                          one request on each queue     -> done | lost | failed
    save                           stops the device for a save   -> done | lost | failed
    restore connections            goes on with another device   -> done | lost | failed
    replace connections            meets a device in its power-on state -> as above
    off                            ends the scenario             -> done | lost | failed

Each answer carries the events so far, and what was published (`guest_answer`); that of `failed` is
a traceback. `lost` means that the device's connection has ended. The target, which owns the device
process, decides whether that is a finding. If `answer` times out, the guest waits for the device.
`answer` can be called again, so the operator can act in between.
"""

from __future__ import annotations

import socket
import traceback
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.forms import form_of
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.port import Observed, Port
from vblkfuzz.driver.probe import probe, set_up
from vblkfuzz.driver.published import published_in
from vblkfuzz.errors import ActorDied, HarnessError, ProtocolViolated
from vblkfuzz.process.forked import Forked
from vblkfuzz.process.guest import REST
from vblkfuzz.process.guest_answer import GuestAnswer, pack, unpack
from vblkfuzz.scenario.codec import decode_canonical, encode
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.transport import GuestSteps
    from vblkfuzz.scenario.scenario import Scenario

_PACKET_BYTES: Final = 1 << 17
_MAX_FDS: Final = 16


class _Verb(IntEnum):
    LOAD = 0
    RUN = 1
    OFF = 2
    SAVE = 3
    RESTORE = 4
    PROBE = 5
    REPLACE = 6
    SET_UP = 7


_PROBES: Final[dict[int, Callable[[GuestDriver], GuestSteps]]] = {
    _Verb.SET_UP: set_up,
    _Verb.PROBE: probe,
}
"""Parts of the probe."""


class _Answer(IntEnum):
    DONE = 0
    LOST = 1
    FAILED = 2
    VIOLATED = 3
    UNUSABLE = 4


class GuestProcess:
    """The fuzz process's handle on its guest process."""

    def __init__(self, make_port: Callable[[], Port]) -> None:
        self._forked = Forked(lambda line: _guest_main(line, make_port()))

    def start(self) -> None:
        """Fork the guest process; it dies with the calling thread."""
        self._forked.start()

    @property
    def pid(self) -> int:
        """Process id while the process runs, else 0."""
        return self._forked.pid

    def stop(self) -> None:
        """Kill and reap the guest process."""
        self._forked.stop()

    def restart(self) -> None:
        """Replace a guest process that hangs or has failed.

        The next `load` must pass connections.
        """
        self.stop()
        self.start()

    def load(self, scenario: Scenario, fds: Sequence[int]) -> None:
        """Send the next scenario; `answer` returns when the guest has loaded it.

        Args:
            scenario: only its configuration and operations are used.
            fds: connections of a new device process, if there is one; they stay open here.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.LOAD]) + encode(scenario), fds)

    def power_off(self) -> None:
        """Make the guest end the scenario; `answer` returns when `Port.power_off` has returned.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.OFF]))

    def hand_over(self, fds: Sequence[int] | None, *, new: bool = False) -> None:
        """Make the port save, restore or replace the device; `answer` returns when it has done so.

        Args:
            fds: None: save it; else connections of the device to go on with; they stay open here.
            new: it is another device, in its power-on state.

        Raises:
            ActorDied: the guest process has ended.
        """
        if fds is None:
            self._send(bytes([_Verb.SAVE]))
        else:
            self._send(bytes([_Verb.REPLACE if new else _Verb.RESTORE]), fds)

    def begin(self, index: int) -> None:
        """Make the guest carry out operation `index` or `REST`; `answer` returns its events.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.RUN, index]))

    def set_up(self) -> None:
        """Make the driver set the device up for the probe; `answer` returns its events.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.SET_UP]))

    def probe(self) -> None:
        """Make the driver publish a request on each queue; `answer` returns its events.

        Raises:
            ActorDied: the guest process has ended.
        """
        self._send(bytes([_Verb.PROBE]))

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
        """Return the result of the operation; None if there is none within `patience_s` seconds.

        Raises:
            ActorDied: the guest process has ended.
            ProtocolViolated: the device broke the protocol of its connection.
            HarnessError: the device cannot be used, or the guest raised an exception.
        """
        line = self._forked.line
        line.settimeout(patience_s)
        try:
            packet = line.recv(_PACKET_BYTES)
        except (TimeoutError, BlockingIOError):
            return None
        except ConnectionResetError:  # the guest ended before it had read the request
            packet = b""
        if not packet:
            raise ActorDied("the guest process has ended")
        if packet[0] not in (_Answer.DONE, _Answer.LOST):
            raise _error_in(_Answer(packet[0]), packet[1:].decode(errors="replace"))
        return unpack(packet[1:], lost=packet[0] == _Answer.LOST)


def _error_in(answer: _Answer, text: str) -> HarnessError:
    if answer is _Answer.VIOLATED:
        return ProtocolViolated(text)
    return HarnessError(
        text if answer is _Answer.UNUSABLE else f"the guest process failed:\n{text}"
    )


def _guest_main(line: socket.socket, port: Port) -> None:
    """Serve requests until the fuzz process has ended."""
    ring = TraceRing(memoryview(bytearray(RING_BYTES)))
    scenario: Scenario
    driver: GuestDriver
    queues: Sequence[GuestQueue] = ()
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
                observed = Observed(port, ring, port.queue_reset)
                driver = GuestDriver(port.memory, observed, config, ring, form_of(config))
                queues = driver.queues
            elif packet[0] == _Verb.OFF:
                port.power_off()
            elif packet[0] in _PROBES:
                deque(_PROBES[packet[0]](driver), maxlen=0)
            elif packet[0] == _Verb.SAVE:
                port.save()
            elif packet[0] == _Verb.RESTORE:
                port.restore(fds)
            elif packet[0] == _Verb.REPLACE:
                port.replace(fds)
            else:
                index = packet[1]
                for _ in driver.rest() if index == REST else driver.run(scenario.ops[index]):
                    pass
            content = _told(ring, queues)
        except Exception as error:
            answer, content = _failed(error, ring, queues)
        line.send(bytes([answer]) + content[: _PACKET_BYTES - 1])


def _failed(
    error: Exception, ring: TraceRing, queues: Sequence[GuestQueue]
) -> tuple[_Answer, bytes]:
    """Return the answer after an exception; called while it is handled."""
    if isinstance(error, (OSError, EOFError)):
        return _Answer.LOST, _told(ring, queues)
    if isinstance(error, HarnessError):
        violated = isinstance(error, ProtocolViolated)
        kind = _Answer.VIOLATED if violated else _Answer.UNUSABLE
        return kind, str(error).encode(errors="replace")
    return _Answer.FAILED, traceback.format_exc().encode(errors="replace")


def _told(ring: TraceRing, queues: Sequence[GuestQueue]) -> bytes:
    """Return the driver's events, and what it published in its queues."""
    events = ring.read()
    return pack(events, published_in(events, queues))
