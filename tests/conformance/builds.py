"""Do two builds give the same verdicts? ``python -m tests.conformance.builds SIDE SIDE``.

A side is a Python in whose environment vblkfuzz is installed, or a folder that holds the package: a
checkout, or where a wheel was unpacked. Both sides run the same inputs on all revisions, and fewer
of them on each defect, in both modes. Digests of traces, signatures, sentences and situations have
to be equal. Inputs are those of this checkout: random bytes and mutations.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.conformance.inputs import fuzz_inputs
from vblkfuzz.dataplane.defects.registry import DEFECTS
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.targets.model import MODES

_SCRIPT: Final = Path(__file__).with_name("outcomes.py")
_OF_A_DEFECT: Final = 25
"""A defect runs one of so many inputs."""

Run = tuple[str, str, int]
"""Device, mode, and how many of the inputs."""


@dataclass(frozen=True)
class Side:
    """A build."""

    place: Path

    def outcomes(self, asked: Path) -> list[list[str]]:
        """Run what is asked for; return the outcomes of each run.

        Raises:
            CalledProcessError: the build cannot run it.
        """
        python, folder = str(self.place), ""
        if self.place.is_dir():
            python, folder = sys.executable, str(self.place)
        environment = {**os.environ, "PYTHONPATH": folder}
        command = [python, "-P", str(_SCRIPT), str(asked)]
        done = subprocess.run(
            command, env=environment, cwd=asked.parent, stdout=subprocess.PIPE, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


def all_runs(inputs: int) -> list[Run]:
    """Return the runs of the whole comparison: revisions, and the reference with each defect."""
    devices = dict.fromkeys(REVISIONS, inputs)
    devices |= {f"reference+{name}": -(-inputs // _OF_A_DEFECT) for name in DEFECTS}
    return [(device, mode, count) for device, count in devices.items() for mode in MODES]


def differences(sides: tuple[Side, Side], runs: list[Run], inputs: list[bytes]) -> list[str]:
    """Return a line for each run in which the sides differ, with the first such input."""
    with TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.json"
        hexes = [data.hex() for data in inputs]
        asked.write_text(json.dumps({"inputs": hexes, "runs": runs}))
        one, other = (side.outcomes(asked) for side in sides)
    found = []
    for (device, mode, count), first, second in zip(runs, one, other, strict=True):
        wrong = [place for place in range(count) if first[place] != second[place]]
        if wrong:
            place = wrong[0]
            line = f"{device}, {mode}: {len(wrong)} of {count} inputs differ, first {hexes[place]}"
            found.append(f"{line}: {first[place]} and {second[place]}")
    return found


def main() -> int:
    """Compare the builds that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description="compare traces and verdicts of two builds")
    parser.add_argument("side", nargs=2, type=Path, help="a Python, or a folder with vblkfuzz/")
    parser.add_argument("--inputs", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    runs = all_runs(given.inputs)
    first, second = (Side(place.absolute()) for place in given.side)
    found = differences((first, second), runs, fuzz_inputs(given.seed, given.inputs))
    print(*found, sep="\n")
    executions = sum(count for _, _, count in runs)
    print(f"{len(runs)} runs, {executions} executions a side, {len(found)} runs differ")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
