"""The figures of campaigns over time as a picture, drawn by matplotlib (extra ``plot``).

The same ledger gives the same SVG, byte for byte, with the same version of matplotlib.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final
from warnings import catch_warnings, simplefilter

from vblkfuzz.errors import UsageError
from vblkfuzz.triage.printable import printable
from vblkfuzz.web.chart import rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.store.course import Course

FORMATS: Final = (".svg", ".png")
_STYLE: Final = {"svg.hashsalt": "vblkfuzz", "svg.fonttype": "none", "font.size": 9}
_SIZE: Final = (8.0, 7.0)
"""Inches."""
_HOUR_S: Final = 3600


def plot(courses: Sequence[Course], title: str, form: str) -> bytes:
    """Return a picture of campaigns, one after the other.

    Args:
        courses: of the campaigns.
        title: above it.
        form: one of `FORMATS`.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install 'vblkfuzz[plot]'") from None
    with rc_context(_STYLE), catch_warnings():
        simplefilter("ignore")  # a letter that no font here has is drawn as a box
        figure = Figure(_SIZE, layout="constrained")
        figure.suptitle(printable(title), parse_math=False)
        axes: list[Any] = list(figure.subplots(3, 1, sharex=True).flat)
        names = ("executions/s", "features", "findings")
        for axis, name in zip(axes, names, strict=True):
            axis.set_ylabel(name)
            axis.grid(alpha=0.3)
        _draw(axes, courses)
        for axis in axes:
            axis.set_ylim(bottom=0)
        axes[-1].set_xlabel("hours")
        written = io.BytesIO()
        dated = {"Date": None} if form == ".svg" else {}
        figure.savefig(written, format=form.lstrip("."), metadata=dated)
    return written.getvalue()


def _draw(axes: Sequence[Any], courses: Sequence[Course]) -> None:
    before = 0.0
    for course in courses:
        speed = rates([(one.seconds, one.execs) for one in course.points])
        series: tuple[list[tuple[float, float]], ...] = (
            speed,
            [(one.seconds, one.features) for one in course.points],
            [(one.seconds, one.findings) for one in course.points],
        )
        for axis, line in zip(axes, series, strict=True):
            hours = [(before + seconds) / _HOUR_S for seconds, _ in line]
            axis.plot(hours, [value for _, value in line], color="tab:blue")
        before += course.points[-1].seconds if course.points else 0.0
