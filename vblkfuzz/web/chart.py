"""A chart of figures over time: polylines, which the template `live.html.jinja` draws."""

from __future__ import annotations

from math import ceil, log10
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 600
HEIGHT: Final = 140
_ROUND: Final = (1, 2, 5, 10)
_HOUR_S: Final = 3600


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    points: str
    """As an SVG polyline has them."""


class Chart(NamedTuple):
    """A chart."""

    title: str
    lines: list[Line]
    top: str
    """What the upper edge stands for."""
    end: str
    """What the right edge stands for."""
    summary: str
    """For those who do not see it."""


def chart(title: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> Chart | None:
    """Return a chart of values at seconds, by the name of their line; None: there are none."""
    points = [point for line in series.values() for point in line]
    if not points:
        return None
    end, highest = max(seconds for seconds, _ in points), max(value for _, value in points)
    top = round_up(highest)
    lines = [Line(name, _polyline(line, end, top)) for name, line in series.items()]
    last = ", ".join(
        f"{name or 'last'} {line[-1][1]:,.0f}" for name, line in series.items() if line
    )
    said = f"{title}: at most {highest:,.0f}; {last}; over {time_words(end)}"
    return Chart(title, lines, f"{top:,.0f}", time_words(end), said)


def round_up(value: float) -> float:
    """Return the next 1, 2 or 5 with zeros, at least 1.

    >>> [round_up(value) for value in (0, 1, 3, 49.5, 501)]
    [1, 1, 5, 50, 1000]
    """
    if value <= 1:
        return 1
    unit: int = 10 ** int(log10(value))
    return next(step * unit for step in _ROUND if value <= step * unit)


def _polyline(line: Sequence[tuple[float, float]], end: float, top: float) -> str:
    across, up = WIDTH / (end or 1), HEIGHT / top
    return " ".join(f"{at * across:.1f},{HEIGHT - value * up:.1f}" for at, value in line)


def rates(counts: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    """Return how fast a count has grown until each moment, from that before it.

    >>> rates([(0.0, 0), (5.0, 100), (10.0, 150)])
    [(5.0, 20.0), (10.0, 10.0)]
    """
    found, before = [], (0.0, 0)
    for seconds, count in counts:
        if seconds > before[0]:
            found.append((seconds, max(0, count - before[1]) / (seconds - before[0])))
            before = seconds, count
    return found


def time_words(seconds: float) -> str:
    """Return a time in words.

    >>> [time_words(seconds) for seconds in (9.4, 600, 7380, 7 * 86400)]
    ['9 s', '10 min', '2 h 3 min', '168 h']
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = ceil(seconds / 60)
    if seconds < _HOUR_S:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
