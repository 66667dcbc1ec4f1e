"""The back-end process: one poll loop over its sessions, their kicks, and one command socket.

A command is four bytes (`Order`, two arguments, padding). The back-end answers it after all that
had arrived before has been handled, so it is also a barrier. There is a session for each machine,
and a disk (`machine.MACHINES`); commands are about that of the machine which `START` has named.

    order   arguments               does
    START   machine                 a scenario begins: the disk is zeroed, nothing is held
    ADOPT   machine                 adds a session; its connected socket is sent with the command
    CUT     -                       the back-end ends: its connection is closed as it is
    HOLD    -                       holds requests from now on
    RELEASE -                       stops holding; ends all held requests without error
    END     `PICKS`, `RESULTS`      ends some held requests
    FLUSH   -                       ends held requests other than reads without error
    FAIL    message                 the back-end ends when this one comes next, without an answer
    ANSWER  message, way            answers the next one in another way; answers what is late
    LATE    -                       answers what is late
    RESIZE  sectors - 1             the disk has another capacity; the front-end is told
    SYNC    -                       nothing: the barrier alone
"""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.server_process import ORDER
from vblkfuzz.targets.vhost_user_frontend.answer import RIGHT, Conduct
from vblkfuzz.targets.vhost_user_frontend.disk import Answer, Disk
from vblkfuzz.targets.vhost_user_frontend.held import HeldRequests
from vblkfuzz.targets.vhost_user_frontend.log import Log, Told
from vblkfuzz.targets.vhost_user_frontend.machine import MACHINES
from vblkfuzz.targets.vhost_user_frontend.notes import Areas
from vblkfuzz.targets.vhost_user_frontend.session import Session
from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.kinds import POP
from vblkfuzz.trace.vhost_kinds import VHOST_CONNECTION
from vblkfuzz.virtio.request.blk import BlkStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.vhost_user_frontend.ring import Ring, Taken

ENDED, MADE = range(2)
"""Flags of a VHOST_CONNECTION."""


class Order(IntEnum):
    """Commands; see above."""

    START = 0
    ADOPT = 1
    CUT = 2
    HOLD = 3
    RELEASE = 4
    END = 5
    FLUSH = 6
    FAIL = 7
    SYNC = 8
    ANSWER = 9
    LATE = 10
    RESIZE = 11


class BackendServer:
    """The back-end; it runs in a process of its own."""

    def __init__(self, orders: socket.socket, log: Log) -> None:
        """Take the command socket (a connected unix seqpacket socket) and the shared memory."""
        self._orders: Final = orders
        self._log: Final = log
        self._disks: Final = [Disk(machine.form) for machine in MACHINES]
        self._areas: Final = Areas()
        self._sessions: dict[int, Session] = {}
        self._machine = 0
        self._held = HeldRequests()
        self._holding = False
        self._conduct: Final = Conduct()

    def run(self) -> None:
        """Serve until the command socket is closed."""
        while True:
            ready = self._ready(None)
            self._serve(ready)
            if self._orders.fileno() in ready and not self._obey():
                return

    def _ready(self, timeout_ms: int | None) -> set[int]:
        poll = select.poll()
        poll.register(self._orders, select.POLLIN)
        for session in self._sessions.values():
            if not session.owes:
                poll.register(session.line, select.POLLIN)
            if session.channel is not None and not session.channel.ended:
                poll.register(session.channel.line, select.POLLIN)
            for ring in session.rings:
                if ring.listens:
                    poll.register(ring.kick, select.POLLIN)
        return {fd for fd, _ in poll.poll(timeout_ms)}

    def _serve(self, ready: set[int]) -> None:
        """Handle kicks, then messages: a kick that was sent before a message comes first."""
        for machine, session in list(self._sessions.items()):
            for ring in session.rings:
                if ring.listens and ring.kick in ready:
                    with suppress(BlockingIOError):
                        os.eventfd_read(ring.kick)
                    self._take(ring)
            if session.line.fileno() in ready:
                self._hear(machine, session.hear)
            channel = session.channel
            if channel is not None and channel.line.fileno() in ready:
                channel.hear()
        self._note()

    def _hear(self, machine: int, hear: Callable[[], bool]) -> None:
        """Let a session carry out a message, by one of its methods."""
        session, goes_on = self._sessions[machine], False
        with suppress(OSError):  # the front-end has ended; its rig detects that
            goes_on = hear()
        self._held.drop_stopped()
        if not goes_on:
            self._conduct.ends_at = 0
            self._end(machine)
            return
        begun, session.begun = session.begun, []
        for ring, again in begun:
            for taken in again:
                self._submit(taken)
            self._take(ring)

    def _end(self, machine: int) -> None:
        session = self._sessions.pop(machine, None)
        if session is not None:
            session.close()
            self._held.drop_stopped()
            self._log.tell(Told(VHOST_CONNECTION, NO_QUEUE, ENDED))

    def _note(self) -> None:
        connected = sum(1 << machine for machine in self._sessions)
        greeted = sum(1 << machine for machine, each in self._sessions.items() if each.greeted)
        owes = sum(1 << machine for machine, each in self._sessions.items() if each.owes)
        self._log.note(connected=connected, greeted=greeted, owes=owes)

    # --- Commands -----------------------------------------------------------------------------

    def _obey(self) -> bool:
        """Carry out a command and answer it; False if the command socket is closed."""
        data, fds, _, _ = socket.recv_fds(self._orders, ORDER.size, 1)
        if not data:
            return False
        while (ready := self._ready(0)) - {self._orders.fileno()}:
            self._serve(ready)
        order, first, second = ORDER.unpack(data)
        if order == Order.START:
            self._start(first)
        elif order == Order.ADOPT:
            self._adopt(first, socket.socket(fileno=fds[0]))
        elif order == Order.CUT:
            self._end(self._machine)
        elif order == Order.FAIL:
            self._conduct.ends_at = first
        elif order == Order.ANSWER:
            self._conduct.arm(first, second)
            self._answer_late()
        elif order == Order.LATE:
            self._answer_late()
        elif order == Order.RESIZE:
            self._resize(first + 1)
        else:
            self._let_end(order, first, second)
        self._note()
        self._orders.send(data)
        return True

    def _start(self, machine: int) -> None:
        self._machine = machine
        self._held, self._holding = HeldRequests(), False
        self._areas.clear()
        self._conduct.ends_at = 0
        self._conduct.arm(0, RIGHT)
        self._disks[machine].clear()
        self._log.clear()

    def _adopt(self, machine: int, line: socket.socket) -> None:
        self._end(machine)
        line.setblocking(True)
        disk, packed = self._disks[machine], MACHINES[machine].packed
        tell = self._log.tell
        self._sessions[machine] = Session(line, disk, packed, self._areas, self._conduct, tell)
        self._log.tell(Told(VHOST_CONNECTION, NO_QUEUE, MADE))

    def _answer_late(self) -> None:
        """Answer the message that waits; before that, end what is held: it has waited for that."""
        session = self._sessions.get(self._machine)
        if session is not None and session.owes:
            self._finish(self._held.take(), 0)
            self._hear(self._machine, session.answer_late)

    def _resize(self, sectors: int) -> None:
        self._disks[self._machine].resize(sectors)
        session = self._sessions.get(self._machine)
        if session is not None and session.channel is not None:
            session.channel.tell_change(sectors)

    def _let_end(self, order: int, pick: int, result: int) -> None:
        if order in (Order.HOLD, Order.RELEASE):
            self._holding = order == Order.HOLD
        if order == Order.RELEASE:
            self._finish(self._held.take(), 0)
            self._answer_late()
        elif order == Order.END:
            self._finish(self._held.take(pick), result)
        elif order == Order.FLUSH:
            self._finish(self._held.take_writes(), 0)

    # --- Requests -----------------------------------------------------------------------------

    def _take(self, ring: Ring) -> None:
        for taken in ring.take():
            self._log.tell(Told(POP, ring.index))
            self._submit(taken)

    def _submit(self, taken: Taken) -> None:
        ring, _, request = taken
        answer = ring.disk.at_once(ring.memory, request)
        if answer is not None:
            _end_with(taken, answer)
        elif self._holding:
            self._held.add(taken)
        else:
            self._finish([taken], 0)

    def _finish(self, ending: list[Taken], result: int) -> None:
        """Let requests take effect, and return them.

        Args:
            ending: they, oldest first.
            result: an index of `RESULTS`; all but the first fail a request.
        """
        for taken in ending:
            ring, _, request = taken
            failed = Answer(BlkStatus.IOERR)
            _end_with(taken, failed if result else ring.disk.execute(ring.memory, request))


def _end_with(taken: Taken, answer: Answer) -> None:
    ring, head, request = taken
    ring.memory.bytes[request.status_address] = answer.status
    ring.push(head, answer.length + 1)
