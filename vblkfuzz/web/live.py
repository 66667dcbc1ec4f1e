"""The part of the first page that changes, for all who look at it.

However many browsers look, the folder is read once in some seconds, and not at all if nobody does.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_EVERY_S: Final = 2.0
_SIGN_OF_LIFE: Final = 8
"""After so many looks without a change, a browser is told that the server is there."""


class Live:
    """Makes the part.

    Args:
        make: reads the folder and returns the part as HTML.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._turn = asyncio.Lock()
        self._part = ""
        self._made = 0.0

    async def now(self) -> str:
        """Return the part, some seconds old at most."""
        async with self._turn:
            if not self._part or time.monotonic() - self._made > _EVERY_S / 2:
                self._part = await anyio.to_thread.run_sync(self._make, abandon_on_cancel=True)
                self._made = time.monotonic()
            return self._part

    async def events(self) -> AsyncIterator[str]:
        """Yield the part whenever it has changed, as a server-sent event."""
        shown, same = "", 0
        while True:
            part = await self.now()
            if part != shown:
                lines = "".join(f"data: {line}\n" for line in part.splitlines())
                yield f"{lines}\n"
                shown, same = part, 0
            elif (same := same + 1) % _SIGN_OF_LIFE == 0:
                yield ":\n\n"
            await asyncio.sleep(_EVERY_S)
