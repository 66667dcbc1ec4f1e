"""Nodes of one store on this machine: ``python -m tests.soak.nodes --nodes 12 --minutes 4``.

From when all nodes run, it measures how the store grows and what goes to and fro; it extrapolates
both in a straight line to 100 nodes and 7 days. That is an upper bound: less and less is new to a
store that grows. The figures are for docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.waiting import WAIT_S, until
from vblkfuzz.campaign.exchange_thread import INTERVAL_S
from vblkfuzz.store.shared_files import shared_files
from vblkfuzz.store.shared_store import SharedStore

_NODES: Final = 100
_HOURS: Final = 7 * 24


class Size(NamedTuple):
    """Bytes of a store, by what they are for."""

    seconds: float
    """Sum of the time of all nodes, by their beats."""
    packs: int
    findings: int
    beats: int
    files: int


def size_of(store: Path) -> Size:
    """Measure a store."""
    sizes = {part: _sizes(store / part) for part in ("shards", "findings", "beats")}
    seconds = sum(one.seconds for one in SharedStore(shared_files(str(store))).beats())
    packs, findings, beats = (sum(one) for one in sizes.values())
    return Size(seconds, packs, findings, beats, files=sum(map(len, sizes.values())))


def _sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]


def figures(begin: Size, end: Size, nodes: int) -> dict[str, Any]:
    """Return growth and traffic of a node in an hour, and of many nodes in a week."""
    hours = (end.seconds - begin.seconds) / 3600
    new = (end.packs - begin.packs + end.findings - begin.findings) / hours
    beats = end.beats / nodes * 3600 / INTERVAL_S
    down = new * (nodes - 1)
    weeks = _NODES * _HOURS
    return {
        "nodes": nodes,
        "node hours": round(hours, 3),
        "store now, kB": round((end.packs + end.findings + end.beats) / 1e3),
        "files now": end.files,
        "a node and hour: growth, kB": round(new / 1e3),
        "a node and hour: files": round((end.files - begin.files) / hours),
        "a node and hour: up, kB": round((new + beats) / 1e3),
        "a node and hour: down, kB": round(down / 1e3),
        "100 nodes, 7 days: store, GB": round(new * weeks / 1e9, 1),
        "100 nodes: down to each, kB/s": round(new * (_NODES - 1) / 3600 / 1e3, 1),
    }


def _start(folder: Path, index: int, store: Path, device: str) -> subprocess.Popen[bytes]:
    setup = ("--mode", "inline", "--workers", "1", "--no-minimize", "--seed", str(index + 1))
    with (folder / f"node-{index}.log").open("wb") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "vblkfuzz", "fuzz", "--store", store),
                *("--device", device, "--out", folder / f"node-{index}", *setup),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def main() -> None:
    """Run the nodes, print the figures as JSON, and exit with 1 if a node did not leave."""
    parser = argparse.ArgumentParser(description="nodes of one store on this machine")
    parser.add_argument("--nodes", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--device", default="reference+leak_on_error")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-nodes-") as name:
        store = Path(name, "store")
        started = [
            _start(Path(name), index, store, options.device) for index in range(options.nodes)
        ]
        try:
            until(lambda: len(set((store / "beats").glob("*/*.json"))) == options.nodes)
            begin = size_of(store)
            time.sleep(60 * options.minutes)
            before = time.monotonic()
            for one in started:
                one.terminate()
            statuses = [one.wait(WAIT_S) for one in started]
            left_s = time.monotonic() - before
        finally:
            for one in started:
                one.kill()
                one.wait()
        found = figures(begin, size_of(store), options.nodes)
        print(json.dumps({**found, "statuses": statuses, "left after, s": round(left_s, 1)}))
    raise SystemExit(set(statuses) != {72})


if __name__ == "__main__":
    main()
