"""``--page``: which findings of many are run and shown."""

from __future__ import annotations

from typing import Annotated

import typer

from vblkfuzz.limits import FINDINGS_PER_PAGE

PageNumber = Annotated[
    int | None,
    typer.Option(
        "--page",
        min=1,
        metavar="N",
        help=f"Which {FINDINGS_PER_PAGE} of many findings to run and show.  [default: 1]",
        show_default=False,
    ),
]
