"""A new input descends of inputs that are kept, also if libFuzzer mutates it again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.conftest import Fuzz
from vblkfuzz.campaign.descent import Descent
from vblkfuzz.mutation.made import Made
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.feature_record import RecordReader
from vblkfuzz.store.input_name import input_name

STORY = encode(Scenario(ops=(op("init"), op("publish_kick"), op("reset"))))


def test_what_was_not_kept_is_no_parent() -> None:
    descent = Descent()
    assert descent.note(b"1", Made(("insert",), (b"0",))) == Made(("insert",), (b"0",))
    assert descent.note(b"2", Made(("race",), (b"1",))) == Made(("insert", "race"), (b"0",))
    crossed = descent.note(b"3", Made(("cross",), (b"2", b"x")))
    assert crossed == Made(("insert", "race", "cross"), (b"0", b"x"))
    assert descent.note(b"4", Made(("swap",), (b"0",))) == Made(("swap",), (b"0",))


def test_what_was_kept_is_a_parent() -> None:
    descent = Descent()
    descent.note(b"1", Made(("insert",), (b"0",)))
    descent.kept(b"1")
    assert descent.note(b"2", Made(("race",), (b"1",))) == Made(("race",), (b"1",))


def test_a_long_descent_is_cut() -> None:
    descent = Descent()
    for number in range(100):
        made = Made((f"e{number}",), (b"%d" % number, b"x%d" % number))
        made = descent.note(b"%d" % (number + 1), made)
    assert made.by == tuple(f"e{number}" for number in range(84, 100))
    assert len(made.of) == 4


@pytest.mark.parametrize("seed", range(20))
def test_the_mutator_says_how_it_made_an_input(seed: int) -> None:
    mutator = Mutator(seed)
    for _ in range(20):
        mutator.mutate(STORY, 500)
        by, of = mutator.made
        assert by
        assert of == (() if by[0] == "new" else (STORY,))
    mutator.crossover(STORY, STORY[:-1], 500)
    assert mutator.made.of in ((STORY, STORY[:-1]), (STORY,), (STORY[:-1],), ())


@pytest.mark.e2e
def test_inputs_of_a_campaign_have_a_descent(fuzz: Fuzz, tmp_path: Path) -> None:
    schedulers = ("--schedulers", "input:1,random:1")
    fuzz("--mode", "inline", "--workers", "1", "--runs", "150", *schedulers, out=tmp_path / "out")
    entries = {entry.name: entry for _, entry in RecordReader(tmp_path / "out").added()}
    made = [one.lineage for one in entries.values() if one.lineage.made_by]
    words = {word for one in made for word in one.made_by}
    assert {"new", "random"} <= words
    parents = {parent for one in made for parent in one.parents}
    # Of what is kept, most parents are; the shortest inputs of the worker need not be.
    assert len(parents & entries.keys()) > len(parents) / 2
    assert input_name(b"") not in parents
