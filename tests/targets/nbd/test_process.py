"""The NBD server process, used as a client uses it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from struct import Struct

import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.nbd.test_protocol import go, packed, writes
from tests.waiting import WAIT_S
from vblkfuzz.errors import ActorDied
from vblkfuzz.scenario.alphabet.backend import PICKS, RESULTS
from vblkfuzz.targets.nbd.process import NbdProcess
from vblkfuzz.targets.nbd.protocol import Command, NbdRequest
from vblkfuzz.targets.nbd.server import Order

REPLY = Struct(">IIQ")
EIO = RESULTS.index("eio")


@pytest.fixture
def nbd() -> Iterator[NbdProcess]:
    with nothing_left():
        nbd = NbdProcess()
        nbd.start()
        nbd.order(Order.START)
        yield nbd
        nbd.stop()


def client(nbd: NbdProcess) -> socket.socket:
    line = nbd.connect()
    line.settimeout(WAIT_S)
    assert line.recv(18).startswith(b"NBDMAGIC")
    line.sendall(b"\0\0\0\3" + go("disk64"))
    assert len(line.recv(4096)) == 52
    return line


def cookies(line: socket.socket, count: int) -> list[tuple[int, int]]:
    """Return cookie and error of the next replies without data."""
    replies = [REPLY.unpack(line.recv(REPLY.size)) for _ in range(count)]
    return [(cookie, error) for _, error, cookie in replies]


def test_what_is_written_is_read(nbd: NbdProcess) -> None:
    with client(nbd) as line:
        line.sendall(packed(writes(1, 512, b"x" * 512)))
        assert cookies(line, 1) == [(1, 0)]
        line.sendall(packed(NbdRequest(Command.READ, 2, 512, 512)))
        assert line.recv(1024) == REPLY.pack(0x67446698, 0, 2) + b"x" * 512
        assert nbd.disks.content("disk64")[512:1024] == b"x" * 512
    nbd.order(Order.START)
    assert not any(nbd.disks.content("disk64"))


def test_held_requests_take_effect_when_they_end(nbd: NbdProcess) -> None:
    with client(nbd) as line:
        nbd.order(Order.HOLD)
        for cookie in range(4):
            line.sendall(packed(writes(cookie, 512 * cookie, bytes([cookie + 1]) * 512)))
        nbd.order(Order.SYNC)
        assert nbd.counters.held == 4
        assert not any(nbd.disks.content("disk64"))
        nbd.order(Order.END, PICKS.index("newest"))
        nbd.order(Order.END, PICKS.index("1"), EIO)
        assert cookies(line, 2) == [(3, 0), (1, 5)]
        nbd.order(Order.RELEASE)
        assert cookies(line, 2) == [(2, 0), (0, 0)]
        content = nbd.disks.content("disk64")
        assert [content[512 * at] for at in range(4)] == [1, 0, 3, 4]
        assert (nbd.counters.arrived, nbd.counters.ended) == (4, 4)


def test_a_flush_ends_all_but_reads(nbd: NbdProcess) -> None:
    with client(nbd) as line:
        nbd.order(Order.HOLD)
        line.sendall(packed(NbdRequest(Command.READ, 1, 0, 512)) + packed(writes(2, 0, b"y" * 512)))
        nbd.order(Order.FLUSH)
        assert cookies(line, 1) == [(2, 0)]
        assert nbd.counters.held == 1


def test_flushes_alone_are_let_off(nbd: NbdProcess) -> None:
    with client(nbd) as line:
        nbd.order(Order.HOLD)
        line.sendall(packed(writes(1, 0, b"y" * 512)) + packed(NbdRequest(Command.FLUSH, 2, 0, 0)))
        nbd.order(Order.LET_OFF)
        assert cookies(line, 1) == [(2, 0)]
        assert nbd.counters.held == 1


def test_beyond_the_end(nbd: NbdProcess) -> None:
    with client(nbd) as line:
        line.sendall(packed(NbdRequest(Command.READ, 1, 64 * 512, 512)))
        assert cookies(line, 1) == [(1, 22)]


def test_a_client_that_breaks_the_protocol_is_dropped_and_others_served(
    nbd: NbdProcess,
) -> None:
    with client(nbd) as bad, client(nbd) as good:
        bad.sendall(bytes(28))
        assert bad.recv(1) == b""
        good.sendall(packed(writes(1, 0, b"z" * 512)))
        assert cookies(good, 1) == [(1, 0)]


def test_a_server_that_has_ended_is_a_harness_error(nbd: NbdProcess) -> None:
    nbd._forked.line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ActorDied, match="NBD"):
        nbd.order(Order.SYNC)
