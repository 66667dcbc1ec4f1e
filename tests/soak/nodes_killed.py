"""Nodes of a store are killed: ``python -m tests.soak.nodes_killed --minutes 10``.

Two stores with two nodes each, inline, with the same seeds and at the same time. A random node of
the first store is killed every minute, all of its processes at once, and started again. Those of
the second one are left alone. At the end all are killed, and those of the first store are started
again for 60 executions, which alone have far fewer features than there were. Exit status 1: the
stores have other findings, a node has less than 99 % of the features that it had, or a folder has
books that are not right.

Findings are compared as sets, which needs a device whose findings are all met within a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.faults.campaign import NO_CHANGE, Campaign
from vblkfuzz.store.history import LEDGER, read_history
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore
from vblkfuzz.store.store_summary import summary_of

DEVICE: Final = "reference+config_irq_early+needs_reset_unsaid"
FINDINGS: Final = {"s15-early", "s15-resize-early", "s20-unsaid"}
"""All that there is to find of it: what each of several seeds found, and nothing else."""
KEPT: Final = 0.99
"""Least share of its features that a node has again when it was killed and started again."""
AGAIN: Final = ("--runs", "60")
"""What it does then."""


class Nodes:
    """Nodes of one store, which can be killed and started again.

    Args:
        folder: a new one, for the store and the folder of each node.
        count: how many.
        device: what they fuzz.
    """

    def __init__(self, folder: Path, count: int, device: str) -> None:
        folder.mkdir()
        self.name = folder.name
        self.store = SharedStore(FolderFiles(folder / "store"))
        self.kills = 0
        self._setup = ("--store", folder / "store", "--device", device, "--mode", "inline")
        self.campaigns = [Campaign(_made(folder / f"node-{one}")) for one in range(count)]

    def start(self, node: int, *more: str, environ: Mapping[str, str | None] = NO_CHANGE) -> None:
        """Start a node, or start it again in its folder."""
        seed = ("--workers", "1", "--no-minimize", "--seed", str(node + 1))
        self.campaigns[node].start(*self._setup, *seed, *more, environ=environ)

    def kill(self, node: int) -> None:
        """Kill all processes of a node at once."""
        self.kills += 1
        self.campaigns[node].kill_all()

    def kill_all(self) -> None:
        """Kill all nodes."""
        for one in self.campaigns:
            one.kill_all()

    def features(self) -> list[int]:
        """Features of each node, as its ledger says."""
        return [read_history(one.out / LEDGER).campaigns[-1].features for one in self.campaigns]

    def started_again(self) -> list[dict[str, Any]]:
        """Start all nodes again, one after the other; return what each says at its end."""
        ends = []
        for node, one in enumerate(self.campaigns):
            self.start(node, *AGAIN)
            ended = one.ended()
            one.check_books(ended)
            one.check_nothing_left()
            ends.append(ended.end)
        return ends


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def losses(before: list[int], ends: list[dict[str, Any]]) -> Iterator[str]:
    """Yield which nodes have lost features, by those that they had and what they say now."""
    for node, (had, end) in enumerate(zip(before, ends, strict=True)):
        if end["features"] < KEPT * had:
            yield f"node {node}: {end['features']} features, {had} before"


def _disturb(killed: Nodes, options: argparse.Namespace) -> None:
    """Kill a random node again and again until the time is over."""
    chance = random.Random(options.seed)
    for _ in range(int(60 * options.minutes / options.every)):
        time.sleep(options.every)
        node = chance.randrange(len(killed.campaigns))
        status = killed.campaigns[node].process.poll()
        if status is not None:
            said = killed.campaigns[node].stderr()
            raise SystemExit(f"node {node} has ended by itself, with {status}: {said}")
        killed.kill(node)
        killed.start(node)
    time.sleep(options.every)


def _compared(folder: Path, options: argparse.Namespace) -> int:
    """Run both stores in a folder, print what they did as JSON; return the exit status."""
    both = [
        Nodes(folder / name, options.nodes, options.device) for name in ("killed", "left-alone")
    ]
    try:
        for one in both:
            for node in range(options.nodes):
                one.start(node)
        _disturb(both[0], options)
        for one in both:
            one.kill_all()
        killed, left = both
        before = killed.features()
        ends = killed.started_again()
        problems = [*losses(before, ends)]
        rows = [_row(killed), _row(left)]
    finally:
        for one in both:
            one.kill_all()
    if rows[0]["findings"] != rows[1]["findings"]:
        problems.append("findings differ")
    again = {
        "features before": before,
        "features": [end["features"] for end in ends],
        "seconds": [round(end["seconds"], 1) for end in ends],
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps({"stores": rows, "started again": again, "problems": problems}, indent=1))
    return bool(problems)


def _row(one: Nodes) -> dict[str, Any]:
    summary = summary_of(one.store)
    return {
        "name": one.name,
        "kills": one.kills,
        "campaigns": len(summary.runs),
        "execs": summary.execs,
        "inputs": summary.inputs,
        "damaged": summary.damaged,
        "findings": sorted(found.signature for found in summary.findings),
        "features": summary.features,
    }


def main() -> None:
    """Compare the stores and exit."""
    parser = argparse.ArgumentParser(description="kill nodes of a store")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=60, help="seconds between two kills")
    parser.add_argument("--nodes", type=int, default=2, help="of each store")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default=DEVICE)
    parser.add_argument("--out", type=Path, help="new folder in which all stays")
    options = parser.parse_args()
    if options.out:
        options.out.mkdir(parents=True)
        raise SystemExit(_compared(options.out.resolve(), options))
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-nodes-") as folder:
        raise SystemExit(_compared(Path(folder), options))


if __name__ == "__main__":
    main()
