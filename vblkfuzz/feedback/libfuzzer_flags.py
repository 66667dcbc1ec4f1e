"""Flags of libFuzzer that suit the inputs of vblkfuzz."""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.codec import MAX_BYTES

FLAGS: Final = (
    f"-max_len={MAX_BYTES}",
    "-len_control=0",  # inputs cut short are seldom useful
    # Mutations in a row before libFuzzer takes another input (default 5). After three, little
    # of an input is left.
    "-mutate_depth=2",
)
"""They come before those of users."""
