"""Random arguments: mostly small values and boundary values, now and then any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.param import ARGS
from vblkfuzz.scenario.codec import OP

_ANY: Final = 1 / 16
"""Probability that an argument is drawn from all its values instead of `picks`."""


PARAMS: Final = tuple(
    tuple(
        (1 + param.field, param.picks or tuple(range(param.count)), param.count)
        for param in spec.params
    )
    for spec in OPS
)
"""By code, for each parameter of the op: its field in a record, the values to pick from (`picks`),
the number of all values."""

QUEUED: Final = frozenset(
    spec.code for spec in OPS if any(param.name == "queue" for param in spec.params)
)
"""Codes of operations on a queue. The byte after the code is the queue."""


def on_queue_of(other: bytes, record: bytes) -> bytes:
    """Return `record` with the queue of `other`; both are operations on a queue."""
    return record[:1] + other[1:2] + record[2:]


def new_record(code: int, random: Callable[[], float]) -> bytes:
    """Return the 8 bytes of an operation with random arguments."""
    fields = [code] + [0] * ARGS
    for field, picks, count in PARAMS[code]:
        if random() < _ANY:
            fields[field] = int(random() * count)
        else:
            fields[field] = picks[int(random() * len(picks))]
    return OP.pack(*fields)


def any_record(code: int, random: Callable[[], float]) -> bytes:
    """Return the 8 bytes of an operation; each value of an argument is as likely as any other."""
    fields = [code] + [0] * ARGS
    for field, _, count in PARAMS[code]:
        fields[field] = int(random() * count)
    return OP.pack(*fields)


def changed_record(record: bytes, random: Callable[[], float]) -> bytes:
    """Return the record with one argument changed; the same record if the op has none."""
    fields = list(OP.unpack(record))
    params = PARAMS[fields[0]]
    if not params:
        return record
    field, picks, count = params[int(random() * len(params))]
    value = picks[int(random() * len(picks))]
    if value == fields[field]:  # no change: go one step up or down instead
        value = (value + (1 if random() < 0.5 else -1)) % count
    fields[field] = value
    return OP.pack(*fields)
