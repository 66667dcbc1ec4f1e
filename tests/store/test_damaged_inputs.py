from __future__ import annotations

from pathlib import Path

from vblkfuzz.store.damaged_inputs import quarantine_damaged
from vblkfuzz.store.input_name import input_name


def test_what_is_cut_off_leaves_and_the_rest_stays(tmp_path: Path) -> None:
    corpus, quarantine = tmp_path / "corpus", tmp_path / "quarantine"
    corpus.mkdir()
    (corpus / input_name(b"")).write_bytes(b"")  # a true empty input
    (corpus / input_name(b"whole")).write_bytes(b"whole")
    (corpus / "by hand").write_bytes(b"")
    damaged = {input_name(b"empty"): b"", input_name(b"cut off"): b"cut"}
    for name, data in damaged.items():
        (corpus / name).write_bytes(data)
    said: list[str] = []
    quarantine_damaged(corpus, quarantine, said.append)
    assert {path.name for path in corpus.iterdir()} == {
        input_name(b""),
        input_name(b"whole"),
        "by hand",
    }
    assert {name: (quarantine / name).read_bytes() for name in damaged} == damaged
    assert len(said) == 1
    assert "2 damaged inputs" in said[0]


def test_a_whole_corpus_makes_no_folder_and_is_not_mentioned(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "corpus").mkdir()
    quarantine_damaged(tmp_path / "corpus", tmp_path / "quarantine", said.append)
    assert said == []
    assert not (tmp_path / "quarantine").exists()
