"""Campaigns of the soak tests: run by the command line, remembered in a file, so they resume."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vblkfuzz

Row = dict[str, Any]
FOLDER = Path(os.environ.get("VBLKFUZZ_RESULTS", "vblkfuzz-out/soak"))
SEEDS = range(1, int(os.environ.get("VBLKFUZZ_SEEDS", "5")) + 1)
WORKERS = os.environ.get("VBLKFUZZ_WORKERS", "2")
MODE = os.environ.get("VBLKFUZZ_MODE", "processes")


def run_campaign(*arguments: str, keep: str) -> Row:
    """Run ``vblkfuzz fuzz``; return the last object of ``--json``.

    What it says on the way goes to our stderr, so that one sees it live. Its findings are copied
    to VBLKFUZZ_RESULTS/findings, into a folder named `keep`: there the last run counts.
    """
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-soak-") as out:
        command = [
            sys.executable,
            "-m",
            "vblkfuzz",
            "fuzz",
            "--json",
            "--no-minimize",
            "--out",
            out,
        ]
        setup = ["--workers", WORKERS, "--mode", MODE]
        path = str(Path(vblkfuzz.__file__).parents[1])
        ended = subprocess.run(
            [*command, *setup, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
        kept = FOLDER / "findings" / keep
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(Path(out) / "findings", kept)
        assert ended.returncode in {0, 77}, f"exit status {ended.returncode}"
        summary: Row = json.loads(ended.stdout.splitlines()[-1])
        return summary


@dataclass(frozen=True)
class Results:
    """Rows of runs, one JSON object a line; a run that is there is not run again."""

    path: Path

    def rows(self) -> list[Row]:
        """Return all rows; the half-written last line of a killed run is none."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def find(self, key: Row) -> Row | None:
        """Return the row of a run."""
        found = [row for row in self.rows() if key.items() <= row.items()]
        return found[-1] if found else None

    def add(self, row: Row) -> None:
        """Append a row, and print it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
