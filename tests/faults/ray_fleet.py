"""Nodes on Ray, for the tests: ``python -m tests.faults.ray_fleet ADDRESS OUT NODES``.

It prints a JSON object for each change: which node, and its state, or null if its actor is gone.
SIGTERM has the nodes leave and ends it. Exit status 3: Ray does not start here, which it says.

``python -m tests.faults.ray_fleet machines N`` is a cluster of N machines with room for one node
each, and a head with room for none. It prints its address, and runs until its stdin is closed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from vblkfuzz.cli.options.stop import Stop
from vblkfuzz.errors import HarnessError
from vblkfuzz.launch.node import NodePlan
from vblkfuzz.launch.ray import LOCAL, Fleet, connected

NO_RAY: Final = 3
_CAMPAIGN: Final = ("--mode", "inline", "--workers", "1", "--device", "reference", "--json")


def _run(address: str, out: Path, nodes: int) -> None:
    plans = [NodePlan(str(out / f"node-{index}"), _CAMPAIGN) for index in range(nodes)]
    try:
        with connected(address, nodes if address == LOCAL else 0), Stop() as stop:
            fleet = Fleet(plans, 1)
            while stop.status is None:
                for index in fleet.look(None):
                    state = fleet.states[index]
                    print(json.dumps([index, state and state._asdict()]), flush=True)
            print(json.dumps({"late": fleet.leave()}), flush=True)
    except HarnessError as error:
        print(error, file=sys.stderr)
        raise SystemExit(NO_RAY) from None


def _machines(count: int) -> None:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(count):
        cluster.add_node(num_cpus=1)
    print(cluster.address, flush=True)
    sys.stdin.read()
    cluster.shutdown()


def main() -> None:
    first, *more = sys.argv[1:]
    if first == "machines":
        _machines(int(more[0]))
    else:
        _run(first, Path(more[0]), int(more[1]))


if __name__ == "__main__":
    main()
