"""Inputs of a comparison: which files, which names; mutations depend on corpus and seed alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from vblkfuzz.compare.inputs import Input, corpus_of, mutations
from vblkfuzz.errors import InputFileError
from vblkfuzz.mutation.starting_inputs import STARTING_INPUTS
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text

SCENARIO = Scenario(ops=(op("init"), op("publish_kick")))
OTHER = Scenario(ops=(op("init"),))


def never(error: InputFileError) -> None:
    raise error


def test_without_a_corpus_the_seeds() -> None:
    found = corpus_of([], never)
    assert len(found) == len(STARTING_INPUTS)
    assert found[0].name == "every-request"


def test_names_and_files_of_all_forms(tmp_path: Path) -> None:
    for name in ("story/scenario.toml", "short.toml", "raw"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "story" / "scenario.toml").write_text(to_text(SCENARIO))
    (tmp_path / "short.toml").write_text(to_text(OTHER))
    (tmp_path / "raw").write_bytes(encode(Scenario()))
    assert {one.name for one in corpus_of([tmp_path], never)} == {"story", "short", "raw"}
    (one,) = corpus_of([tmp_path / "story" / "scenario.toml"], never)
    assert one == Input("story", SCENARIO)
    (one,) = corpus_of([tmp_path / "short.toml"], never)
    assert one.name == "short"


def test_the_same_input_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(to_text(SCENARIO))
    (tmp_path / "b").write_bytes(encode(SCENARIO))
    assert len(corpus_of([tmp_path, tmp_path], never)) == 1


def test_what_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("?")
    (tmp_path / "good.toml").write_text(to_text(SCENARIO))
    told: list[InputFileError] = []
    found = corpus_of([tmp_path, tmp_path / "missing"], told.append)
    assert [one.name for one in found] == ["good"]
    assert [Path(one.path).name for one in told] == ["bad.toml", "missing"]


@pytest.mark.parametrize("corpus", [[], [Input("a", SCENARIO)]])
def test_mutations_depend_on_corpus_and_seed_alone(corpus: list[Input]) -> None:
    first, again, other = (list(islice(mutations(corpus, seed), 100)) for seed in (1, 1, 2))
    assert first == again != other
    assert first[0].name == "mutation-000001"
    assert len({encode(one.scenario) for one in first}) > 80
