"""The contract between orchestrator and worker: plan, messages and counters."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any, Final

from vblkfuzz.scenario.device import Value
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions
from vblkfuzz.targets.registry import MODEL

KINDS: Final = frozenset(
    (
        "finding",
        "seen",
        "situation",
        "canary",
        "tried",
        "harness_error",
        "hang",
        "always_fails",
        "unsteady",
        "warning",
        "done",
    )
)
"""Kinds of messages that a worker sends."""
_OF_LEDGER: Final = ("finding", "seen", "situation", "canary")
"""Those whose texts the ledger takes: it has no characters that are none, such as half a pair."""


class Stat(IntEnum):
    """Counters in the arena's statistics area, one u64 each; only the worker writes them."""

    EXECS = 0
    VIOLATIONS = 1
    """Executions with at least one violation."""
    HARNESS_ERRORS = 2
    FEATURES = 3
    STEPS = 4
    HANDOVERS = 5
    REACHED = 6
    """Functions or edges of the device's own code that were reached."""
    REACHABLE = 7
    """How many there are; 0: not known."""
    CANARIES = 8
    """Tries of the first canary; those of the others follow."""


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """The task of a worker; passed as JSON on its command line."""

    index: int
    device: str
    mode: str
    seed: int
    out: str
    runs: int = 0
    """Limit of executions; 0: none."""
    deadline: float = 0
    """When to end, on the clock of `time.monotonic` (seconds); 0: no limit. It counts from the
    start of the campaign, but each worker runs at least one input."""
    stop_on_first: bool = False
    """End with the first finding that is not in the output folder yet."""
    stop_on_known: bool = False
    """With `stop_on_first`: end with one that is there already, too, as libFuzzer does."""
    feedback: bool = True
    """False: libFuzzer gets no coverage, to measure what feedback is worth."""
    states: bool = True
    """False: libFuzzer gets only the blocks of guest and device, to measure the probes alone."""
    mutate: bool = True
    """False: libFuzzer mutates the bytes of inputs itself, to measure what the mutator is worth."""
    corpora: list[str] = field(default_factory=list)
    """Folders of raw inputs to start from; new inputs are written to the first one."""
    libfuzzer: list[str] = field(default_factory=list)
    """Further arguments for libFuzzer."""
    listed: dict[str, str] = field(default_factory=dict)
    """The bugs that the device lists as known, to label findings; see `oracle.naming.known`."""
    silenced: list[str] = field(default_factory=list)
    """Patterns of signatures that are counted, but neither reported nor saved."""
    without: list[str] = field(default_factory=list)
    """Names of operations that are left out of every input."""
    fields: dict[str, Value] = field(default_factory=dict)
    """Fields of the device that all new inputs have; the others are drawn."""
    schedulers: list[str] = field(default_factory=list)
    """Schedulers with their shares of new inputs, as in ``pct:1``; none: inputs run as they are."""
    record: str = ""
    """A name that no other campaign has, to use the record of features of the output folder with
    (`campaign.recorded_inputs`); empty: it is not used."""
    canaries: list[str] = field(default_factory=list)
    """Names of planted defects to try inputs on (`campaign.canary`)."""
    coverage: str = ""
    """What to note of the device's own code (`targets.coverage`); empty: nothing."""
    target: str = MODEL
    target_options: TargetOptions = NO_OPTIONS

    def to_json(self) -> str:
        """Return the plan as one line of JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> WorkerPlan:
        """Return the plan in the output of `to_json`."""
        values: dict[str, Any] = json.loads(text)
        options = TargetOptions(**values.pop("target_options"))
        return WorkerPlan(**values, target_options=options)


@dataclass(frozen=True, slots=True)
class Message:
    """One line that a worker sends to the orchestrator."""

    kind: str
    """One of: finding, seen, situation, canary (found), tried (by PCT, so far), harness_error, hang
    (also a harness error), always_fails (of the device), unsteady (the device, on `input`), warning
    (of a weak feedback), done. The orchestrator itself adds quarantined, corpus (its import, and
    what became of its inputs), continued (the output folder) and paused."""
    name: str = ""
    """Signature, name of the situation or planted defect, bounds as JSON, text of the error, or
    name of a worker's exit status."""
    rule: str = ""
    sentence: str = ""
    path: str = ""
    """Folder of the finding."""
    fallback: str = ""
    """Why the finding is not in the output folder; empty if it is."""
    known: str = ""
    """The known bug that explains the finding, if the device lists one; else empty."""
    execs: int = 0
    """Executions of this worker so far. In seen: those with the signature since the last report."""
    input: str = ""
    """The fuzz input of a harness error, in hexadecimal; empty: no input has to do with it."""

    def to_line(self) -> bytes:
        """Return the message as one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Message:
        """Return the message in the output of `to_line`.

        Raises:
            ValueError: it is something else. A user's device can write to the worker's pipe.
        """
        try:
            values = json.loads(line)
        except RecursionError as error:
            raise ValueError("expected a message, found brackets in brackets") from error
        if not isinstance(values, dict) or not values.keys() <= _TYPES.keys():
            raise ValueError("expected the fields of a message")
        for name, value in values.items():
            if type(value).__name__ != _TYPES[name]:
                raise ValueError(f"field {name}: expected {_TYPES[name]}")
        message = Message(**{"kind": "", **values})
        message._check()
        return message

    def _check(self) -> None:
        """Raise ValueError for values that no worker sends."""
        bytes.fromhex(self.input)
        if self.kind in _OF_LEDGER:
            "".join((self.name, self.rule, self.sentence, self.known)).encode()
        if self.kind not in KINDS or not 0 <= self.execs < 1 << 63 or "\0" in self.path:
            raise ValueError("expected a message of a worker")


_TYPES: Final = {one.name: one.type for one in fields(Message)}
"""Fields of a message, and the names of their types."""
