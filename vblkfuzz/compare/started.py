"""Starts the targets of all sides, and stops them together."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from vblkfuzz.compare.apart import Apart
from vblkfuzz.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.compare.side import Side
    from vblkfuzz.targets.target import Target


@contextmanager
def started(sides: Sequence[Side]) -> Iterator[list[Target]]:
    """Yield the targets, started.

    Raises:
        UsageError: a device of the model does not exist.
        HarnessError: a device does not start; the message names it.
    """
    with ExitStack() as stack:
        targets: list[Target] = []
        for side in sides:
            try:
                targets.append(stack.enter_context(Apart(side.open)))
            except HarnessError as error:
                named = side.name in str(error)
                raise type(error)(str(error) if named else f"{side.name}: {error}") from error
        yield targets
