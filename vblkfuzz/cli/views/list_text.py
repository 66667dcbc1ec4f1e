"""The lists of `vblkfuzz list`.

On a terminal an entry has several lines that fit; elsewhere each fact is one whole line.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vblkfuzz.cli.views.screen import Screen

Entry = dict[str, Any]


def print_entries(screen: Screen, entries: Sequence[Entry], columns: Sequence[str]) -> None:
    """Print some columns of entries; the first two are name and summary."""
    rows = [[_cell(entry[column]) for column in columns] for entry in entries]
    if not screen.width:
        screen.table(columns, rows)
        return
    for name, summary, *others in rows:
        screen.say(name, "cyan")
        screen.wrapped(summary, indent=4)
        for column, value in zip(columns[2:], others, strict=True):
            if value:
                screen.wrapped(value, label=f"      {column}  ", style="dim")


def _cell(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def print_devices(screen: Screen, entries: Sequence[Entry]) -> None:
    """Print the revisions; below each its known violations, a line each, by their bug."""
    for number, entry in enumerate(entries):
        if number:
            screen.say()
        screen.say(entry["name"], "bold")
        screen.wrapped(entry["summary"], indent=2)
        screen.wrapped(entry["source"], indent=2)
        _print_known(screen, entry["known"])


def _print_known(screen: Screen, known: Mapping[str, str]) -> None:
    """Print each beginning of a signature with the commit that fixes it, below what the bug is."""
    ordered = sorted(known.items(), key=itemgetter(1))
    for bug, group in groupby(ordered, itemgetter(1)):
        signatures = [signature for signature, _ in group]
        screen.wrapped(bug, label="    ")
        width = max(map(len, signatures))
        for signature in signatures:
            screen.say(f"      {signature.ljust(width)}  {bug.partition(':')[0]}")


def print_ops(screen: Screen, entries: Sequence[Entry], schedule: Sequence[Entry]) -> None:
    """Print the operations with their arguments, then what a schedule is written with."""
    if screen.width:
        for entry in entries:
            _print_op(screen, entry)
    else:
        screen.table((), [_cells(entry) for entry in entries])
    screen.say()
    print_schedule(screen, schedule)


def _print_op(screen: Screen, entry: Entry) -> None:
    screen.say(f"{entry['name']}  ({entry['actor']})", "cyan")
    screen.wrapped(entry["summary"], indent=4)
    for name, values in entry["arguments"].items():
        screen.wrapped(values.replace("|", " | "), label=f"      {name}  ")
    screen.wrapped(f"on {', '.join(entry['targets'])}", indent=4, style="dim")


def _cells(entry: Entry) -> list[str]:
    words = (entry["name"], entry["actor"], entry["summary"], _arguments(entry))
    return [*words, " ".join(entry["targets"])]


def _arguments(entry: Entry) -> str:
    return " ".join(f"{name}={values}" for name, values in entry["arguments"].items())


def print_schedule(screen: Screen, entries: Sequence[Entry]) -> None:
    """Print the fields of a deviation, and the values of those that are words."""
    screen.wrapped(
        'schedule = [{op = 0, point = 2, go = "main"}, ...]: where the order differs from one '
        "operation after the other",
        style="bold",
    )
    for entry in entries:
        screen.wrapped(f"{entry['values']}: {entry['summary']}", label=f"  {entry['name']}  ")
