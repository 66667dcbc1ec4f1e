"""Fuzz bytes <-> Scenario. Records have fixed widths, and every byte string is a scenario.

    header       8 bytes   the device, see `scenario.device_header`; byte 6: number of deviations
    deviations   4 bytes each: op u8, point u8, go u8, how u8 (bit 0: delayed, bits 1 to 3: role,
                 bit 4: locks, bit 7: has a place)
    places       for each deviation that has one: size u8, and as many bytes of `place_text`
    operations   8 bytes each: code u8, a u8, b u8, c u8, d u16, e u16 (little endian)

Fields are reduced modulo their range. Missing bytes of the header or of a deviation count as 0; an
incomplete operation and bytes beyond the last one are ignored, and so are a place that is cut off
or no place, and locks and place of a deviation without a role. `encode` returns the canonical
bytes: ``decode(encode(s)) == s`` for every scenario.
"""

from __future__ import annotations

from functools import lru_cache, partial
from struct import Struct
from typing import Final

from vblkfuzz import limits
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.param import WIDE
from vblkfuzz.scenario.device_header import DEVIATIONS, SIZE, device_in, header_of
from vblkfuzz.scenario.op import Op
from vblkfuzz.scenario.place import MAX_TEXT, Place, place_of, place_text
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario

HEADER: Final = Struct(f"<{SIZE}B")
DEVIATION: Final = Struct("<4B")
OP: Final = Struct("<4B2H")
MAX_BYTES: Final = (
    HEADER.size + limits.MAX_DEVIATIONS * (DEVIATION.size + 1 + MAX_TEXT) + limits.MAX_OPS * OP.size
)
LOCKS: Final = 1 << 4
"""Bit of the last byte of a deviation: stops at locks count."""
PLACED: Final = 1 << 7
"""Bit of the last byte of a deviation: a place follows."""

_new_op = partial(tuple.__new__, Op)


def _counts(code: int) -> tuple[int, ...]:
    """Return the number of values of each argument field of an op; 1 for unused fields."""
    counts = [1] * 5
    for param in OPS[code].params:
        assert param.field >= WIDE or param.count <= 256
        counts[param.field] = param.count
    return tuple(counts)


_REDUCE: Final = tuple((code % len(OPS), *_counts(code % len(OPS))) for code in range(256))


def decode(data: bytes) -> Scenario:
    """Return the scenario that any bytes stand for. Never raises."""
    header = HEADER.unpack(data[: HEADER.size].ljust(HEADER.size, b"\0"))
    count = header[DEVIATIONS] % (limits.MAX_DEVIATIONS + 1)
    start = ops_start(data, count)
    schedule = _decode_schedule(data[HEADER.size : start], count)
    return Scenario(device_in(header), decode_ops(data[start:]), schedule)


def decode_canonical(data: bytes) -> Scenario:
    """Decode the output of `encode`: as `decode`, but faster, since no field is reduced."""
    header = HEADER.unpack_from(data)
    count = header[DEVIATIONS]
    start = ops_start(data, count)
    ops = tuple(map(_new_op, OP.iter_unpack(data[start:])))
    return Scenario(device_in(header), ops, _decode_schedule(data[HEADER.size : start], count))


def ops_start(data: bytes, count: int) -> int:
    """Return where the operations begin in any bytes with `count` deviations."""
    start = HEADER.size + count * DEVIATION.size
    for how in data[HEADER.size + 3 : start : DEVIATION.size]:
        if how & PLACED:
            start += 1 + data[start] if start < len(data) else 0
    return start


def decode_ops(data: bytes) -> tuple[Op, ...]:
    """Return the operations in `data`; an incomplete record at the end is ignored."""
    count = min(len(data) // OP.size, limits.MAX_OPS)
    size = OP.size
    return tuple([_decode_op(data[at : at + size]) for at in range(0, count * size, size)])


@lru_cache(maxsize=1 << 14)
def _decode_op(record: bytes) -> Op:
    """Decode one operation. Cached, since related inputs share most of their operations."""
    code, a, b, c, d, e = OP.unpack(record)
    real, of_a, of_b, of_c, of_d, of_e = _REDUCE[code]
    return Op(real, a % of_a, b % of_b, c % of_c, d % of_d, e % of_e)


@lru_cache(maxsize=1024)
def _decode_schedule(raw: bytes, count: int) -> tuple[Deviation, ...]:
    """Decode `count` deviations and their places; of two at one point, the first counts."""
    records, places = split_schedule(raw, count)
    chosen: dict[tuple[int, int, Role, bool], Deviation] = {}
    for (index, point, go, how), text in zip(DEVIATION.iter_unpack(records), places, strict=True):
        role = Role(how >> 1 & 7)
        deviation = Deviation(
            index % limits.MAX_OPS,
            point % limits.MAX_POINT,
            Go(go % len(Go)),
            how % 2 == 1,
            role,
            role is not Role.ANY and how & LOCKS != 0,
            None if role is Role.ANY else place_in(text),
        )
        chosen.setdefault(deviation.where, deviation)
    return tuple(sorted(chosen.values()))


def split_schedule(raw: bytes, count: int) -> tuple[bytes, list[bytes]]:
    """Return the records of deviations, and the text of the place of each; empty: it has none."""
    size = count * DEVIATION.size
    records, rest = raw[:size], raw[size:]
    records = records.ljust(-len(records) % DEVIATION.size + len(records), b"\0")
    places = []
    for how in records[3 :: DEVIATION.size]:
        text = b""
        if how & PLACED and rest:
            end = 1 + rest[0]
            text, rest = rest[1:end] if end <= len(rest) else b"", rest[end:]
        places.append(text)
    return records, places


@lru_cache(maxsize=1024)
def place_in(text: bytes) -> Place | None:
    """Return the place that bytes stand for; None if they are no `place_text`."""
    try:
        return place_of(text.decode())
    except ValueError:
        return None


def encode(scenario: Scenario) -> bytes:
    """Return the canonical bytes of a scenario."""
    header = header_of(scenario.device)
    header[DEVIATIONS] = len(scenario.schedule)
    deviations = [
        DEVIATION.pack(item.op, item.point, item.go, _how_of(item)) for item in scenario.schedule
    ]
    places = [_place_bytes(item.place) for item in scenario.schedule if item.place]
    return b"".join([header, *deviations, *places, *[OP.pack(*op) for op in scenario.ops]])


def _how_of(item: Deviation) -> int:
    placed = PLACED if item.place else 0
    return item.delayed + (item.role << 1) + LOCKS * item.locks + placed


def _place_bytes(place: Place) -> bytes:
    text = place_text(place).encode()
    return bytes([len(text)]) + text
