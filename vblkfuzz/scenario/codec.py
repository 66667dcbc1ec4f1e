"""Fuzz bytes <-> Scenario. Records have fixed widths, and every byte string is a scenario.

    header       8 bytes   the device, see `scenario.device_header`; byte 6: number of deviations
    deviations   4 bytes each: op u8, point u8, go u8, delayed u8
    operations   8 bytes each: code u8, a u8, b u8, c u8, d u16, e u16 (little endian)

Fields are reduced modulo their range. Missing bytes of the header or of a deviation count as 0; an
incomplete operation and bytes beyond the last one are ignored. `encode` returns the canonical
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
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

HEADER: Final = Struct(f"<{SIZE}B")
DEVIATION: Final = Struct("<4B")
OP: Final = Struct("<4B2H")
MAX_BYTES: Final = HEADER.size + limits.MAX_DEVIATIONS * DEVIATION.size + limits.MAX_OPS * OP.size

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
    start = HEADER.size + header[DEVIATIONS] % (limits.MAX_DEVIATIONS + 1) * DEVIATION.size
    schedule = _decode_schedule(data[HEADER.size : start])
    return Scenario(device_in(header), decode_ops(data[start:]), schedule)


def decode_canonical(data: bytes) -> Scenario:
    """Decode the output of `encode`: as `decode`, but faster, since no field is reduced."""
    header = HEADER.unpack_from(data)
    start = HEADER.size + header[DEVIATIONS] * DEVIATION.size
    ops = tuple(map(_new_op, OP.iter_unpack(data[start:])))
    return Scenario(device_in(header), ops, _decode_schedule(data[HEADER.size : start]))


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
def _decode_schedule(raw: bytes) -> tuple[Deviation, ...]:
    """Decode the deviations; of two at one point, the first counts."""
    raw = raw.ljust(-len(raw) % DEVIATION.size + len(raw), b"\0")
    chosen: dict[tuple[int, int], tuple[Go, bool]] = {}
    for index, point, go, delayed in DEVIATION.iter_unpack(raw):
        how = Go(go % len(Go)), delayed % 2 == 1
        chosen.setdefault((index % limits.MAX_OPS, point % limits.MAX_POINT), how)
    return tuple(Deviation(*place, *chosen[place]) for place in sorted(chosen))


def encode(scenario: Scenario) -> bytes:
    """Return the canonical bytes of a scenario."""
    header = header_of(scenario.device)
    header[DEVIATIONS] = len(scenario.schedule)
    deviations = [
        DEVIATION.pack(item.op, item.point, item.go, item.delayed) for item in scenario.schedule
    ]
    return b"".join([header, *deviations, *[OP.pack(*op) for op in scenario.ops]])
