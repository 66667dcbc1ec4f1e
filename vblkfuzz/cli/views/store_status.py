"""A store on the screen: what all nodes have done together, and each of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.lineage import Lineage
    from vblkfuzz.store.store_summary import StoreSummary

_MOST: Final = 8
"""Edits and schedulers that are named."""
_DIGITS: Final = 10
"""Of the name of an input."""


def show_store(place: str, *, as_json: bool) -> None:
    """Print what a store has.

    Raises:
        InputFileError: it cannot be read, or is no store.
    """
    from vblkfuzz.store.store_summary import open_store, summary_of

    try:
        summary = summary_of(open_store(place))
    except OSError as error:
        raise InputFileError(place, "", f"cannot be read: {error.strerror or error}") from error
    if not summary.about:
        raise InputFileError(place, "", "expected a store, found no campaign.toml in it")
    if as_json:
        print(json.dumps(summary.to_json(place)))
    else:
        _print(place, summary)


def _print(place: str, summary: StoreSummary) -> None:
    from vblkfuzz.cli.views.screen import Screen

    screen = Screen()
    about, nodes = summary.about, summary.nodes
    screen.say(f"{place}  {about.get('target')}, {about.get('device')}", "bold")
    facts = [
        ("nodes", f"{len(nodes)}, in {counted(len(summary.runs), 'campaign')}"),
        ("so far", counted(summary.execs, "execution")),
        ("coverage", f"{counted(summary.features, 'feature')}, {counted(summary.inputs, 'input')}"),
        ("found", counted(len(summary.findings), "finding")),
    ]
    if made_by := list(summary.made_by.items())[:_MOST]:
        facts.insert(3, ("made by", ", ".join(f"{name} {count:,}" for name, count in made_by)))
    for name, value in facts:
        screen.wrapped(value, label=f"  {name:<9} ")
    for node in nodes:
        one = summary.of_node(node)
        state = "ended" if one["ended"] else "last sign of life"
        screen.say()
        screen.say(f"{node}  {state} {one['written']} by its clock", "bold")
        did = f"{one['execs']:,} executions in {one['seconds']:,.1f} s, version {one['version']}"
        screen.wrapped(did, label="  did       ")
        if one["problem"]:
            screen.wrapped(one["problem"], label="  problem   ")
    if summary.damaged:
        screen.say()
        screen.wrapped(f"left out, not whole or not readable: {', '.join(summary.damaged)}")
    if summary.findings:
        screen.say()
        seen = summary.seen
        for found in summary.findings:
            screen.wrapped(f"{seen[found.signature]:>6}x  {found.signature}")
            if ancestry := summary.ancestry(found.input):
                screen.wrapped(_descent(ancestry), label="         ")


def _descent(ancestry: Sequence[tuple[str, Lineage]]) -> str:
    """Say by what the input of a finding was made, and of what.

    >>> from vblkfuzz.store.lineage import Lineage
    >>> new, edited = Lineage(("new",)), Lineage(("insert", "surw"), ("5b" * 20,))
    >>> _descent([("7c" * 20, edited), ("5b" * 20, new)])
    'input 7c7c7c7c7c, by insert and surw of 5b5b5b5b5b; in 2 steps from a new story'
    """
    (name, last), first = ancestry[0], ancestry[-1][1]
    of = f" of {' and '.join(one[:_DIGITS] for one in last.parents)}" if last.parents else ""
    by = f"by {' and '.join(last.made_by)}{of}" if last.made_by else "of unknown descent"
    begin = " from a new story" if "new" in first.made_by else ""
    return f"input {name[:_DIGITS]}, {by}; in {counted(len(ancestry), 'step')}{begin}"
