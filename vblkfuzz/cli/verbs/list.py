"""`vblkfuzz list`: operations, and the available targets, exports, devices, defects or rules."""

from __future__ import annotations

import json
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Final

import typer

from vblkfuzz.cli.verb import Verb
from vblkfuzz.errors import UsageError

Entry = dict[str, object]
"""One line of a list; has at least `name` and `summary`."""

_COLUMNS: Final = (
    *("name", "actor", "summary", "arguments", "rules", "source", "ignores", "known", "targets"),
)


class Kind(StrEnum):
    """What can be listed."""

    TARGETS = "targets"
    EXPORTS = "exports"
    DEVICES = "devices"
    DEFECTS = "defects"
    RULES = "rules"
    OPS = "ops"


def list_(
    what: Annotated[
        Kind, typer.Argument(metavar="WHAT", help="targets, exports, devices, defects, rules, ops")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List targets, exports, devices, defects, rules or operations.

    Each has a summary and its source. Targets and exports include those of other installed
    packages; a target names the device fields that it ignores. Devices are the built-in revisions
    of the model; --device also accepts your own classes. --defect plants a defect in a revision. An
    operation (ops) has an actor, arguments with their values, and the targets that carry it out.
    """
    entries = _ENTRIES[what]()
    if as_json:
        for entry in entries:
            print(json.dumps(entry))
    elif entries:
        _print_table(entries)


def _print_table(entries: list[Entry]) -> None:
    from vblkfuzz.cli.views.screen import Screen

    columns = tuple(column for column in _COLUMNS if column in entries[0])
    Screen().table(columns, [[_cell(entry[column]) for column in columns] for entry in entries])


def _cell(value: object) -> str:
    return " ".join(value) if isinstance(value, (list, dict)) else str(value)


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
    from vblkfuzz.oracle.judge import RULES

    return [
        {
            "name": rule.id,
            "summary": rule.title,
            "title": rule.title,
            "source": rule.source,
            "instead": rule.instead,
            "situations": [
                {"name": situation.name, "summary": situation.summary}
                for situation in rule.situations
            ],
        }
        for rule in RULES
    ]


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


_ENTRIES = {
    Kind.TARGETS: _targets,
    Kind.EXPORTS: _exports,
    Kind.DEVICES: _devices,
    Kind.DEFECTS: _defects,
    Kind.RULES: _rules,
    Kind.OPS: _ops,
}


VERB: Final = Verb(
    list_,
    examples=(
        "vblkfuzz list rules",
        "vblkfuzz list devices --json",
    ),
)
