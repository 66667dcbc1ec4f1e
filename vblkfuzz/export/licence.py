"""The licence of what exports write, whatever the licence of vblkfuzz: docs/findings.md grants it.

It demands nothing, not even a notice, so a project may put the file under its own licence.
"""

from __future__ import annotations

from typing import Final

LICENCE: Final = "MIT-0"
SPDX: Final = f"SPDX-License-Identifier: {LICENCE}"
"""The line by which tools find it; each file has one."""
