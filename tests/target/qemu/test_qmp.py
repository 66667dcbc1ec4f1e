"""Whether a QMP connection has ended, whichever side noticed first."""

from __future__ import annotations

import socket

import pytest

pytest.importorskip("qemu.qmp", reason="pip install 'vblkfuzz[qemu]'")

from vblkfuzz.target.qemu.qmp import Qmp


def connected() -> tuple[Qmp, socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    qmp = Qmp.__new__(Qmp)  # without the greeting: only the connection matters here
    qmp._connection = ours
    return qmp, ours, theirs


def test_an_open_connection_is_not_cut() -> None:
    qmp, ours, theirs = connected()
    assert not qmp.is_cut
    ours.close()
    theirs.close()


def test_the_other_side_has_closed() -> None:
    qmp, ours, theirs = connected()
    theirs.close()
    assert qmp.is_cut
    ours.close()


def test_the_client_has_closed_our_side_after_the_other() -> None:
    qmp, ours, theirs = connected()
    theirs.close()
    ours.close()
    assert qmp.is_cut
