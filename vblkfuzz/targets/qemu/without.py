"""The operations that target `qemu` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset({"power_loss", "answer"})
"""QEMU's disk keeps what it was told to write, and its device sends no messages."""
