r"""The record of features: what each input of a corpus showed when it ran, in ``features/``.

A worker that reads a recorded input marks its features instead of running it, and the orchestrator
sees which inputs have no feature of their own. Each process that records something appends to a
file of its own, a *segment*:

    vblkfuzz features 2 FINGERPRINT\n
    length, CRC-32, entry
    ...

The fingerprint says of which code and options the numbers speak (`feedback.fingerprint`). A segment
that ends within an entry, or with other bytes, is valid up to there. Entries are not synced: what a
loss of power takes is found out again by running. Entries of format 1 have no lineage.
"""

from __future__ import annotations

import os
import re
import zlib
from itertools import accumulate, pairwise
from struct import Struct, pack, unpack
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.lineage import UNKNOWN, Lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FOLDER: Final = "features"
"""Name of the folder of the record in an output folder."""
_SUFFIX: Final = ".features"
FORMAT: Final = 2
"""Of the entries that are written."""
_HEAD: Final = re.compile(rb"vblkfuzz features ([12]) ([0-9a-f]{40})\n")
_FRAME: Final = Struct("<II")
_MOST: Final = 1 << 22
"""Bytes of the features of one input at most: a file of others may claim anything."""
_SIZES: Final = {1: Struct("<HH"), 2: Struct("<HHH")}
"""By format: bytes of the input, of the signatures and of the lineage, which are before the
features."""


class Entry(NamedTuple):
    """An input that has run, and what it showed."""

    data: bytes
    coded: bytes
    """Its features, in a form that takes little memory."""
    signatures: tuple[str, ...] = ()
    """Of the rules that it broke."""
    lineage: Lineage = UNKNOWN

    @staticmethod
    def of(
        data: bytes,
        features: Sequence[int],
        signatures: Iterable[str] = (),
        lineage: Lineage = UNKNOWN,
    ) -> Entry:
        """Return an entry.

        Args:
            data: the input, of less than 64 KiB.
            features: numbers in increasing order, of at most 32 bits each.
            signatures: those of the rules that it broke.
            lineage: what it was made of.
        """
        deltas = [after - before for before, after in pairwise((0, *features))]
        coded = zlib.compress(pack(f"<{len(deltas)}I", *deltas), 1)
        return Entry(data, coded, tuple(signatures), lineage)

    @property
    def features(self) -> list[int]:
        """The features, in increasing order; none if the checksum is right but nothing else."""
        try:
            deltas = zlib.decompressobj().decompress(self.coded, _MOST)
        except zlib.error:
            return []
        count = len(deltas) // 4
        return [*accumulate(unpack(f"<{count}I", deltas[: 4 * count]))]

    @property
    def name(self) -> str:
        """Name of its file in a corpus."""
        return input_name(self.data)

    def to_bytes(self) -> bytes:
        """Return the entry with its length and checksum."""
        parts = (self.data, "\n".join(self.signatures).encode(), self.lineage.to_text().encode())
        body = b"".join((_SIZES[FORMAT].pack(*map(len, parts)), *parts, self.coded))
        return _FRAME.pack(len(body), zlib.crc32(body)) + body


def head_of(fingerprint: str) -> bytes:
    """Return the first line of a segment."""
    return f"vblkfuzz features {FORMAT} {fingerprint}\n".encode()


def entries_in(data: bytes, written: int = FORMAT) -> Iterator[tuple[Entry, int]]:
    """Yield entries, each with the place behind it, up to the first damage.

    Args:
        data: the entries.
        written: their format.
    """
    at, sizes = 0, _SIZES[written]
    while at + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        body = data[at : at + length]
        at += length
        if at > len(data) or length < sizes.size or zlib.crc32(body) != checksum:
            return
        yield _entry(body, sizes.size, sizes.unpack_from(body)), at


def _entry(body: bytes, begin: int, sizes: Sequence[int]) -> Entry:
    """Return the entry that a body is; its parts begin somewhere and have these sizes."""
    parts, at = [], begin
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    data, *texts = parts
    broken, *lineage = (one.decode(errors="replace") for one in texts)
    return Entry(data, body[at:], tuple(broken.split()), Lineage.from_text("".join(lineage)))


class RecordReader:
    """Reads the record; again and again, what was added since."""

    def __init__(self, out: Path) -> None:
        self._folder = out / FOLDER
        self._read: dict[Path, tuple[str, int, int]] = {}
        """Fingerprint of each segment, its format, and the place up to which it was read."""
        self._left_out: Path | None = None

    @property
    def segments(self) -> list[Path]:
        """The files of the record, oldest first."""
        found = [path for path in self._folder.glob(f"*{_SUFFIX}") if _number(path)]
        return sorted(path for path in found if path.is_file())

    def added(self) -> Iterator[tuple[str, Entry]]:
        """Return the entries that are new since the last call, each with its fingerprint.

        They are those of the segments that are there at the call; each is read when it is due.

        Raises:
            OSError: the folder cannot be read; also while entries are taken.
        """
        return self._added([one for one in self.segments if one != self._left_out])

    def leave_out(self, segment: Path | None) -> None:
        """Read this segment no more: it is the caller's own."""
        self._left_out = segment

    def _added(self, segments: list[Path]) -> Iterator[tuple[str, Entry]]:
        for segment in segments:
            fingerprint, written, at = self._read.get(segment, ("", FORMAT, 0))
            if at and segment.stat().st_size == at:
                continue
            with segment.open("rb") as file:
                file.seek(at)
                data = file.read()
            if not at and (head := _HEAD.match(data)):
                fingerprint, written, at = head[2].decode(), int(head[1]), head.end()
                data = data[at:]
            if fingerprint:
                found = [*entries_in(data, written)]
                self._read[segment] = (fingerprint, written, at + (found[-1][1] if found else 0))
                yield from ((fingerprint, entry) for entry, _ in found)


class Segment:
    """A new file of the record, made when there is an entry for it."""

    def __init__(self, out: Path, fingerprint: str) -> None:
        self.folder = out / FOLDER
        self._fingerprint = fingerprint
        self.path: Path | None = None
        """Its place; None: it is not made yet."""
        self._fd = -1
        self._end = 0

    def append(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            OSError: it cannot be written; the segment is as it was.
        """
        if self._fd < 0:
            self._fd = self._made()
            self._write(head_of(self._fingerprint))
        self._write(entry.to_bytes())

    def _made(self) -> int:
        self.folder.mkdir(exist_ok=True)
        number = 1 + max((_number(path) for path in self.folder.glob(f"*{_SUFFIX}")), default=0)
        while True:
            path = self.folder / f"{number:06}{_SUFFIX}"
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            except FileExistsError:
                number += 1  # another worker was faster
            else:
                self.path = path
                return fd

    def _write(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        if written < len(data):
            os.ftruncate(self._fd, self._end)
            raise OSError("short write, the disk is full")
        self._end += written

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _number(path: Path) -> int:
    name = path.name.removesuffix(_SUFFIX)
    return int(name) if name.isdecimal() else 0


def merge_segments(out: Path) -> None:
    """Merge the segments into one, of the fingerprint of the last one; no process may append.

    Entries of other fingerprints are dropped: they are of code or options that are no longer used.

    Raises:
        OSError: a segment cannot be read or written; then nothing is dropped.
    """
    reader = RecordReader(out)
    old = reader.segments
    if len(old) < 2:
        return
    found = [*reader.added()]
    if found:
        last = found[-1][0]
        entries = {one.name: one for fingerprint, one in found if fingerprint == last}
        data = b"".join(one.to_bytes() for one in entries.values())
        place = out / FOLDER / f"{_number(old[-1]) + 1:06}{_SUFFIX}"
        write_file(place, head_of(last) + data)
    for segment in old:
        segment.unlink()
