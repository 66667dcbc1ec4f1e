"""What `vblkfuzz cluster` says of its nodes: a line a change, and one for each at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.cli.views.complaint import say
from vblkfuzz.counted import counted
from vblkfuzz.triage.shell_word import shell_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.node import NodeState


def announce(index: int, before: NodeState | None, now: NodeState | None) -> None:
    """Say what has changed of a node."""
    if now is None:
        say(f"node {index}: its actor is gone; Ray starts it again where there is room")
    elif now.status is not None:
        say(f"node {index}: ended with exit status {now.status}: {now.problem}")
    elif now.problem:
        say(f"node {index}: does not run on {now.host}: {now.problem}")
    elif now.pid and (before is None or before.pid != now.pid):
        again = f", start {now.starts} there" if now.starts > 1 else ""
        say(f"node {index}: runs on {now.host}, process {now.pid}{again}")


def say_end(states: Sequence[NodeState | None], late: int, store: str) -> None:
    """Say at the end how many nodes there were, and where their findings are."""
    ended = sum(state is not None and state.status is not None for state in states)
    print(f"{counted(len(states), 'node')}, {ended or 'none'} of them ended in order")
    print(f"What they found: vblkfuzz status {shell_word(store)}")
    nowhere = [str(index) for index, state in enumerate(states) if state is None]
    if nowhere:
        say(f"without a place at the end: node {', '.join(nowhere)}")
    if late:
        say(f"{counted(late, 'node')} did not say in time that it has uploaded and left")
