"""The NBD server process: one poll loop over its clients and one command socket.

A command is four bytes (`Order`, two arguments, padding). The server answers it after all requests
that had arrived before have been handled, so it is also a barrier. Counters that other processes
read at any time are in shared memory (`Counters`).

    order   pick, result            does
    START   -                       zeroes the disks and the counters; no request is held
    HOLD    -                       holds requests from now on
    RELEASE -                       stops holding; ends all held requests without error
    END     `PICKS`, `RESULTS`      ends some held requests
    FLUSH   -                       ends held requests other than reads without error
    LET_OFF -                       ends held flushes without error
    SYNC    -                       nothing: the barrier alone
    ADOPT   -                       adds a client; its connected socket is sent with the command

Requests that end at once are answered newest first, in one message: QEMU's client waits for its
newest request before it reads answers to others.
"""

from __future__ import annotations

import mmap
import select
import socket
from contextlib import suppress
from enum import IntEnum
from typing import Final

from vblkfuzz.scenario.alphabet.backend import PICKS
from vblkfuzz.targets.nbd.disk import Disks
from vblkfuzz.targets.nbd.held import Held, HeldRequests
from vblkfuzz.targets.nbd.protocol import (
    GREETING,
    Command,
    Errno,
    Handshake,
    NbdError,
    NbdRequest,
    RequestStream,
    pack_reply,
)
from vblkfuzz.targets.server_process import ORDER

_READ_BYTES: Final = 1 << 16
_ALL: Final = PICKS.index("all")
_ERRORS: Final = (Errno.OK, Errno.EIO, Errno.ENOSPC)
"""By index of `scenario.alphabet.backend.RESULTS`."""


class Order(IntEnum):
    """Commands of the server; see above."""

    START = 0
    HOLD = 1
    RELEASE = 2
    END = 3
    FLUSH = 4
    SYNC = 5
    ADOPT = 6
    LET_OFF = 7


class Counters:
    """Numbers of requests since START, in shared memory."""

    def __init__(self) -> None:
        """Map the memory; processes forked later share it."""
        self._words: Final = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")

    @property
    def arrived(self) -> int:
        """Requests that have arrived."""
        return self._words[0]

    @property
    def ended(self) -> int:
        """Requests that have been answered."""
        return self._words[1]

    @property
    def held(self) -> int:
        """Requests that are held."""
        return self._words[2]

    def set(self, arrived: int, ended: int, held: int) -> None:
        """Store all three; called by the server only."""
        words = self._words
        words[0], words[1], words[2] = arrived, ended, held


class _Client:
    """One connection: its socket and the state of the protocol."""

    def __init__(self, peer: socket.socket, disks: Disks) -> None:
        self.socket = peer
        self.handshake = Handshake(disks.size_of)
        self.stream: RequestStream | None = None
        """None during the handshake."""
        self.export = ""
        peer.sendall(GREETING)

    def take(self, data: bytes) -> list[NbdRequest]:
        """Take bytes; answer options, return requests."""
        if self.stream is None:
            self.socket.sendall(self.handshake.feed(data))
            if self.handshake.export is None:
                return []
            self.export, data = self.handshake.export, self.handshake.rest
            self.stream = RequestStream()
        return self.stream.feed(data)


class NbdServer:
    """The server; it runs in a process of its own."""

    def __init__(self, orders: socket.socket, disks: Disks, counters: Counters) -> None:
        """Take the command socket (a connected unix seqpacket socket) and the shared memory."""
        self._orders = orders
        self._disks = disks
        self._counters = counters
        self._clients: dict[int, _Client] = {}
        self._held = HeldRequests()
        self._arrived = 0
        self._ended = 0
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)

    def run(self) -> None:
        """Serve until the command socket is closed."""
        orders = self._orders.fileno()
        while True:
            ready = [fd for fd, _ in self._poll.poll()]
            for fd in ready:
                if fd != orders and fd in self._clients:
                    self._read(fd)
            if orders in ready and not self._carry_out():
                return

    def _carry_out(self) -> bool:
        """Carry out a command and answer it; False if the command socket is closed."""
        data, fds, _, _ = socket.recv_fds(self._orders, ORDER.size, 1)
        if not data:
            return False
        for fd in list(self._clients):
            self._read(fd)
        order, pick, result = ORDER.unpack(data)
        if order == Order.START:
            self._start()
        elif order in (Order.HOLD, Order.RELEASE):
            self._held.holding = order == Order.HOLD
            if order == Order.RELEASE:
                self._end(self._held.take(_ALL), 0)
        elif order == Order.END:
            self._end(self._held.take(pick), result)
        elif order == Order.FLUSH:
            self._end(self._held.take_writes(), 0)
        elif order == Order.LET_OFF:
            self._end(self._held.take_flushes(), 0)
        elif order == Order.ADOPT:
            self._adopt(fds[0])
        self._count()
        self._orders.send(data)
        return True

    def _start(self) -> None:
        self._held = HeldRequests()
        self._arrived = self._ended = 0
        self._disks.clear()

    def _adopt(self, fd: int) -> None:
        peer = socket.socket(fileno=fd)
        peer.setblocking(True)
        self._clients[fd] = _Client(peer, self._disks)
        self._poll.register(fd, select.POLLIN)

    def _read(self, fd: int) -> None:
        """Read all that has arrived on a connection; close it at its end or on an error."""
        client = self._clients[fd]
        try:
            while True:
                data = client.socket.recv(_READ_BYTES, socket.MSG_DONTWAIT)
                if not data:
                    break
                for request in client.take(data):
                    self._accept(fd, request)
        except BlockingIOError:
            return
        except (OSError, NbdError):  # the device process has ended; its rig detects that
            pass
        self._drop(fd)

    def _drop(self, fd: int) -> None:
        self._poll.unregister(fd)
        self._held.drop(fd)
        self._clients.pop(fd).socket.close()
        self._count()

    def _accept(self, fd: int, request: NbdRequest) -> None:
        if request.command == Command.DISCONNECT:
            return
        self._arrived += 1
        held = Held(fd, request)
        if self._held.holding:
            self._held.add(held)
        else:
            self._end([held], 0)
        self._count()

    def _end(self, ending: list[Held], result: int) -> None:
        """Let requests take effect in the order of arrival, and answer them newest first."""
        replies: dict[int, list[bytes]] = {}
        for held in ending:
            client = self._clients[held.connection]
            error, data = _ERRORS[result], b""
            if error == Errno.OK:
                number, data = self._disks.execute(client.export, held.request)
                error = Errno(number)
            reply = pack_reply(held.request.cookie, error, data)
            replies.setdefault(held.connection, []).insert(0, reply)
        for fd, parts in replies.items():
            with suppress(OSError):  # as in `_read`
                self._clients[fd].socket.sendall(b"".join(parts))
        self._ended += len(ending)

    def _count(self) -> None:
        self._counters.set(self._arrived, self._ended, len(self._held))
