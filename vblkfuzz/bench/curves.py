"""Kaplan-Meier curves as SVG: the share of trials that have found the bug, by what they took.

The same results give the same file, byte for byte, with the same version of matplotlib: no date, no
random ids, text as text.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.bench.sample import survival

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.bench.sample import Sample

_STYLE: Final = {"svg.hashsalt": "vblkfuzz", "svg.fonttype": "none", "font.size": 9}
_SIZE: Final = (7.0, 4.0)
"""Inches of a figure."""
_SMALL: Final = (2.6, 1.9)
"""Inches of a curve among others."""
_COLUMNS: Final = 3


def curves_svg(samples: Mapping[str, Sample], unit: str) -> bytes:
    """Return the curves of searches in one figure.

    Args:
        samples: by name of the search; none of them is empty.
        unit: of the values, the label of the axis.
    """
    return _svg(_SIZE, {"": samples}, unit)


def grid_svg(samples: Mapping[str, Mapping[str, Sample]], unit: str) -> bytes:
    """Return a small figure for each bug, in a grid; samples are by bug, then by search."""
    columns = min(_COLUMNS, len(samples))
    rows = -(-len(samples) // columns)
    return _svg((_SMALL[0] * columns, _SMALL[1] * rows + 0.5), samples, unit, columns)


def _svg(
    size: tuple[float, float],
    samples: Mapping[str, Mapping[str, Sample]],
    unit: str,
    columns: int = 1,
) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(size, layout="constrained")
        rows = -(-len(samples) // columns)
        axes = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
        for axis in list(axes)[len(samples) :]:
            axis.set_axis_off()
        for axis, (title, of) in zip(axes, samples.items(), strict=False):
            _draw(axis, title, of)
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=4, frameon=False)
        figure.supxlabel(unit, fontsize="medium")
        figure.supylabel("share of trials that found the bug", fontsize="medium")
        written = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None, "Creator": "vblkfuzz"})
    return b"\n".join(line.rstrip() for line in written.getvalue().splitlines()) + b"\n"


def _draw(axis: Any, title: str, samples: Mapping[str, Sample]) -> None:  # noqa: ANN401
    for number, (name, sample) in enumerate(samples.items()):
        curve = survival(sample)
        shares = [0.0, *(1 - share for share in curve.shares)]
        times = [1.0, *curve.times]
        if curve.end > times[-1]:
            times, shares = [*times, curve.end], [*shares, shares[-1]]
        axis.step(times, shares, where="post", label=name, color=f"C{number}", linewidth=1.3)
    axis.set_xscale("log")
    axis.set_ylim(-0.02, 1.02)
    axis.set_title(title, fontsize="small")
    axis.grid(alpha=0.3)
