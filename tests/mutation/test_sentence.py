"""Sentences: they make sense, give the records they name, and mostly use one queue and sector."""

from __future__ import annotations

from random import Random

import pytest

from vblkfuzz.mutation.sentence import AROUND, SNIPPETS, Sentence, records
from vblkfuzz.mutation.story_state import FITS, NEXT
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.codec import OP, decode_ops
from vblkfuzz.scenario.op import Op

SENTENCES = (*SNIPPETS, *(before + behind for before, behind in AROUND))
POWER_LOSS = next(
    snippet
    for snippet in SNIPPETS
    if CODES["power_loss"] in {word.code for word in snippet}
    and any(word.choice for word in snippet)
)


def joined(sentence: Sentence, seed: int) -> bytes:
    return b"".join(records(sentence, Random(seed).random))


def ops_of(sentence: Sentence, seed: int) -> tuple[Op, ...]:
    return decode_ops(joined(sentence, seed))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_it_makes_sense_on_a_running_device(sentence: Sentence) -> None:
    state = NEXT[0][CODES["init"]]
    for word in sentence:
        assert FITS[state][word.code], OPS[word.code].name
        state = NEXT[state][word.code]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_records_are_canonical_and_match_the_words(sentence: Sentence) -> None:
    for seed in range(20):
        ops = ops_of(sentence, seed)
        assert b"".join(OP.pack(*op) for op in ops) == joined(sentence, seed)
        assert [op.code for op in ops] == [word.code for word in sentence]
        pairs = zip(ops, sentence, strict=True)
        assert all(op[word.at] == word.choice for op, word in pairs if word.at)


def test_mostly_it_is_about_one_queue_and_the_same_sectors() -> None:
    one = 0
    for seed in range(400):
        write, flush, _, _, read, collect = ops_of(POWER_LOSS, seed)
        one += write.a == flush.a == read.a == collect.a and write[4:] == read[4:]
    assert 0.7 * 400 < one < 0.95 * 400
