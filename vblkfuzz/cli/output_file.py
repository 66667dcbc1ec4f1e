"""Writing the one file that a verb was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.campaign.atomic import write_file
from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write_output(output: Path, data: bytes, *, force: bool) -> None:
    """Write a file, whole or not at all; one with other content is kept unless `force`.

    Raises:
        UsageError: it is kept, or cannot be written.
    """
    try:
        if output.exists() and not force:
            if output.read_bytes() == data:
                return
            raise UsageError(f"{output}: exists with other content; --force replaces it")
        write_file(output, data)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}") from None
