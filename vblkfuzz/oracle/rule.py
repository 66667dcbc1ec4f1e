"""A rule: something that a virtio-blk device must do or must not do.

A rule is a value with a pure function. The function gets the scenario and the events of the kinds
that the rule needs (`needs`), in trace order. It adds the violations and situations that it finds
to a `Report`. A situation shows that the rule was tested: if a campaign never met the situations of
a rule, its silence proves nothing.

`decisive` kinds are rare ones without which a rule cannot find anything. Such a rule is applied,
and its events are collected, only if one of them occurs.

A rule about the answer that the guest gets needs COLLECT and reads `Report.answered`, which has the
request of each one (`oracle.answered`).

A rule also lists the witnesses that it needs to be sound (`trace.witness`). It is not applied to a
trace without them. The default is the witness of the model, which no real device has.

To add one, see CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from vblkfuzz.oracle.answered import Answered, answered
from vblkfuzz.oracle.naming.naming import Naming, PathPart
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.witness import Witness


@dataclass(frozen=True, slots=True)
class Situation:
    """Something that must happen in some traces; otherwise the rule has not been tested."""

    name: str
    """Slug, unique among all rules."""
    summary: str
    """One sentence, shown by `vblkfuzz list rules` and at the end of a campaign."""
    witnesses: Witness = field(default=Witness(0))
    """Witnesses without which it cannot be observed; a campaign without them does not miss it."""


class Report:
    """Collects the violations and situations of one trace. Owned by `judge`."""

    __slots__ = (
        "_answered",
        "_life",
        "_seen",
        "events",
        "fault",
        "rule",
        "situations",
        "violations",
    )

    def __init__(
        self,
        events: Sequence[Event] = (),
        fault: Fault | None = None,
        life: Sequence[Event] | None = None,
    ) -> None:
        """Make an empty report about a trace of these events that ends in `fault`.

        `life` are those of `events` that `answered` needs; None: they have not been picked out.
        """
        self.fault = fault
        """As in `Trace`: for CRASH and HANG."""
        self.events = events
        """The whole trace. A rule reads it only when something seems wrong: reading it each time
        would be slow."""
        self.rule: Rule
        """The rule that is being applied."""
        self.violations: list[Violation] = []
        self.situations: set[str] = set()
        self._seen: set[tuple[str, int, str]] = set()
        self._life = events if life is None else life
        self._answered: Sequence[Answered] | None = None

    @property
    def answered(self) -> Sequence[Answered]:
        """The requests of the trace that the guest has collected with a status."""
        if self._answered is None:
            self._answered = answered(self._life)
        return self._answered

    def violation(  # what a violation is made of
        self,
        first: Event,
        second: Event,
        sentence: str,
        state: str = "",
        naming: Naming | None = None,
    ) -> None:
        """Report two events that clash; only the first of each signature is kept.

        Args:
            first: the event that makes `second` wrong.
            second: the event that clashes.
            sentence: the clash in one plain English sentence.
            state: variant of the clash, a slug without numbers; part of the signature.
            naming: how it is named, if not as the rule's other ones.
        """
        rule = self.rule
        key = (rule.id, second.path, state)
        if key not in self._seen:
            self._seen.add(key)
            named = naming or rule.naming
            self.violations.append(Violation(rule.id, first, second, sentence, state, named))

    def met(self, situation: Situation) -> None:
        """Note that the trace reached a situation."""
        self.situations.add(situation.name)


Check = Callable[[Scenario, Sequence[Event], Report], None]
Circumstance = Callable[[Violation, Sequence[Event]], str]
"""Returns the state of a violation, refined by means of the whole trace (`naming.circumstance`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its check, its texts, and what it needs."""

    id: str
    """Identifier, as in reports: `S1`."""
    title: str
    """The rule in one sentence."""
    source: str
    """Where the rule comes from: virtio 1.2 section, QEMU function."""
    instead: str
    """What a correct device does instead, in one sentence."""
    needs: tuple[int, ...]
    """Kinds of the events that `check` gets."""
    situations: tuple[Situation, ...]
    check: Check
    witnesses: Witness = Witness.DEVICE
    """Witnesses that a trace must have for the rule to be sound."""
    decisive: tuple[int, ...] = ()
    """Kinds in `needs`; `check` is called only if an event of one of them occurs. Empty: all."""
    naming: Naming = field(default=Naming())
    circumstance: Circumstance | None = None
    """Refines the state that `check` reports; None: the state stays as it is."""
    no_situations: str = ""
    """Why there are no situations; empty: there are some."""

    def __post_init__(self) -> None:
        """Check that the rule has situations, or says why not.

        Raises:
            ValueError: it has neither or both.
        """
        if bool(self.situations) == bool(self.no_situations):
            raise ValueError(
                f"{self.check.__module__}: rule {self.id}: expected situations= that put it to the "
                "test, or no_situations= with the reason"
            )


def rule(  # noqa: PLR0913  # one argument for each field of the rule
    id: str,
    *,
    title: str,
    source: str,
    instead: str,
    needs: tuple[int, ...],
    situations: tuple[Situation, ...] = (),
    witnesses: Witness = Witness.DEVICE,
    decisive: tuple[int, ...] = (),
    path: PathPart = "whole",
    handlers_alike: bool = False,
    polling_tells: bool = False,
    attaching_alike: str = "",
    leads_to: Sequence[str] = (),
    leads_to_in: Mapping[str, Sequence[str]] = MappingProxyType({}),
    circumstance: Circumstance | None = None,
    no_situations: str = "",
) -> Callable[[Check], Rule]:
    """Make a `Rule` of the decorated function.

    `path` and the arguments after it are explained in `oracle.naming.naming.Naming`.
    """
    naming = Naming(
        path,
        handlers_alike,
        polling_tells,
        attaching_alike,
        frozenset(leads_to),
        tuple((state, frozenset(rules)) for state, rules in leads_to_in.items()),
    )

    def of(check: Check) -> Rule:
        return Rule(
            *(id, title, source, instead, needs, situations, check, witnesses, decisive),
            naming,
            circumstance,
            no_situations,
        )

    return of
