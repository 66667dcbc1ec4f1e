"""What inputs come to on an installed build: a line of JSON for each device and mode.

A script that `tests.conformance.builds` runs with the Python of a build. It imports nothing of the
tests, so the build that it measures is that of this Python, not the checkout.
"""

from __future__ import annotations

import json
import sys
from hashlib import blake2b
from pathlib import Path

from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.codec import decode
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target


def outcome(target: Target, data: bytes) -> str:
    """Return digest of the trace and verdict with all its texts, or the error."""
    try:
        execution = run_scenario(target, decode(data))
    except HarnessError as error:
        return f"{type(error).__name__}: {error}"
    trace = execution.trace
    return f"{trace.digest} {trace.steps} {verdict_digest(execution.verdict)}"


def verdict_digest(verdict: Verdict) -> str:
    """Return a digest of violations, their signatures and sentences, and the situations."""
    texts = [
        f"{one.signature}|{one.sentence}|{tuple(one.first)}|{tuple(one.second)}"
        for one in verdict.violations
    ]
    texts += [one.signature for one in verdict.causes]
    texts += sorted(verdict.situations)
    return blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()


def main() -> None:
    """Read what to run from a file: inputs, and how many of them for each device and mode."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    inputs = [bytes.fromhex(one) for one in asked["inputs"]]
    for device, mode, count in asked["runs"]:
        with model(device, mode) as target:
            outcomes = [outcome(target, data) for data in inputs[:count]]
        print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main()
