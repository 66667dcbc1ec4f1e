"""`vblkfuzz list`: what there is to choose from, and what a scenario is written with."""

from __future__ import annotations

import json
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import UsageError
from vblkfuzz.suggestion import did_you_mean

Entry = dict[str, object]
"""One line of a list; has at least `name` and `summary`."""

_COLUMNS: Final = ("name", "summary", "rules", "source", "ignores")


class Kind(StrEnum):
    """What can be listed."""

    TARGETS = "targets"
    EXPORTS = "exports"
    DEVICES = "devices"
    DEFECTS = "defects"
    RULES = "rules"
    OPS = "ops"
    SCHEDULE = "schedule"
    SCHEDULERS = "schedulers"


def list_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help=", ".join(Kind), autocompletion=lambda: [*Kind], show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List targets, exports, devices, defects, rules, operations, fields of a schedule, schedulers.

    Each has a summary and its source. Targets, exports and schedulers include those of other
    installed packages; a target names the device fields that it ignores. Devices are the built-in
    revisions of the model with their known violations, each with the commit that fixes it; --device
    also accepts your own classes. --defect plants a defect in a revision. An operation (ops) has an
    actor, arguments with their values, and the targets that carry it out. To have a rule
    explained: vblkfuzz show S13.
    """
    kind = _kind(what)
    if as_json:
        for entry in entries(kind):
            print(json.dumps(entry))
    elif shown := _SHORT.get(kind, _ENTRIES[kind])():
        _print(kind, shown)


def _kind(what: str) -> Kind:
    """Return the kind of that name.

    Raises:
        UsageError: there is none.
    """
    if what not in [*Kind]:
        known = ", ".join(Kind)
        raise UsageError(f"{what}: expected one of {known}{did_you_mean(what, Kind)}")
    return Kind(what)


def entries(what: Kind) -> list[Entry]:
    """Return all that is known of each entry of a list, as `--json` prints it."""
    return _ENTRIES[what]()


def _print(what: Kind, entries: list[Entry]) -> None:
    from vblkfuzz.cli.views.list_text import (
        print_devices,
        print_entries,
        print_ops,
        print_schedule,
    )
    from vblkfuzz.cli.views.screen import Screen

    screen = Screen()
    if what is Kind.DEVICES:
        print_devices(screen, entries)
    elif what is Kind.OPS:
        print_ops(screen, entries, _schedule())
    elif what is Kind.SCHEDULE:
        print_schedule(screen, entries)
    else:
        print_entries(screen, entries, [one for one in _COLUMNS if one in entries[0]])


def _targets() -> list[Entry]:
    from vblkfuzz.targets.registry import TARGETS

    return [{**row._asdict(), "ignores": _ignored(row.name)} for row in TARGETS.listed()]


def _ignored(target: str) -> list[str]:
    """Return the device fields that a target ignores, in order; none if it cannot be used."""
    from vblkfuzz.scenario.device import FIELDS
    from vblkfuzz.targets.registry import TARGETS

    with suppress(UsageError):
        return [name for name in FIELDS if name in TARGETS.find(target).ignores]
    return []


def _exports() -> list[Entry]:
    from vblkfuzz.export.registry import EXPORTS

    return [dict(entry._asdict()) for entry in EXPORTS.listed()]


def _schedulers() -> list[Entry]:
    from vblkfuzz.schedule.registry import SCHEDULERS

    return [dict(entry._asdict()) for entry in SCHEDULERS.listed()]


def _devices() -> list[Entry]:
    from vblkfuzz.dataplane.revisions import REVISIONS

    return [
        {
            "name": name,
            "summary": device.summary,
            "source": device.source,
            "known": device.known,
        }
        for name, device in REVISIONS.items()
    ]


def _defects() -> list[Entry]:
    from vblkfuzz.dataplane.defects import DEFECTS

    return [
        {
            "name": defect.name,
            "summary": defect.mechanism,
            "rules": list(defect.rules),
            "year": defect.year,
            "source": defect.source,
        }
        for defect in DEFECTS.values()
    ]


def _rules() -> list[Entry]:
    from vblkfuzz.cli.views.rule import rule_object
    from vblkfuzz.oracle.judge import RULES

    return [rule_object(rule) for rule in RULES]


def _short_rules() -> list[Entry]:
    from vblkfuzz.oracle.judge import RULES

    return [{"name": rule.id, "summary": rule.title, "source": rule.source} for rule in RULES]


def _ops() -> list[Entry]:
    from vblkfuzz.scenario.alphabet.ops import OPS
    from vblkfuzz.targets.registry import TARGETS

    without = {}
    for name in TARGETS.names():
        with suppress(UsageError):  # `list targets` says why it cannot be used
            without[name] = TARGETS.find(name).without
    return [
        {
            "name": spec.name,
            "actor": spec.owner,
            "summary": spec.summary,
            "arguments": {param.name: param.choices for param in spec.params},
            "targets": [name for name, lacking in without.items() if spec.name not in lacking],
        }
        for spec in OPS
    ]


def _schedule() -> list[Entry]:
    from vblkfuzz.limits import MAX_DEVIATIONS, MAX_OPS, MAX_POINT
    from vblkfuzz.scenario.place import MAX_NTH
    from vblkfuzz.scenario.schedule_table import GO_NAMES, POINTS, ROLE_NAMES

    return [
        {
            "name": "op",
            "values": f"0..{MAX_OPS - 1}",
            "summary": f"Number of the operation; at most {MAX_DEVIATIONS} deviations in all.",
        },
        {
            "name": "point",
            "values": f"0..{MAX_POINT - 1}",
            "summary": "Number of the preemption point that is passed since the operation began.",
        },
        {
            "name": "actor",
            "values": "|".join(ROLE_NAMES),
            "summary": "Whose points are counted: a thread of the device, or the guest. Without "
            "it, those of all together. A real device holds that thread at the point.",
        },
        {
            "name": "points",
            "values": "|".join(POINTS),
            "summary": "Which points of the actor count: the events of its trace, or locks as "
            "well. On real devices only.",
        },
        {
            "name": "go",
            "values": "|".join(GO_NAMES),
            "summary": "What runs there instead: the guest, a thread of the device, or the next "
            "operation, before the device has settled.",
        },
        {
            "name": "delayed",
            "values": "true|false",
            "summary": "Whether the stores of what is interrupted stay in its store buffer until "
            "it goes on (x86 TSO).",
        },
        {
            "name": "at",
            "values": "EVENT [FILE:LINE]",
            "summary": "Place at which a real device holds the actor, instead of the point: it is "
            "found again in another build, where other points are passed.",
        },
        {
            "name": "after",
            "values": "EVENT",
            "summary": "The event of the actor before that place, locks left out.",
        },
        {
            "name": "nth",
            "values": f"1..{MAX_NTH}",
            "summary": "Which stop at that place since the operation began.",
        },
    ]


_ENTRIES = {
    Kind.TARGETS: _targets,
    Kind.EXPORTS: _exports,
    Kind.DEVICES: _devices,
    Kind.DEFECTS: _defects,
    Kind.RULES: _rules,
    Kind.OPS: _ops,
    Kind.SCHEDULE: _schedule,
    Kind.SCHEDULERS: _schedulers,
}
_SHORT = {Kind.RULES: _short_rules}
"""What a text has, where that takes less than all that is known: JSON names targets, so it opens
them."""


VERB: Final = Verb(
    list_,
    examples=(
        "vblkfuzz list rules",
        "vblkfuzz list devices --json",
    ),
    summary="List targets, exports, devices, defects, rules or operations.",
)
