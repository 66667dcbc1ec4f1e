"""Sentences: short sequences of operations that make sense together.

A word is the name of an operation; `publish_kick:out` also sets the request type, and
`init:no_driver_ok` how far an init goes. In most cases all words of a sentence get the same queue
and the same sectors, so that a read finds what a write of the sentence left. Next:
`mutation.mutate`, which inserts sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vblkfuzz.mutation.argument import QUEUED, new_record, on_queue_of
from vblkfuzz.scenario.alphabet.ops import CODES, OPS, PUBLISHES
from vblkfuzz.scenario.alphabet.param import Choice

_PUBLISH_KICK: Final = CODES["publish_kick"]
_ONE_THING: Final = 3 / 4
"""Probability that all operations of a sentence use one queue and the same sectors."""
_SECTORS: Final = 4
"""Offset of sector and sector count, up to the end, in the record of a publish."""


class Word(NamedTuple):
    """An operation of a sentence."""

    code: int
    at: int = 0
    """Offset in the record of the choice that the word makes; 0: it makes none."""
    choice: int = 0


Sentence = tuple[Word, ...]


def records(sentence: Sentence, random: Callable[[], float]) -> list[bytes]:
    """Return a record for each word of a sentence, with random arguments."""
    model = new_record(_PUBLISH_KICK, random) if random() < _ONE_THING else None
    return [_record(word, model, random) for word in sentence]


def _record(word: Word, model: bytes | None, random: Callable[[], float]) -> bytes:
    """Return a record for a word, with queue and sectors of the publish in `model`, if given."""
    record = new_record(word.code, random)
    if model is not None and word.code in QUEUED:
        record = on_queue_of(model, record)
        if word.code in PUBLISHES:
            record = record[:_SECTORS] + model[_SECTORS:]
    if word.at:
        record = record[: word.at] + bytes([word.choice]) + record[word.at + 1 :]
    return record


def _sentence(text: str) -> Sentence:
    return tuple(_word(*word.split(":")) for word in text.split())


def _word(name: str, choice: str = "") -> Word:
    code = CODES[name]
    if not choice:
        return Word(code)
    param = next(
        one for one in OPS[code].params if isinstance(one, Choice) and choice in one.values
    )
    return Word(code, 1 + param.field, param.values.index(choice))


SNIPPETS: Final = tuple(
    _sentence(text)
    for text in (
        "publish_kick collect",
        "publish_kick publish_kick",
        "publish publish kick",
        "publish inband_kick",
        "publish_kick collect publish_kick",
        "publish_kick publish_kick collect",
        "publish_kick collect set_used_event publish_kick",
        "publish_kick:out publish_kick:in collect",
        "publish_kick:out publish_kick publish_kick:in collect",
        "hold publish_kick publish_kick complete publish_kick release",
        "publish_kick:out publish_kick:flush power_loss init publish_kick:in collect",
        "publish_kick publish_kick power_loss init publish_kick collect",
        "writeback:writethrough publish_kick:out power_loss init publish_kick:in collect",
        "reset init:write_cache publish_kick:out power_loss init publish_kick:in collect",
        "resize read_config",
        "read_config resize read_config",
        "reset init",
        "reset init publish_kick",
        "reset init:no_driver_ok publish kick driver_ok",
        "reset init:no_driver_ok publish_kick driver_ok collect",
        "publish_kick publish_again",
        "publish_kick publish_again collect reset init",
        "system_reset init",
        "queue_reset publish_kick",
        "stop cont publish_kick",
        "publish_kick drain_begin drain_end",
        "hold publish_kick complete",
        "snapshot publish_kick",
    )
)

AROUND: Final = tuple(
    (_sentence(before), _sentence(after))
    for before, _, after in (text.partition("|") for spec in OPS for text in spec.around)
)
"""Pairs of sentences to insert before and after existing operations."""
