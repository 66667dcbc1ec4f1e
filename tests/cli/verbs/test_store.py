"""`cmin` and `triage` of a store: they read it, and change nothing in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.verbs.corpora import run
from vblkfuzz.cli.views.store_copy import as_folders, copied
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.feature_record import Entry
from vblkfuzz.store.lineage import Lineage
from vblkfuzz.store.pack import Pack
from vblkfuzz.store.saved_findings import finding_names
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore

pytestmark = pytest.mark.e2e
BUG = Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))
PLAIN = Scenario(ops=(op("init"), op("publish_kick"), op("collect")))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "S"
    store = SharedStore(FolderFiles(folder))
    store.join("model", "patch-v4")
    inputs = tuple(Entry.of(encode(one), ()) for one in (BUG, PLAIN))
    store.add_pack("one", Pack("one", "1", "", inputs))
    store.add_finding("s8-start-twice", dump_artifact(Artifact(BUG)))
    return folder


def test_cmin_takes_the_inputs_of_all_packs(store: Path, tmp_path: Path) -> None:
    before = contents(store)
    done = run("cmin", store, "-o", tmp_path / "small", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["inputs"] == 2
    assert contents(store) == before


def test_triage_copies_the_findings(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(store)
    monkeypatch.chdir(tmp_path)
    done = run("triage", "S")
    assert done.returncode == 0
    assert "s8-start-twice\n    reproduced in 3 of 3 runs\n" in done.stdout
    assert list(Path("vblkfuzz-store").rglob("finding.vblk"))
    assert contents(store) == before


def test_a_copy_has_no_finding_of_an_earlier_store(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is that removed: it may have been worked on."""
    monkeypatch.chdir(tmp_path)
    before = Path(copied("S"))
    assert Path(copied("S")) == before
    shutil.rmtree(store / "findings")
    SharedStore(FolderFiles(store)).add_finding("s2", dump_artifact(Artifact(BUG)))
    assert finding_names(Path(copied("S"))) == ["s2"]
    assert finding_names(before) == ["s8-start-twice"]


def test_a_store_without_inputs_is_named(tmp_path: Path) -> None:
    SharedStore(FolderFiles(tmp_path / "S")).join("model", "patch-v4")
    expected = "S: expected inputs, found none in this store"
    with pytest.raises(InputFileError, match=expected), as_folders([str(tmp_path / "S")]):
        pass


def test_status_says_what_made_the_inputs_and_of_what_a_finding_descends(store: Path) -> None:
    of = Entry.of(encode(PLAIN), (), (), Lineage(("new",)))
    bug = Entry.of(encode(BUG), (), (), Lineage(("insert", "surw"), (of.name,)))
    files = SharedStore(FolderFiles(store))
    files.add_pack("two", Pack("two", "2", "", (of, bug)))
    done = run("status", store)
    assert "  made by   insert 1, new 1, surw 1\n" in done.stdout
    assert f"input {bug.name[:10]}, by insert and surw of {of.name[:10]}; in 2 steps" in " ".join(
        done.stdout.split()
    )
