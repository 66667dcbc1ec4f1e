"""A store on the screen: what all nodes have done together, and each of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vblkfuzz.counted import counted
from vblkfuzz.errors import InputFileError

if TYPE_CHECKING:
    from vblkfuzz.store.store_summary import StoreSummary


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
        screen.wrapped(f"not whole, left out: {', '.join(summary.damaged)}")
    if summary.findings:
        screen.say()
        seen = summary.seen
        for found in summary.findings:
            screen.wrapped(f"{seen[found.signature]:>6}x  {found.signature}")
