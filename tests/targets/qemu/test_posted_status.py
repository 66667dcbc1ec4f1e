"""Which device statuses wait for the exchange of qtest that the driver needs anyway."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.qemu.pci_port import PciPort, _Places
from vblkfuzz.targets.qemu.qtest import QTest
from vblkfuzz.virtio.layout import (
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FAILED,
    STATUS_FEATURES_OK,
)

_DRIVER = STATUS_ACKNOWLEDGE | STATUS_DRIVER


@pytest.fixture
def ends() -> Iterator[tuple[PciPort, socket.socket]]:
    """A port, and the other end of its qtest."""
    ram = memfd("ram", GUEST_MEMORY_SIZE)
    port = PciPort(ram)
    os.close(ram)
    near, far = socket.socketpair()
    port._qtest = QTest(near)
    port._places = _Places(0x1000, 0x2000, 0x3000, [0x4000], 0)
    far.setblocking(False)
    yield port, far
    port.close()
    far.close()


@pytest.mark.parametrize("status", [_DRIVER, _DRIVER | STATUS_FEATURES_OK])
def test_a_status_before_a_read_is_sent_with_it(
    ends: tuple[PciPort, socket.socket], status: int
) -> None:
    port, far = ends
    list(port.write_status(status))
    with pytest.raises(BlockingIOError):
        far.recv(1)
    far.sendall(b"OK\nOK 0x000000000000000b\n")
    assert port.read_status() == 11
    assert far.recv(100) == b"writeb 0x1014 %#x\nreadb 0x1014\n" % status


@pytest.mark.parametrize(
    "status", [_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK, _DRIVER | STATUS_FAILED]
)
def test_a_status_that_may_be_the_last_thing_is_sent_at_once(
    ends: tuple[PciPort, socket.socket], status: int
) -> None:
    port, far = ends
    far.sendall(b"OK\n")
    list(port.write_status(status))
    assert far.recv(100) == b"writeb 0x1014 %#x\n" % status


def test_both_halves_of_the_features_are_read_in_one_go(
    ends: tuple[PciPort, socket.socket],
) -> None:
    port, far = ends
    far.sendall(b"OK\nOK 0x0000000000000044\nOK\nOK 0x0000000000000001\n")
    assert port._read_features() == 0x1_0000_0044
    assert far.recv(200).count(b"\n") == 4
