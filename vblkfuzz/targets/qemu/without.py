"""The operations that target `qemu` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset({"complete", "hold", "release", "flush", "power_loss", "replug"})
"""QEMU's own disk holds no request."""
