"""The table of event kinds is complete and unambiguous, and has words for every flag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType

import pytest

from vblkfuzz.scenario.alphabet.backend import WAYS
from vblkfuzz.scenario.alphabet.guest import FUNCTIONS, HOSTILE_DEEDS, REQUESTS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.scenario.scenario import Go
from vblkfuzz.trace import kind as kind_module
from vblkfuzz.trace import kinds, order_kinds, schedule_kinds, scsi_kinds, vhost_kinds
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kind import Kind, kind
from vblkfuzz.trace.kinds import KINDS
from vblkfuzz.trace.render import rows

GOES = tuple(go.name.lower() for go in Go)
MESSAGES = KINDS[vhost_kinds.VHOST_MESSAGE].flags
"""The specification of vhost-user explains their names."""
OPERATIONS = tuple(spec.name for spec in OPS)
NAMES_OF_SCENARIOS = (OPERATIONS, HOSTILE_DEEDS, REQUESTS, SHAPES, GOES, MESSAGES, FUNCTIONS, WAYS)
FILES = [kinds, order_kinds, schedule_kinds, scsi_kinds, vhost_kinds]
MODULES = pytest.mark.parametrize(
    "module", FILES, ids=["kinds", "order", "schedule", "scsi", "vhost"]
)
ROWS = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def constants(module: ModuleType) -> dict[str, int]:
    return {name.lower(): value for name, value in vars(module).items() if type(value) is int}


def test_each_constant_is_a_row() -> None:
    found = {name: number for file in FILES for name, number in constants(file).items()}
    assert found == {kind.name: number for number, kind in KINDS.items()}
    assert len(found) == sum(len(constants(file)) for file in FILES)
    assert len(KINDS) == len(kind_module.ROWS)


def test_a_number_is_given_once() -> None:
    with pytest.raises(ValueError, match="event kind 40: two rows"):
        kind(40, "another pop")


def test_a_number_belongs_to_a_group() -> None:
    with pytest.raises(ValueError, match="event kind 50: no group has its tens digit"):
        kind(50, "a kind of no group")


def test_a_full_group_goes_on_a_hundred_higher() -> None:
    row = Kind(110, "", "", (), "", "", "", note=False)
    assert row.group == KINDS[kinds.PUBLISH].group


def test_numbers_fit_a_record() -> None:
    assert all(0 < number <= 0xFF for number in KINDS)


def misplaced(table: Sequence[Kind]) -> list[str]:
    """Return what to do about rows that are not in one section of their group, by number."""
    problems, left = [], set()
    for before, row in pairwise(table):
        if row.group != before.group:
            left.add(before.group)
        if row.group in left:
            problems.append(f"{row.name}: expected in the section of {row.group}")
        elif row.group == before.group and row.number < before.number:
            problems.append(f"{row.name}: expected before {before.name}, as its number is lower")
    return problems


@MODULES
def test_a_group_is_one_section_in_which_numbers_ascend(module: ModuleType) -> None:
    found = misplaced([KINDS[number] for number in constants(module).values()])
    assert not found, "; ".join(found)


def test_the_table_has_a_group_in_one_section() -> None:
    assert not misplaced(list(KINDS.values()))


def test_a_row_that_is_misplaced_is_named() -> None:
    assert misplaced([KINDS[kinds.POP], KINDS[kinds.OP], KINDS[kinds.PUSH]]) == [
        "push: expected in the section of Requests"
    ]
    assert misplaced([KINDS[kinds.PUSH], KINDS[kinds.POP]]) == [
        "pop: expected before push, as its number is lower"
    ]


@ROWS
def test_a_kind_has_a_meaning_and_a_group(kind: Kind) -> None:
    assert kind.meaning
    assert kind.group


@ROWS
def test_a_head_has_a_form_or_is_hidden(kind: Kind) -> None:
    assert not (kind.head and kind.hides_head)


@ROWS
def test_the_words_of_its_flag_are_explained(kind: Kind) -> None:
    """The rows of `scenario.alphabet` and virtio explain names of operations and requests."""
    explained = re.findall(r"\*([^*]+)\*", kind.meaning)
    known = kind.flags if kind.flags not in NAMES_OF_SCENARIOS else ()
    missing = [word for word in known if word and word not in explained]
    assert missing == []
    assert [word for word in explained if word not in (*kind.flags, "epilogue", "probe")] == []


@ROWS
def test_every_value_of_its_flag_is_shown_in_words(kind: Kind) -> None:
    shown = rows([Event(0, kind.number, flag=flag) for flag in range(len(kind.flags))])
    assert [row.event for row in shown] == [f"{kind.name} {word}".strip() for word in kind.flags]
