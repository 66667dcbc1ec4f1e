"""The right device breaks no rule, on either form of rings: ``python -m tests.soak.silence FILE``.

Each seed is 2,000 inputs (tests/conformance/inputs.py), each of which runs on split and on packed
rings, inline. FILE has a line for each seed that is done; started again, it goes on with the next
ones. A violation or a harness error is printed with its input, and the exit status is 1.

On a compiled build it takes half the time: run it where `vblkfuzz` is installed, in a folder with
nothing but `tests`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from multiprocess import Pool

from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import RINGS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target

INPUTS = 2000
"""Of a seed."""


def said(target: Target, scenario: Scenario) -> str:
    """Run it; return what is wrong, nothing if it is silent."""
    try:
        verdict = run_scenario(target, scenario).verdict
    except HarnessError as error:
        return f"harness error: {error}"
    return ", ".join(each.signature for each in verdict.violations)


def one_seed(seed: int) -> tuple[int, list[str]]:
    """Return the seed and a line for each execution that was not silent."""
    wrong = []
    with model("reference", "inline") as target:
        for data in fuzz_inputs(seed, INPUTS):
            scenario = decode(data)
            for ring in RINGS:
                on_ring = replace(scenario, device=replace(scenario.device, ring=ring))
                if words := said(target, on_ring):
                    wrong.append(f"{ring}: {words}: {data.hex()}")
    return seed, wrong


def done(file: Path) -> dict[int, list[str]]:
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return {row["seed"]: row["wrong"] for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="on each form of rings")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    seeds = range(1, -(-arguments.inputs // INPUTS) + 1)
    before = done(arguments.file)
    todo = [seed for seed in seeds if seed not in before]
    wrong = [line for seed in seeds for line in before.get(seed, [])]
    with Pool(arguments.workers) as pool, arguments.file.open("a") as file:
        for count, (seed, lines) in enumerate(pool.imap_unordered(one_seed, todo), 1):
            wrong += lines
            print(json.dumps({"seed": seed, "wrong": lines}), file=file, flush=True)
            executions = (len(seeds) - len(todo) + count) * INPUTS
            print(f"{executions:,} on each form, {len(wrong)} not silent", flush=True)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
