"""What a worker is told and what it tells: the contract between orchestrator and worker."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.targets.registry import MODEL


class Stat(IntEnum):
    """Counters in the arena's statistics area, one u64 each; written by the worker only."""

    EXECS = 0
    VIOLATIONS = 1
    """Executions with at least one violation."""
    HARNESS_ERRORS = 2
    FEATURES = 3
    STEPS = 4
    HANDOVERS = 5


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """Everything a worker needs to know; travels as JSON on its command line."""

    index: int
    device: str
    mode: str
    seed: int
    out: str
    runs: int = 0
    """Executions to do; 0: no limit."""
    seconds: float = 0
    """Seconds to work; 0: no limit."""
    stop_on_first: bool = False
    feedback: bool = True
    """False: libFuzzer sees no coverage (to test that feedback matters)."""
    states: bool = True
    """False: of the feedback, only the blocks of guest and device (to test the probes alone)."""
    corpora: list[str] = field(default_factory=list)
    """Folders of raw inputs to start from; the first one also takes new ones."""
    libfuzzer: list[str] = field(default_factory=list)
    """Further arguments for libFuzzer."""
    listed: dict[str, str] = field(default_factory=dict)
    """What the device lists as known: labels findings, see `oracle.naming.known`."""
    silenced: list[str] = field(default_factory=list)
    """Patterns of signatures that are counted, but neither reported nor saved."""
    target: str = MODEL
    target_options: TargetOptions = NO_OPTIONS

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> WorkerPlan:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        options = TargetOptions(**values.pop("target_options"))
        return WorkerPlan(**values, target_options=options)


@dataclass(frozen=True, slots=True)
class Message:
    """One line that a worker sends to the orchestrator."""

    kind: str
    """One of: finding, seen, situation, harness_error, hang (a harness error too), always_fails (of
    the device), unsteady (the device, on `input`), done; quarantined comes from no worker."""
    name: str = ""
    """Signature, name of the situation, the error's text, or the exit status of a worker."""
    rule: str = ""
    sentence: str = ""
    path: str = ""
    """Where the finding is."""
    fallback: str = ""
    """Why the finding is not in the output folder, if it is not."""
    known: str = ""
    """The bug that explains the finding, if the device lists one."""
    execs: int = 0
    """Executions of this worker so far; seen: those with the signature since it was last told."""
    input: str = ""
    """The fuzz input of a harness error, in hexadecimal digits."""

    def to_line(self) -> bytes:
        """Return it as one JSON line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Message:
        """Read what `to_line` wrote."""
        values: dict[str, Any] = json.loads(line)
        return Message(**values)
