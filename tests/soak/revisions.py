"""Do revisions show only what they list as known? ``pytest -s tests/soak/revisions.py``.

Not collected by a plain `pytest`. One long campaign for each revision and seed; it has to come
through without a harness error, and each violation has to be one of the revision's `known`. The
reference knows none, so it must be silent. `-k NAME` chooses revisions. A line for each run, and at
the end a verdict for each revision. Runs that are in VBLKFUZZ_RESULTS/revisions.jsonl
(vblkfuzz-out/soak) are not repeated.

VBLKFUZZ_RUNS: executions of a campaign (3000000). VBLKFUZZ_SEEDS: how many seeds (5; the reference
was measured with 3). VBLKFUZZ_WORKERS (2), VBLKFUZZ_MODE (processes): as in `vblkfuzz fuzz`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.soak.campaigns import FOLDER, MODE, SEEDS, WORKERS, Results, Row, run_campaign
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.oracle.naming.known import explanation

RUNS = int(os.environ.get("VBLKFUZZ_RUNS", "3000000"))
RESULTS = Results(FOLDER / "revisions.jsonl")
SETUP: Row = {"runs": RUNS, "workers": WORKERS, "mode": MODE}

pytestmark = pytest.mark.timeout(0)


@pytest.fixture(scope="module", autouse=True)
def verdicts() -> Iterator[None]:
    """Print a verdict for each revision when all runs are done, or somebody has stopped them."""
    yield
    print("\n" + "\n".join(verdict_lines(RESULTS.rows())), flush=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("revision", REVISIONS)
def test_only_what_is_known(revision: str, seed: int) -> None:
    key = {"revision": revision, "seed": seed, **SETUP}
    row = RESULTS.find(key)
    if row is None:
        row = key | measured(revision, seed)
        RESULTS.add(row)
    assert unknown(row) == []


def measured(revision: str, seed: int) -> Row:
    """Run one campaign."""
    arguments = ("--device", revision, "--seed", str(seed), "--runs", str(RUNS))
    summary = run_campaign(*arguments, keep=f"{revision}-{seed}")
    return {
        "execs": summary["execs"],
        "signatures": sorted(found["signature"] for found in summary["findings"]),
        "missed": [name for name, met in summary["sometimes"].items() if not met],
    }


def unknown(row: Row) -> list[str]:
    """Return the violations that the revision, as it is now, does not list."""
    known = REVISIONS[row["revision"]].known
    return [signature for signature in row["signatures"] if not explanation(signature, known)]


def verdict_lines(rows: list[Row]) -> list[str]:
    """Return a line for each revision, and one for each violation that nobody knew."""
    lines = []
    for revision in REVISIONS:
        mine = [row for row in rows if row["revision"] == revision and SETUP.items() <= row.items()]
        if mine:
            bad = sorted({signature for row in mine for signature in unknown(row)})
            seen = {signature for row in mine for signature in row["signatures"]}
            execs = sum(row["execs"] for row in mine)
            lines.append(
                f"{revision:10} {'FAILED' if bad else 'ok':6} {len(mine)} seeds, {execs:,} "
                f"executions, {len(seen) - len(bad)} known violations, {len(bad)} others"
            )
            lines += [f"    {signature}" for signature in bad]
    return lines
