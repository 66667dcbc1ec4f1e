"""An output folder with many findings, to see how long a verb takes that lists them.

python -m tests.many_findings OUT [NUMBER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.campaign.large_findings import LARGE
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.store.finding_files import ARTIFACT, RAW
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding


def write_many(out: Path, number: int) -> None:
    """Write findings of all rules, and a ledger that has seen each of them."""
    out.mkdir(parents=True)
    ledger = Ledger(out / LEDGER)
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 1, 1, "model")
    for at in range(number):
        rule = RULES[at % len(RULES)].id
        signature = f"{rule.lower()}-reset-{at:05}"
        folder = out / "findings" / signature
        folder.mkdir(parents=True)
        expectation = Expectation("violation", rule, signature)
        artifact = Artifact(LARGE, device="patch-v4", mode="inline", expectation=expectation)
        (folder / ARTIFACT).write_bytes(dump_artifact(artifact))
        (folder / RAW).write_bytes(encode(LARGE))
        ledger.finding(Finding(signature, rule, at, 1.0, str(folder), "what broke", ""), new=True)
        ledger.seen(signature, 1 + at % 7)
    ledger.end("2026-01-01T00:01:00+00:00", 77)
    ledger.close()


if __name__ == "__main__":
    write_many(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
