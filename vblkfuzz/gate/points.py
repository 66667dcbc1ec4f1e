"""The points of one operation, counted for each thread, and the deviations that interrupt there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.gate.line import Line
    from vblkfuzz.scenario.scenario import Deviation


class Due(NamedTuple):
    """A deviation that takes effect now."""

    number: int
    """In the schedule."""
    place: Place
    deviation: Deviation


class Points:
    """Of one operation, from its start to that of the next."""

    def __init__(self, deviations: Iterable[tuple[int, Deviation]] = ()) -> None:
        """Begin an operation.

        Args:
            deviations: those of this operation, each with its index in the schedule. One without a
                role counts no thread's points, and is left out.
        """
        self._open = [item for item in deviations if item[1].role is not Role.ANY]
        self._light: Counter[Role] = Counter()
        self._all: Counter[Role] = Counter()
        self._after: dict[Role, str] = {}
        self._polling: set[Role] = set()
        """Roles whose last event that is not a lock was a poll."""
        self._places: Counter[tuple[Role, str, str, str]] = Counter()

    @property
    def passed(self) -> tuple[int, ...]:
        """Points of each role so far, by its number, those at locks left out."""
        return tuple(self._light[role] for role in Role)

    def reach(self, role: Role, line: Line) -> Due | None:
        """Count a stop; return the deviation that interrupts there."""
        number, after = (self._light[role], self._all[role]), self._after.get(role, "")
        light = self._is_light(role, line)
        self._all[role] += 1
        self._light[role] += light
        self._places[key := (role, line.event, line.file, after)] += 1
        if not (line.locks or line.polls):
            self._after[role] = line.event
        if not self._open:
            return None
        place = Place(line.event, line.site, after, self._places[key])
        return self._due(role, number, place, light=light)

    def _due(self, role: Role, number: tuple[int, int], place: Place, *, light: bool) -> Due | None:
        """Take the deviation that interrupts at a point; None: there is none."""
        for item in self._open:
            index, deviation = item
            if deviation.role is role and _is_due(deviation, number, place, light=light):
                self._open.remove(item)
                return Due(index, place, deviation)
        return None

    def _is_light(self, role: Role, line: Line) -> bool:
        """Whether a stop counts where locks do not.

        Of the polls of a thread between two other events only the first does: the number of those
        that follow depends on the clock.
        """
        if line.locks:
            return False
        if not line.polls:
            self._polling.discard(role)
            return True
        first = role not in self._polling
        self._polling.add(role)
        return first


def _is_due(deviation: Deviation, number: tuple[int, int], place: Place, *, light: bool) -> bool:
    if deviation.place is not None:
        return _means(deviation.place, place)
    among_light, among_all = number
    if deviation.locks:
        return deviation.point == among_all
    return light and deviation.point == among_light


def _means(wanted: Place, found: Place) -> bool:
    """Whether both are the same place, perhaps of two versions: their line numbers differ."""
    files = [place.site.partition(":")[0] for place in (wanted, found)]
    return wanted._replace(site=files[0]) == found._replace(site=files[1])
