"""What silence is worth: lines on planted defects, what is unseen, and runs of PCT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.store.canary import words
from vblkfuzz.store.tried import words as bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.store.canary import Canary
    from vblkfuzz.store.tried import Bounds
    from vblkfuzz.store.unseen import Unseen


def say_silence(screen: Screen, canaries: Sequence[Canary], unseen: Unseen, tried: Bounds) -> None:
    """Print what a clean result is worth, below an empty line; nothing if nothing is known."""
    said = {"canary": words(canaries), "unseen": unseen.words, "PCT": bounds(tried)}
    if not any(said.values()):
        return
    screen.say()
    screen.say("What silence is worth:", "bold")
    for name, sentence in said.items():
        if sentence:
            screen.wrapped(sentence, label=f"  {name:<8} ")
