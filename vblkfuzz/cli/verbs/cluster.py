"""``vblkfuzz cluster``: nodes of one store on a Ray cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vblkfuzz.cli.options.budget import span
from vblkfuzz.cli.options.stop import Stop, at_once
from vblkfuzz.cli.verb import Verb
from vblkfuzz.cli.views.cluster import announce, say_end
from vblkfuzz.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.launch.node import NodePlan, NodeState
    from vblkfuzz.launch.ray import Fleet

_OURS: Final = ("--store", "--out", "--workers", "--max-total-time")
"""Options of `vblkfuzz fuzz` that this verb gives to each node."""
_GRACE_S: Final = 60.0
"""Seconds after the limit within which campaigns end by themselves: the start-up of a node is not
part of its time."""
_WORST_FIRST: Final = (
    ExitStatus.USAGE,
    ExitStatus.HARNESS,
    ExitStatus.VIOLATION,
    ExitStatus.TIMEOUT,
)


def cluster(  # noqa: PLR0913  # an option each
    ray: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS|local",
            help="HOST:PORT of the head; local: started for this command.",
        ),
    ],
    store: Annotated[
        str, typer.Option(metavar="URL", help="What all nodes share: a folder or a bucket.")
    ],
    nodes: Annotated[int, typer.Option(min=1, metavar="N", help="Campaigns to keep running.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, help="Workers of each node; it gets as many cores.")
    ] = 1,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Holds the local folder of each node, and its log.")
    ] = Path("vblkfuzz-nodes"),
    max_total_time: Annotated[
        float,
        typer.Option(
            parser=span("--max-total-time", zero="no limit"),
            metavar="TIME",
            help="Seconds from the start, or 8h. 0: until ctrl-C.",
        ),
    ] = 0,
    fuzz: Annotated[
        list[str] | None, typer.Argument(help="After --: more arguments for vblkfuzz fuzz.")
    ] = None,
) -> None:
    """Keep campaigns running on a Ray cluster: `vblkfuzz fuzz --store URL`, once a node.

    What is killed is started again, where its machine still runs. All that nodes find is in the
    store: the same command goes on after the loss of the whole cluster. The cluster must ask for
    a token (RAY_AUTH_MODE=token). Needs the extra cluster: pip install 'vblkfuzz[cluster]'.

    Exit codes: those of `vblkfuzz fuzz`, of all nodes the worst.
    """
    from vblkfuzz.launch.ray import LOCAL, Fleet, check_ray, connected

    check_ray()
    plans = _plans(nodes, store, workers, out, fuzz or ())
    deadline = time.monotonic() + max_total_time if max_total_time else None
    # Stop comes last: Ray handles signals in its own way when it is connected.
    with at_once(), connected(ray, nodes * workers if ray == LOCAL else 0), Stop() as stop:
        fleet = Fleet(plans, workers)
        _watch(fleet, deadline, stop)
        late = fleet.leave()
    say_end(fleet.states, late, store)
    raise typer.Exit(int(stop.status or _status(fleet.states)))


def _plans(
    nodes: int, store: str, workers: int, out: Path, arguments: Sequence[str]
) -> list[NodePlan]:
    """Return what each node is told.

    Raises:
        UsageError: an argument for `vblkfuzz fuzz` is set by this verb.
    """
    from vblkfuzz.launch.node import NodePlan
    from vblkfuzz.store.shared_files import is_url

    for one in arguments:
        if one.partition("=")[0] in _OURS:
            raise UsageError(f"{one}: an option of cluster itself; put it before --")
    place = store if is_url(store) else str(Path(store).absolute())
    told = ("--store", place, "--workers", str(workers), *arguments)
    return [NodePlan(str(out.absolute() / f"node-{index}"), told) for index in range(nodes)]


def _watch(fleet: Fleet, deadline: float | None, stop: Stop) -> None:
    """Look after the nodes until they have ended, or the time or the user ends them."""
    while stop.status is None and not fleet.ended:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left < -_GRACE_S:
            return
        before = list(fleet.states)
        for index in fleet.look(left):
            announce(index, before[index], fleet.states[index])


def _status(states: Sequence[NodeState | None]) -> ExitStatus:
    """Return the worst exit status; of a node that has none, HARNESS."""
    statuses = {
        state.status
        if state is not None and state.status is not None and state.status >= 0
        else ExitStatus.HARNESS
        for state in states
    }
    return next((one for one in _WORST_FIRST if one in statuses), ExitStatus.CLEAN)


VERB: Final = Verb(
    cluster,
    examples=(
        "vblkfuzz cluster --ray local --nodes 2 --store shared --max-total-time 60",
        "vblkfuzz cluster --ray 10.0.0.1:6379 --nodes 100 --store s3://bucket/store",
    ),
    summary="Keep campaigns running on a Ray cluster.",
)
