"""The page of a finding: the HTML report (`export.html_report`) about it alone.

The report runs the finding again, on its target. That may be code of the user, or a QEMU, so it is
done in a process of its own, with a limit of time, and one at a time. Not with a low priority:
beside workers on all cores, a second of work would take a minute.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_LIMIT_S: Final = 120.0
_GRACE_S: Final = 3.0
"""Seconds in which it removes what it has made, before it is killed."""
_BODY: Final = "<body>\n"
_BACK: Final = '<p><a href="/findings">All findings</a> <a href="/">Overview</a></p>\n'


class FindingPages:
    """Makes pages of findings, one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def page(self, finding: Path) -> tuple[str, str]:
        """Return the page of a finding, and why there is none: one of both is empty."""
        async with self._turn:
            return await _page(finding)


async def _page(finding: Path) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "vblkfuzz", "export", str(finding), "--to", "html"),
        *("--output", "-"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # ctrl-C is for the server, which ends it
    )
    try:
        written, said = await asyncio.wait_for(process.communicate(), _LIMIT_S)
    except TimeoutError:
        return "", f"it did not end within {_LIMIT_S:g} s"
    finally:
        await _end(process)
    if written:  # also if it could not be judged: then it says why
        return written.decode(errors="replace").replace(_BODY, _BODY + _BACK, 1), ""
    lines = said.decode(errors="replace").strip().splitlines()
    return "", lines[-1] if lines else f"it ended with status {process.returncode}"


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it, if it runs: by SIGTERM, so that it leaves nothing, then by force."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _GRACE_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
