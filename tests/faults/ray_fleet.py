"""Nodes on Ray, for the tests: ``python -m tests.faults.ray_fleet ADDRESS OUT NODES``.

It prints a JSON object for each change: which node, and its state, or null if its actor is gone.
SIGTERM has the nodes leave and ends it. Exit status 3: Ray does not start here, which it says.
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


def main() -> None:
    address, out, nodes = sys.argv[1:]
    _run(address, Path(out), int(nodes))


if __name__ == "__main__":
    main()
