"""The lines of ``fuzz --json``: an object each."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.cli.standard_streams import messages_lost
from vblkfuzz.cli.views.complaint import say
from vblkfuzz.errors import OutputLost

if TYPE_CHECKING:
    from vblkfuzz.campaign.options import CampaignOptions
    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

SCHEMA: Final = "fuzz.schema.json"
"""File beside this one: the JSON Schema of a line."""
VERSION: Final = 1
"""Version of the lines: a new key keeps it, a key that goes or changes its meaning does not."""
_EVERY_S: Final = 10.0
"""Seconds between lines of progress."""
_NOTES: Final = (
    "harness_error",
    "hang",
    "unsteady",
    "quarantined",
    "corpus",
    "continued",
    "paused",
)
"""Messages that are told in a line of their own."""


class FuzzJson:
    """Prints the events of a campaign; nothing if it cannot start."""

    def __init__(self, options: CampaignOptions) -> None:
        self._options: CampaignOptions | None = options
        """Until they are printed."""
        self._next = time.monotonic() + _EVERY_S
        self._lost: OutputLost | None = None

    def _begin(self) -> None:
        """Print what the campaign does, once."""
        options, self._options = self._options, None
        if options is None:
            return
        self._print(
            "start",
            version=VERSION,
            target=options.target,
            device=options.device,
            mode=options.mode,
            workers=options.workers,
            seed=options.seed,
            out=str(options.out),
        )

    def announce(self, message: Message) -> None:
        """Print a finding, or what happened otherwise."""
        self._begin()
        if message.kind == "finding":
            self._print(
                "finding",
                signature=message.name,
                rule=message.rule,
                sentence=message.sentence,
                path=message.path,
                known=message.known,
            )
        elif message.kind in _NOTES:
            self._print("note", kind=message.kind, text=message.name)

    def progress(self, summary: Summary) -> None:
        """Print the figures every ten seconds."""
        self._begin()
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            self._print("progress", **summary.figures(), findings=len(summary.findings))

    def end(self, summary: Summary, status: int) -> None:
        """Print the summary.

        Raises:
            OutputLost: a line could not be written.
        """
        self._begin()
        if why := messages_lost():
            self._print("note", kind="lost", text=f"messages on standard error: {why}")
        self._print("end", status=status, **summary.to_json())
        if self._lost:
            if self._lost.reader_left:  # else the error says it
                say(f"lines of --json were lost: {self._lost.reason}")
            raise self._lost

    def _print(self, event: str, **fields: Any) -> None:  # noqa: ANN401  # what JSON takes
        """Print a line. Neither a full disk nor a reader that has gone ends a campaign."""
        try:
            print(json.dumps({"event": event, **fields}), flush=True)
        except OutputLost as error:
            self._lost = error
