"""Findings as one HTML file: a summary, stories, and diagrams to step through.

The file is self-contained: it includes style and script and fetches nothing. Everything can be read
without JavaScript; with it, arrow keys step through a diagram and show the state at each event. The
template is `report.html.jinja` beside this file; all text from an artifact is escaped there.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz._version import __version__
from vblkfuzz.errors import UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.export.lane_layout import ROW, lane_layout
from vblkfuzz.triage import story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.triage.case import Case

_TEMPLATE: Final = "report.html.jinja"


def html_text(cases: Sequence[Case]) -> str:
    """Return a report on cases; for a case that could not be judged, the report says why.

    Raises:
        UsageError: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise UsageError("export --to html needs jinja2: pip install 'vblkfuzz[report]'") from None
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(
        resources.files("vblkfuzz.export").joinpath(_TEMPLATE).read_text("utf-8")
    )
    stories = [_story(case) for case in cases]
    page = template.render(stories=stories, row=ROW, version=__version__)
    # The name of a file need not be UTF-8; other bytes are shown as escapes.
    return page.encode(errors="backslashreplace").decode()


def _story(case: Case) -> dict[str, Any]:
    """Return the variables of the template for one case."""
    steps = case.steps
    clash = next((index for index, step in enumerate(steps) if step.clash == "second"), None)
    return {
        "anchor": case.signature or "clean",
        "case": case,
        "rule": case.expected_rule,
        "violation": case.violation,
        "facts": _facts(case),
        "last_output": story.last_output(case),
        "seen": story.seen(case),
        "size": story.size(case),
        "operations": story.operations(case),
        "deviations": story.deviations(case),
        "layout": lane_layout(steps, case.scenario.ops) if steps else None,
        "steps": [(step, story.state_facts(step.state)) for step in steps],
        "current": clash if clash is not None else len(steps) - 1,
    }


def _facts(case: Case) -> list[tuple[str, str]]:
    rule, violation = case.expected_rule, case.violation
    facts = []
    if rule:
        facts += [
            ("Rule", f"{rule.id}: {rule.title}"),
            ("Source", rule.source),
            ("Correct", rule.instead),
        ]
    if violation and violation.path:
        facts.append(("Path", violation.path))
    if case.known:
        facts.append(("Known", case.known))
    facts += [
        ("Seen", story.seen(case)),
        ("Run on", ", ".join(case.outcome.setup)),
        ("Device", story.device_facts(case)),
        *([("Size", str(case.reduction))] if case.reduction else []),
        *(("Note", note) for note in case.outcome.notes),
    ]
    return facts


EXPORT: Final = Export(
    summary="one HTML page with stories, and diagrams to step through", text=html_text
)
