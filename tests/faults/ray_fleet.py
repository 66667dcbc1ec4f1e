"""Nodes on Ray, for the tests: ``python -m tests.faults.ray_fleet ADDRESS OUT NODES``.

It prints a JSON object for each change: which node, and its state, or null if its actor is gone.
SIGTERM has the nodes leave and ends it. Exit status 3: Ray does not start here, which it says.
Exit status 125: a node has failed, or Ray is gone. The store of the nodes is in OUT.

``python -m tests.faults.ray_fleet machines N`` is a cluster of N machines, with room for two nodes
each, and a head with room for none. Each has its own address of the loopback network: as Ray takes
any process of it for the machine of the command if the addresses are the same. It prints the
address of the head; for each line on stdin it adds a machine; it ends with stdin.
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
_DEVICE: Final = "reference+config_irq_early+needs_reset_unsaid"
_CAMPAIGN: Final = ("--mode", "inline", "--workers", "1", "--device", _DEVICE, "--json")


def _run(address: str, out: Path, nodes: int) -> None:
    told = (*_CAMPAIGN, "--store", str(out / "store"))
    plans = [NodePlan(str(out / f"node-{index}"), told) for index in range(nodes)]
    with connected(address, nodes if address == LOCAL else 0), Stop() as stop:
        fleet = Fleet(plans, 1)
        while stop.status is None:
            for index in fleet.look(None):
                state = fleet.states[index]
                print(json.dumps([index, state and state._asdict()]), flush=True)
        print(json.dumps({"late": fleet.leave()}), flush=True)


def _machines(count: int) -> None:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for number in range(count):
        cluster.add_node(num_cpus=2, node_ip_address=f"127.0.0.{number + 2}")
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        count += 1
        cluster.add_node(num_cpus=2, node_ip_address=f"127.0.0.{count + 1}")
    cluster.shutdown()


def main() -> None:
    first, *more = sys.argv[1:]
    try:
        if first == "machines":
            _machines(int(more[0]))
        else:
            _run(first, Path(more[0]), int(more[1]))
    except HarnessError as error:
        print(error, file=sys.stderr)
        raise SystemExit(NO_RAY if str(error).startswith("--ray") else error.exit_status) from None


if __name__ == "__main__":
    main()
