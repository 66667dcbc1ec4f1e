"""A rule: something a virtio-blk device must do or must never do.

A rule is a value around a pure function. The function sees the scenario and those events of the
trace that the rule asked for (`needs`), in trace order, and tells a `Report` what clashes and
which situations it met. A situation says that the rule was put to the test: a rule that stays
silent in a campaign which never met its situations has proved nothing.

Some kinds are rare and a rule has nothing to say without them: these are `decisive`. Such a rule
is not asked, and its events are not gathered, unless one of them occurs.

A rule also says which witnesses it needs to be sound (`trace.witness`): without them it is not
asked. The default is the model's own word, which no real device gives.

To add a rule, write it in a file of `oracle.rules`: `oracle.judge` finds it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from vblkfuzz.oracle.naming.naming import Naming, PathPart
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.witness import Witness


@dataclass(frozen=True, slots=True)
class Situation:
    """Something that must happen sometimes, or the rule has not been tested."""

    name: str
    """Slug, unique among all rules."""
    summary: str
    """One sentence for `vblkfuzz list rules` and the end of a campaign."""


class Report:
    """Collects what the rules say about one trace. Owned by `judge`."""

    __slots__ = ("_seen", "events", "fault", "rule", "situations", "violations")

    def __init__(self, events: Sequence[Event] = (), fault: Fault | None = None) -> None:
        """Start with nothing said about a trace of these events that ends in `fault`."""
        self.fault = fault
        """As in `Trace`: for CRASH and HANG."""
        self.events = events
        """The whole trace. For what is asked only when something seems wrong: a rule that walked
        these events each time would be slow."""
        self.rule: Rule
        """The rule that is asked."""
        self.violations: list[Violation] = []
        self.situations: set[str] = set()
        self._seen: set[tuple[str, int, str]] = set()

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
            first: what made `second` wrong.
            second: the event that clashes.
            sentence: the clash in one plain English sentence.
            state: variant of the clash, a slug without numbers; becomes part of the signature.
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
"""Returns the state of a violation, made precise by the whole trace (`naming.circumstance`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with all that is known about it."""

    id: str
    """As in reports: `S1`."""
    title: str
    """The rule in one sentence."""
    source: str
    """Where it is written: virtio 1.2 section, QEMU function."""
    instead: str
    """What a correct device does where this one went wrong, in one sentence."""
    needs: tuple[int, ...]
    """Kinds of the events that `check` is given."""
    situations: tuple[Situation, ...]
    check: Check
    witnesses: Witness = Witness.DEVICE
    """Where it is sound: on traces that have all of these."""
    decisive: tuple[int, ...] = ()
    """Those of `needs` without any of which `check` has nothing to say. Empty: all of them."""
    naming: Naming = field(default=Naming())
    circumstance: Circumstance | None = None
    """None: the state is what `check` says."""


def rule(  # noqa: PLR0913  # a field of the rule each
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
) -> Callable[[Check], Rule]:
    """Make a `Rule` of the function below the decorator.

    What `path` and those after it mean: `oracle.naming.naming.Naming`.
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
        )

    return of
