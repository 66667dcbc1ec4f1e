"""The record of features in a worker: inputs that it need not run, and those that it has run.

libFuzzer knows the features of an input only from running it. If the record has them, they are
marked instead, and libFuzzer takes the input into its corpus as if it had run. A worker that starts
in a folder with thousands of inputs, or again, is at work at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.campaign.descent import Descent
from vblkfuzz.campaign.kept_inputs import KeptInputs
from vblkfuzz.campaign.record_key import key_of
from vblkfuzz.feedback.feature_numbers import PER_PLACE, mark, numbers_in
from vblkfuzz.launch.plan import Message
from vblkfuzz.mutation.made import NOT_KNOWN, Made
from vblkfuzz.oracle.naming.known import matches
from vblkfuzz.store.feature_record import Entry, RecordReader, Segment
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.input_name import input_name
from vblkfuzz.store.lineage import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from vblkfuzz.feedback.instrument import Instrumenter
    from vblkfuzz.launch.plan import WorkerPlan
    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.targets.target import Target

_LOOK_EACH: Final = 32
"""Of so many inputs in a row without an entry, the record is looked at again for one: it takes as
long as to run a short input. Who starts in a large corpus reads nothing else for a while."""
_MANY: Final = 1000
"""Inputs to run at the start above which it is said: nothing new is tried for a while."""


class RecordedInputs:
    """Looks inputs up that a worker reads, and records those that it has run and kept.

    Args:
        out: the output folder.
        fingerprint: that of this worker (`feedback.fingerprint`).
        counters: the coverage region.
        situations: names of all situations, which are on record as further features.
        is_saved: whether the bug of a signature is known without running an input that shows it.
        say: called with a sentence, when the disk is full.
    """

    def __init__(
        self,
        out: Path,
        fingerprint: str,
        counters: memoryview,
        situations: Collection[str],
        is_saved: Callable[[str], bool],
        say: Callable[[str], None],
    ) -> None:
        self._corpus = out / "corpus"
        self.fingerprint: Final = fingerprint
        """Of what the numbers of its features speak."""
        self._counters = counters
        self._is_saved = is_saved
        self._say = say
        self._names = sorted(situations)
        first = PER_PLACE * len(counters)
        self._numbers = {name: first + at for at, name in enumerate(self._names)}
        self._kept = KeptInputs(self._corpus, say)
        self._reader = RecordReader(out)
        self._segment = Segment(out, fingerprint)
        self._unread: dict[str, Entry] = {}
        """Entries by name, of inputs that libFuzzer has not read yet."""
        self._recorded: set[str] = set()
        """Names of inputs that have an entry."""
        self._last: tuple[bytes, bytes, Verdict, Made] | None = None
        self._is_mutant = False
        self._misses = 0
        """Inputs in a row that were read and are not on record."""
        self._descent = Descent()
        self._made = NOT_KNOWN
        """How the input that runs was made."""
        self._complained = False
        names = set(os.listdir(self._corpus)) if self._corpus.is_dir() else set()
        self._take(names)
        self.unrecorded = len(names) - len(self._unread)
        """Inputs of the corpus that are run at the start."""

    def _take(self, names: Collection[str] | None) -> None:
        """Read what the record has got since the last time, for files of these names; None: all."""
        try:
            for fingerprint, entry in self._reader.added():
                name = entry.name
                if fingerprint == self.fingerprint and (names is None or name in names):
                    self._recorded.add(name)
                    self._unread[name] = entry
        except OSError as error:
            self._complain("the record of features cannot be read", error)

    def mutated(self, data: bytes, made: Made = NOT_KNOWN) -> bytes:
        """Note that the next input is a new one, and how it was made; return it."""
        self._is_mutant = True
        self.settle()  # whether the last one was kept
        self._made = self._descent.note(data, made)
        return data

    def marked(self, data: bytes) -> frozenset[str] | None:
        """Mark the features of an input that libFuzzer has read; return the situations it meets.

        None: it is to be run. So is an input that broke a rule if nothing in the folder shows that.
        """
        is_mutant, self._is_mutant = self._is_mutant, False
        self.settle()
        if is_mutant:
            self._misses = 0
            return None
        self._made = NOT_KNOWN
        entry = self._entry(input_name(data))
        if entry is None or not all(map(self._is_saved, entry.signatures)):
            return None
        features = entry.features
        limit = PER_PLACE * len(self._counters)
        mark(self._counters, (one for one in features if one < limit))
        met = (self._names[one - limit : one - limit + 1] for one in features if one >= limit)
        return frozenset().union(*met)

    def _entry(self, name: str) -> Entry | None:
        entry = self._unread.pop(name, None)
        if entry is None:  # perhaps another worker has recorded it in the meantime
            if self._misses % _LOOK_EACH == 0:
                self._take(None)
                entry = self._unread.pop(name, None)
            self._misses += 1
        return entry

    def ran(self, data: bytes, verdict: Verdict) -> None:
        """Note an execution; its features are those that are marked now."""
        self._last = (data, bytes(self._counters), verdict, self._made)

    def settle(self) -> None:
        """Record the last execution if libFuzzer has kept its input."""
        last, self._last = self._last, None
        if last is None or not self._kept.has(last[0]):
            return
        data, counters, verdict, made = last
        self._descent.kept(data)
        name = input_name(data)
        if name in self._recorded:
            return
        met = sorted(self._numbers[one] for one in verdict.situations if one in self._numbers)
        broken = [violation.signature for violation in verdict.causes]
        lineage = Lineage(made.by, tuple(map(input_name, made.of)))
        entry = Entry.of(data, [*numbers_in(counters), *met], broken, lineage)
        try:
            self._segment.append(entry)
            self._reader.leave_out(self._segment.path)
            self._recorded.add(name)
        except OSError as error:
            self._complain("features are not recorded", error)

    def _complain(self, what: str, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._say(f"{self._segment.folder}: {what}: {error.strerror or error}")

    def close(self) -> None:
        """Write what is left."""
        self.settle()
        self._kept.write_owed()
        self._segment.close()


def recorded_inputs(
    plan: WorkerPlan,
    target: Target,
    probes: Instrumenter,
    counters: memoryview,
    send: Callable[[Message], None],
) -> RecordedInputs | None:
    """Return the record for a worker whose target has started; None: it uses none."""
    from vblkfuzz.oracle.judge import RULES  # imports the device's code, with probes by now

    if not (fingerprint := key_of(plan, target, probes)):
        return None
    situations = {item.name for rule in RULES for item in rule.situations}

    findings = Path(plan.out) / "findings"

    def is_saved(signature: str) -> bool:
        return matches(signature, plan.silenced) or (findings / signature / ARTIFACT).exists()

    def say(sentence: str) -> None:
        send(Message("warning", sentence))

    recorded = RecordedInputs(Path(plan.out), fingerprint, counters, situations, is_saved, say)
    if plan.index == 0 and recorded.unrecorded > _MANY:
        say(f"first run {recorded.unrecorded:,} inputs of the corpus that are not on record")
    return recorded
