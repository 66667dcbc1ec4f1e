"""Output folders as campaigns leave them, of any size, without a campaign."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.canary import Canary
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.tried import Bound
from vblkfuzz.store.unseen import Unseen

BUG: Final = Scenario(
    ops=(
        op("init", how="ok"),
        op("drain_begin", wait="poll"),
        op("publish_kick", queue=0, request="out", sector=3),
        op("reset"),
    )
)
SIGNATURE: Final = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
SENTENCE: Final = "Request 1 was dequeued from queue 0 at turn 23, inside the drained section"
ARTIFACT: Final = Artifact(
    BUG, mode="inline", expectation=Expectation("violation", "S1", SIGNATURE)
)
_STARTED: Final = "2026-01-0{}T08:00:00+00:00"


def signatures(count: int) -> list[str]:
    """Return signatures of many rules; the first one is that of `BUG`."""
    rules = [rule.id.lower() for rule in RULES]
    more = (f"{rules[at % len(rules)]}-reset-vm_stop-{at:04}" for at in range(1, count))
    return [SIGNATURE, *more][:count]


def output_folder(out: Path, inputs: int = 12, findings: int = 3, entries: int = 60) -> Path:
    """Write an output folder of two campaigns with two workers each; return it."""
    (out / "corpus").mkdir(parents=True)
    for at in range(inputs):
        data = encode(
            Scenario(
                ops=BUG.ops[: 1 + at % 4] + (op("publish_kick", sector=at % 64),) * (at // 64 % 8)
            )
        ) + at.to_bytes(3, "big")
        (out / "corpus" / input_name(data)).write_bytes(data)
    artifact, verdict = dump_artifact(ARTIFACT), json.dumps({"sentence": SENTENCE})
    for name in signatures(findings):
        folder = out / "findings" / name
        folder.mkdir(parents=True)
        (folder / "finding.vblk").write_bytes(artifact)
        (folder / "verdict.json").write_text(verdict)
    for number in (1, 2):
        _campaign(out / LEDGER, number, findings, entries)
    return out


def _campaign(path: Path, number: int, findings: int, entries: int) -> None:
    ledger = Ledger(path)
    ledger.begin(_STARTED.format(number), "patch-v4", "inline", 2, number)
    names = [one.name for rule in RULES for one in rule.situations]
    ledger.expect(names)
    ledger.silence(
        Unseen(20000, 1527, 12, 6),
        [Canary("no_selfkick", 210, 640, 2.5), Canary("early_done", 200)],
        {1: Bound(812, 2400, 0.9, 0.4811)},
    )
    ledger.close()
    rows = [
        (
            number,
            5.0 * at,
            5000 * at - 40 * (at % 7) ** 3,
            round(1500 * at / (at + 9)),
            at,
            at // 30,
        )
        for at in range(1, entries + 1)
    ]
    halves = [
        (number, worker, row[1], row[2] // 2 + (300 * worker * (at % 5)), row[3])
        for at, row in enumerate(rows)
        for worker in (0, 1)
    ]
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.executemany("INSERT INTO worker VALUES (?, ?, ?, ?, ?)", halves)
        db.executemany(
            "INSERT INTO situation VALUES (?, ?, ?)",
            [(number, name, 3.0 * at) for at, name in enumerate(names[: 40 + 10 * number])],
        )
        found = [
            (
                number,
                name,
                name.partition("-")[0].upper(),
                7 * at + 1,
                5.0 * entries * at / findings,
                "",
            )
            for at, name in enumerate(signatures(findings))
        ]
        db.executemany("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?)", found)
        db.executemany(
            "INSERT INTO seen VALUES (?, ?, ?)",
            [(number, one[1], 1000 // one[3] + 1) for one in found],
        )
        db.execute("UPDATE ending SET ended = ?, status = 77", (_STARTED.format(number),))
