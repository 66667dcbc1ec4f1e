"""How long campaigns take to find each planted defect: ``pytest -s tests/soak/defects.py``.

Not collected by a plain `pytest`. One campaign for each defect and seed, from an empty corpus, to
its first finding or the end of its time; a line for each, a table at the end. `-k NAME` chooses
defects. Runs that are in VBLKFUZZ_RESULTS/defects.jsonl (vblkfuzz-out/soak) are not repeated, so
what was interrupted goes on.

VBLKFUZZ_SECONDS: what a campaign may take (120). VBLKFUZZ_SEEDS: how many seeds (5).
VBLKFUZZ_WORKERS (2), VBLKFUZZ_MODE (processes): as in `vblkfuzz fuzz`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from math import inf
from statistics import median

import pytest

from tests.soak.campaigns import FOLDER, MODE, SEEDS, WORKERS, Results, Row, run_campaign
from vblkfuzz.dataplane.defects import DEFECTS

SECONDS = os.environ.get("VBLKFUZZ_SECONDS", "120")
RESULTS = Results(FOLDER / "defects.jsonl")
SETUP: Row = {"seconds": SECONDS, "workers": WORKERS, "mode": MODE}

pytestmark = pytest.mark.timeout(0)


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    """Print the figures when all runs are done or were stopped, and keep them as a file."""
    yield
    found = figures_of(RESULTS.rows())
    print("\n" + "\n".join(table_lines(found)), flush=True)
    (FOLDER / "defects.json").write_text(json.dumps(found, indent=2) + "\n")


@pytest.mark.parametrize("name", DEFECTS)
def test_every_seed_finds_it(name: str) -> None:
    rows = [row_of(name, seed) for seed in SEEDS]
    missed = [row["seed"] for row in rows if row["execs"] is None]
    assert missed == [], f"{name}: not found in {SECONDS} s with seeds {missed}"


def row_of(name: str, seed: int) -> Row:
    """Return the run of a defect and a seed; run it if it is not there."""
    key = {"defect": name, "seed": seed, **SETUP}
    row = RESULTS.find(key)
    if row is None:
        row = key | measured(name, seed)
        RESULTS.add(row)
    return row


def measured(name: str, seed: int) -> Row:
    """Run one campaign; `execs` and `found_s` are None if it found nothing."""
    device = ("--device", "reference", "--defect", name, "--seed", str(seed))
    summary = run_campaign(
        *device, "--max-total-time", SECONDS, "--stop-on-first", keep=f"{name}-{seed}"
    )
    first = min(summary["findings"], key=lambda found: found["first_exec"], default=None)
    return {
        "execs": first and first["first_exec"],
        "found_s": first and first["first_s"],
        "signature": first and first["signature"],
        "execs_per_s": summary["execs_per_s"],
    }


def figures_of(rows: list[Row]) -> dict[str, Row]:
    """Return medians by defect, as docs/measured/defects.json holds them.

    `execs` and `seconds` are None where most seeds found nothing, `most` where any did.
    """
    found = {}
    for name in DEFECTS:
        mine = [row for row in rows if row["defect"] == name and SETUP.items() <= row.items()]
        if mine:
            found[name] = _figures(mine)
    return found


def _figures(rows: list[Row]) -> Row:
    found = [row for row in rows if row["execs"] is not None]
    # Those that found nothing took longer than all others.
    late = [inf] * (len(rows) - len(found))
    execs = [row["execs"] for row in found]
    middle = median(execs + late), median([row["found_s"] for row in found] + late)
    known = middle[0] < inf
    return {
        "found": len(found),
        "seeds": len(rows),
        "execs": round(middle[0]) if known else None,
        "most": None if late else max(execs),
        "seconds": round(middle[1], 1) if known else None,
    }


def table_lines(figures: dict[str, Row]) -> list[str]:
    """Return a table at most 80 columns wide; `-`: not found often enough to say."""
    lines = [f"{'defect':34}{'found':>7}{'executions':>13}{'most':>11}{'seconds':>9}"]
    for name, of in figures.items():
        execs, most = (f"{of[key]:,}" if of[key] is not None else "-" for key in ("execs", "most"))
        seconds = "-" if of["seconds"] is None else f"{of['seconds']:.1f}"
        found = f"{of['found']}/{of['seeds']}"
        lines.append(f"{name:34}{found:>7}{execs:>13}{most:>11}{seconds:>9}")
    return lines
