"""What the guest notices of a back-end that has gone: nothing, but that the device is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.targets.vhost.fault import BackendGone

if TYPE_CHECKING:
    from collections.abc import Callable


class DeadIfGone:
    """Turns BackendGone into a note that the device is dead: for the guest that is no error."""

    def __init__(self, note_gone: Callable[[], None]) -> None:
        """Call `note_gone` for a back-end that has gone."""
        self._note_gone = note_gone

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Return whether the error is one that the guest does not notice."""
        if kind is None or not issubclass(kind, BackendGone):
            return False
        self._note_gone()
        return True
