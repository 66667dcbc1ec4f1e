"""What stored files and seeds rely on: a line here changes only if users are told so.

A new operation or a new device field adds its line, behind all others. It also changes the digest
of the mutator, which then has one thing more to choose from.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Any

import pytest

from tests.mutation.chain import chain
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.device import DEFAULTS, FIELDS, Value
from vblkfuzz.scenario.device_header import SIZE, device_in, header_of

OPERATIONS = (
    *("init", "publish", "kick", "publish_kick", "collect", "reset", "queue_reset"),
    *("set_used_event", "suppress_calls", "hostile", "drain_begin", "drain_end"),
    *("mirror_begin", "mirror_finish", "stop", "cont", "system_reset", "resize"),
    *("set_iothread", "snapshot", "start_fail", "complete", "hold", "release", "flush"),
    *("poll_on", "poll_off", "inband_kick", "read_config", "power_loss"),
    *("driver_ok", "publish_again", "stray_kick", "writeback"),
    *("save", "restore", "block_job", "reopen", "throttle"),
    "replug",
    "tmf",
    "answer",
)
"""Names of operations by code."""

FORMAT: dict[str, tuple[Value, int, dict[Value, int]]] = {
    "queues": (1, 0, {1: 0, 2: 1, 3: 2, 4: 3}),
    "queue_size": (8, 1, {4: 0, 8: 1, 16: 2, 32: 3}),
    "event_idx": (True, 2, {False: 0, True: 1}),
    "indirect": (False, 2, {False: 0, True: 2}),
    "ioeventfd": (True, 2, {True: 0, False: 4}),
    "iothreads": (1, 3, {0: 0, 1: 1, 2: 2}),
    "polling": (False, 2, {False: 0, True: 8}),
    "werror": ("report", 4, {"report": 0, "ignore": 5, "stop": 7, "enospc": 9}),
    "disk_sectors": (64, 5, {8: 0, 16: 1, 64: 2, 128: 3}),
    "rerror": ("report", 4, {"report": 0, "ignore": 3, "stop": 4}),
    "first_index": (0, 7, {0: 0, 0xFFFF: 1, 0xFFF8: 2, 0x7FFF: 3}),
    "read_only": (False, 2, {False: 0, True: 16}),
    "fixed_iothread": (True, 2, {True: 0, False: 32}),
    "ring": ("split", 7, {"split": 0, "packed": 4}),
    "kind": ("blk", 7, {"blk": 0, "scsi": 8}),
    "units": (1, 0, {1: 0, 2: 4, 3: 8}),
    "in_order": (False, 5, {False: 0, True: 4}),
}
"""Of each field: its default, its header byte, and what its values are there, beside the first
value of all other fields."""

MUTATIONS = "d1fc90ed1635d960"
"""Digest of a chain of mutations with seed 7, the same on every Python."""


def test_an_operation_keeps_its_code() -> None:
    assert tuple(spec.name for spec in OPS) == OPERATIONS, "a new operation needs its line here"


def test_every_field_has_its_format() -> None:
    assert list(FORMAT) == list(FIELDS), "a new field needs its line here"


@pytest.mark.parametrize("name", FORMAT)
def test_a_field_keeps_its_format(name: str) -> None:
    default, at, codes = FORMAT[name]
    assert DEFAULTS[name] == default
    assert list(FIELDS[name].values) == list(codes)
    plain = device_in((0,) * SIZE)
    for value, code in codes.items():
        expected = bytearray(SIZE)
        expected[at] = code
        changed: dict[str, Any] = {name: value}
        assert header_of(replace(plain, **changed)) == expected


def test_a_seed_gives_the_same_mutations() -> None:
    """A campaign is repeated by its seed."""
    found = blake2b(b"".join(chain(7, 2000)), digest_size=8).hexdigest()
    assert found == MUTATIONS, f"a new row changes it: put {found} here, and say so in CHANGELOG.md"
