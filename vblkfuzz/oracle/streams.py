"""Sorting: the events of a trace, in a list for each rule, by the kinds that the rule needs.

This is a large part of what it costs to judge a trace without violations. So the lists are kept
from trace to trace, with a table that has each list that takes a kind.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import compress
from operator import itemgetter
from typing import Final

from vblkfuzz.oracle.answered import LIFE
from vblkfuzz.oracle.rule import Rule
from vblkfuzz.trace.event import Event

_KINDS: Final = range(256)
"""Possible event kinds: `Event.kind` is a u8."""

_KIND: Final = 1
"""Place of the kind in an event: looked up by place it costs a third of what it does by name."""
_kind: Final = itemgetter(_KIND)

Stream = list[Event]


class Streams:
    """The events of one trace at a time, sorted for some rules."""

    __slots__ = ("_takers", "_waiting", "life", "of_probe", "of_rules")

    def __init__(self, rules: Sequence[Rule], of_probe: Sequence[Rule] = ()) -> None:
        self.of_probe = of_probe
        """Rules of the probe, which get nothing of the streams."""
        self.of_rules: tuple[tuple[Rule, Stream], ...] = tuple([(rule, []) for rule in rules])
        """The rules in their order, each with the events that it needs; with none if no event of
        its decisive kinds occurs."""
        self.life: Stream = []
        """What `answered` needs."""
        wanted = [(rule.decisive or rule.needs, stream) for rule, stream in self.of_rules]
        self._takers = _takers([*wanted, (LIFE, self.life)])
        self._waiting = tuple(
            [
                (stream, bytes([kind in rule.needs for kind in _KINDS]))
                for rule, stream in self.of_rules
                if rule.decisive
            ]
        )
        """Streams of the rules with decisive kinds, each with a 1 for each kind that it needs."""

    def sort(self, events: Sequence[Event]) -> None:
        """Fill the empty streams with the events of a trace."""
        takers = self._takers
        for event in events:
            for stream in takers[event[_KIND]]:
                stream.append(event)
        kinds = b""
        for stream, needed in self._waiting:
            if stream:
                kinds = kinds or bytes(map(_kind, events))
                stream[:] = compress(events, kinds.translate(needed))

    def clear(self) -> None:
        """Empty all streams."""
        self.life.clear()
        for _, stream in self.of_rules:
            stream.clear()


def _takers(wanted: Sequence[tuple[Container[int], Stream]]) -> tuple[tuple[Stream, ...], ...]:
    """Return, for each kind, the streams that want it."""
    return tuple([tuple([stream for kinds, stream in wanted if kind in kinds]) for kind in _KINDS])
