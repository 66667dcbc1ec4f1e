"""The NBD server's side of the protocol, however the bytes are cut."""

from __future__ import annotations

from struct import Struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.targets.nbd.protocol import (
    Command,
    Handshake,
    NbdError,
    NbdRequest,
    RequestStream,
    pack_reply,
)

REQUEST = Struct(">IHHQQI")
U64 = st.integers(0, (1 << 64) - 1)


def packed(request: NbdRequest) -> bytes:
    head = REQUEST.pack(
        0x25609513, 0, request.command, request.cookie, request.offset, request.length
    )
    return head + request.data


def writes(cookie: int, offset: int, data: bytes) -> NbdRequest:
    return NbdRequest(Command.WRITE, cookie, offset, len(data), data)


REQUESTS = st.one_of(
    st.builds(writes, U64, U64, st.binary(max_size=64)),
    st.builds(
        NbdRequest,
        st.sampled_from([Command.READ, Command.FLUSH, Command.TRIM, Command.WRITE_ZEROES]),
        U64,
        U64,
        st.integers(0, 4096),
        st.just(b""),
    ),
)


@given(st.lists(REQUESTS, max_size=6), st.data())
def test_requests_come_out_as_they_went_in(requests: list[NbdRequest], data: st.DataObject) -> None:
    wire = b"".join(map(packed, requests))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    stream, found = RequestStream(), []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        found += stream.feed(wire[start:end])
    assert found == requests


def option(number: int, body: bytes = b"") -> bytes:
    return b"IHAVEOPT" + Struct(">II").pack(number, len(body)) + body


def go(name: str) -> bytes:
    return option(7, Struct(">I").pack(len(name)) + name.encode() + b"\0\0")


def shaken(*options: bytes) -> tuple[Handshake, bytes]:
    handshake = Handshake({"disk": 4096}.get)
    return handshake, handshake.feed(b"\0\0\0\3" + b"".join(options))


def test_go_chooses_an_export_and_leaves_the_rest() -> None:
    handshake, answer = shaken(go("disk"), b"rest")
    assert (handshake.export, handshake.rest) == ("disk", b"rest")
    assert Struct(">HQH").unpack(answer[20:32])[1] == 4096


def test_an_unknown_export_and_unknown_options_are_refused_and_the_handshake_goes_on() -> None:
    handshake, answer = shaken(go("gone"), option(8), go("disk"))
    assert handshake.export == "disk"
    kinds = [Struct(">QIII").unpack_from(answer, at)[2] for at in (0, 20)]
    assert kinds == [0x8000_0006, 0x8000_0001]


@pytest.mark.parametrize("bad", [option(2), b"x" * 16])
def test_a_client_that_aborts_or_breaks_the_protocol(bad: bytes) -> None:
    with pytest.raises(NbdError):
        shaken(bad)


def test_no_request() -> None:
    with pytest.raises(NbdError, match="expected 0x25609513"):
        RequestStream().feed(bytes(28))


def test_a_reply_names_its_request() -> None:
    assert pack_reply(5, 28, b"ab") == Struct(">IIQ").pack(0x67446698, 28, 5) + b"ab"
