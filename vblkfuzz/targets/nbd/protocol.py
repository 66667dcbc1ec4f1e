"""The server's side of the NBD protocol, as far as a block layer under test needs it.

Fixed newstyle handshake, then requests and simple replies; no TLS, no structured replies.
`Handshake` and `RequestStream` take bytes and return answers and requests; neither uses a socket.
Source: the NBD protocol document, "Fixed newstyle negotiation" and "Transmission". Next: `server`.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

_GREETING: Final = Struct(">8s8sH")
_OPTION: Final = Struct(">8sII")
_OPTION_REPLY: Final = Struct(">QIII")
_INFO: Final = Struct(">HQH")
_REQUEST: Final = Struct(">IHHQQI")
_REPLY: Final = Struct(">IIQ")

_MAGIC: Final = b"NBDMAGIC"
_OPTION_MAGIC: Final = b"IHAVEOPT"
_OPTION_REPLY_MAGIC: Final = 0x0003E889045565A9
_REQUEST_MAGIC: Final = 0x25609513
_REPLY_MAGIC: Final = 0x67446698

_FIXED_NEWSTYLE, _NO_ZEROES = 1, 2
_OPT_ABORT, _OPT_INFO, _OPT_GO = 2, 6, 7
_REP_ACK, _REP_INFO = 1, 3
_REP_ERR_UNSUP, _REP_ERR_UNKNOWN = (1 << 31) + 1, (1 << 31) + 6
_INFO_EXPORT: Final = 0
_EXPORT_FLAGS: Final = 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6
"""HAS_FLAGS; the client may send FLUSH, FUA, TRIM and WRITE_ZEROES."""

_MAX_OPTION: Final = 4096
_MAX_REQUEST: Final = 1 << 25
"""Bytes. QEMU sends at most 32 MiB; the disks here are much smaller."""


class NbdError(HarnessError):
    """The client does not follow the protocol."""


class Command(IntEnum):
    """Type of a request, as the protocol numbers it."""

    READ = 0
    WRITE = 1
    DISCONNECT = 2
    FLUSH = 3
    TRIM = 4
    CACHE = 5
    WRITE_ZEROES = 6


class Errno(IntEnum):
    """Result of a request, as the protocol numbers it."""

    OK = 0
    EIO = 5
    EINVAL = 22
    ENOSPC = 28


class NbdRequest(NamedTuple):
    """One request of the client."""

    command: int
    cookie: int
    offset: int
    length: int
    data: bytes = b""
    """Data of a WRITE."""


GREETING: Final = _GREETING.pack(_MAGIC, _OPTION_MAGIC, _FIXED_NEWSTYLE | _NO_ZEROES)
"""The server's first bytes."""


class Handshake:
    """Options, until the client has chosen an export."""

    def __init__(self, size_of: Callable[[str], int | None]) -> None:
        """Begin; `size_of` returns an export's size in bytes by name, None if there is none."""
        self._size_of = size_of
        self._data = b""
        self._flags_seen = False
        self.export: str | None = None
        """The chosen export, None before; once it is chosen, `rest` belongs to the transmission."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes; return the answer's bytes.

        Raises:
            NbdError: the client breaks the protocol or aborts.
        """
        self._data += data
        answers = []
        if not self._flags_seen and len(self._data) >= 4:
            self._data, self._flags_seen = self._data[4:], True
        while self._flags_seen and self.export is None:
            option = self._take_option()
            if option is None:
                break
            answers.append(self._answer(*option))
        return b"".join(answers)

    @property
    def rest(self) -> bytes:
        """Bytes after the last option."""
        return self._data

    def _take_option(self) -> tuple[int, bytes] | None:
        if len(self._data) < _OPTION.size:
            return None
        magic, option, length = _OPTION.unpack_from(self._data)
        if magic != _OPTION_MAGIC or length > _MAX_OPTION:
            raise NbdError(f"NBD option: expected {_OPTION_MAGIC!r}, found {magic!r}, {length}")
        end = _OPTION.size + length
        if len(self._data) < end:
            return None
        body, self._data = self._data[_OPTION.size : end], self._data[end:]
        return option, body

    def _answer(self, option: int, body: bytes) -> bytes:
        if option == _OPT_ABORT:
            raise NbdError("NBD: the client gave up the handshake")
        if option not in (_OPT_INFO, _OPT_GO):
            return _option_reply(option, _REP_ERR_UNSUP)
        length = int.from_bytes(body[:4], "big")
        name = body[4 : 4 + length].decode(errors="replace")
        size = self._size_of(name)
        if size is None:
            return _option_reply(option, _REP_ERR_UNKNOWN)
        if option == _OPT_GO:
            self.export = name
        info = _INFO.pack(_INFO_EXPORT, size, _EXPORT_FLAGS)
        return _option_reply(option, _REP_INFO, info) + _option_reply(option, _REP_ACK)


def _option_reply(option: int, kind: int, body: bytes = b"") -> bytes:
    return _OPTION_REPLY.pack(_OPTION_REPLY_MAGIC, option, kind, len(body)) + body


class RequestStream:
    """Cuts the transmission into requests."""

    def __init__(self, rest: bytes = b"") -> None:
        self._data = rest

    def feed(self, data: bytes) -> list[NbdRequest]:
        """Take bytes; return the complete requests.

        Raises:
            NbdError: the bytes are no request.
        """
        self._data += data
        requests = []
        while (request := self._take()) is not None:
            requests.append(request)
        return requests

    def _take(self) -> NbdRequest | None:
        data = self._data
        if len(data) < _REQUEST.size:
            return None
        magic, _, command, cookie, offset, length = _REQUEST.unpack_from(data)
        if magic != _REQUEST_MAGIC:
            raise NbdError(f"NBD request: expected {_REQUEST_MAGIC:#x}, found {magic:#x}")
        end = _REQUEST.size
        if command == Command.WRITE:
            if length > _MAX_REQUEST:
                raise NbdError(f"NBD write: expected at most {_MAX_REQUEST} bytes, found {length}")
            end += length
        if len(data) < end:
            return None
        self._data = data[end:]
        return NbdRequest(command, cookie, offset, length, data[_REQUEST.size : end])


def pack_reply(cookie: int, error: int, data: bytes = b"") -> bytes:
    """Return the simple reply to a request."""
    return _REPLY.pack(_REPLY_MAGIC, error, cookie) + data
