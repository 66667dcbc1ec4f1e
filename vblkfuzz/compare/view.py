"""The guest's view: what it saw of a device in one execution, in values that can be compared.

Only what a guest can see: features, registers, used entries, data, calls, its memory, and whether
the device lives at the end. Broken rules are beside that, since no device is free to break one.
What a device is free to do is not in a view:

* when a request is served, and in which order: only how it ended (`compare.fate`);
* how many calls there are: only whether there was one at all (`compare.calls`);
* what happens between a breach of the protocol by the driver and the next reset.

Nor is what follows the first broken rule: a stray write, for example, may hit one thing or another.
Then only the ending and the findings are compared.

A view has no value for what cannot be compared. Two views differ where both have a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vblkfuzz.compare.calls import Calls
from vblkfuzz.compare.ending import HANGS, LIVES, ending_of
from vblkfuzz.compare.fate import Fates
from vblkfuzz.compare.key import Key
from vblkfuzz.compare.memory import Memory
from vblkfuzz.compare.registers import Registers
from vblkfuzz.oracle.judge import rule_named
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.executor import Execution
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.trace.event import Event

FINDING: Final = "finding"
ENDING: Final = "ending"
_POLL_ON: Final = CODES["poll_on"]
_BY_CLOCK: Final = ("s24-", "hang-")
"""Beginnings of signatures that are up to the clock while a device polls."""
_ENDINGS: Final = ("CRASH", "HANG")
"""Rules whose signatures have what a binary prints, or its addresses: `ending_of` says the same."""


@dataclass(frozen=True, slots=True)
class View:
    """What one execution showed."""

    sights: dict[Key, str]
    """Value by key; those of one kind in the order of the trace."""
    witnesses: Witness
    """Of the trace: rules that need others were not applied."""
    lost: bool = False
    """Whether the device did not live to the end, so that later bugs could not show."""

    def value(self, key: Key) -> str | None:
        """Return the value of a key; None if this execution cannot say."""
        value = self.sights.get(key)
        if value is None and key.kind == FINDING and not self.lost and self._judged(key.what):
            return "no"
        return value

    def _judged(self, signature: str) -> bool:
        rule = rule_named(signature.partition("-")[0].upper())
        return rule is not None and rule.witnesses & self.witnesses == rule.witnesses


def view_of(execution: Execution) -> View:
    """Return the guest's view of an execution."""
    trace, polls = execution.trace, _polls(execution.scenario)
    ending = ending_of(trace)
    lives = ending == LIVES
    registers, fates, calls, memory = Registers(), Fates(trace.witnesses), Calls(), Memory()
    right = _right_events(execution)
    for event in right:
        for part in (registers, fates, calls, memory):
            part.note(event)
    sights = registers.sights | fates.sights
    rests = bool(trace.witnesses & Witness.REST)  # else it may serve and call later
    if rests:
        sights |= calls.sights
    if rests and lives and len(right) == len(without_probe(trace.events)):
        sights |= fates.at_rest()
        if not polls:  # when a late write arrives is up to the clock then
            sights |= memory.sights()
    if not (polls and ending == HANGS):
        sights[Key(ENDING, 0, "at the end")] = ending
    sights |= {Key(FINDING, 0, signature): "yes" for signature in _findings(execution, polls=polls)}
    return View(sights, trace.witnesses, lost=not lives)


def _right_events(execution: Execution) -> Sequence[Event]:
    """Return the events before the first one that breaks a rule, by its turn."""
    events = without_probe(execution.trace.events)
    turns = [one.second.turn for one in execution.verdict.violations]
    return [event for event in events if event.turn < min(turns)] if turns else events


def _polls(scenario: Scenario) -> bool:
    return scenario.device.polling or any(one.code == _POLL_ON for one in scenario.ops)


def _findings(execution: Execution, *, polls: bool) -> list[str]:
    return [
        one.signature
        for one in execution.verdict.causes
        if one.rule not in _ENDINGS and not (polls and one.signature.startswith(_BY_CLOCK))
    ]
