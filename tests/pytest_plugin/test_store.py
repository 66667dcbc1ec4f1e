"""The findings of a store as tests; the store is only read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import vblkfuzz
from vblkfuzz.pytest_plugin.stored import copies_of
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.shared_files import FolderFiles
from vblkfuzz.store.shared_store import SharedStore

BUG = Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(pytester: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-pvblkfuzz.pytest_plugin", *arguments)


@pytest.fixture
def store(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one finding, and a repository without tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(vblkfuzz.__file__).parent.parent))
    store = SharedStore(FolderFiles(pytester.path / "S"))
    store.join("model", "patch-v4")
    store.add_finding("s1-reset", dump_artifact(Artifact(BUG)))
    pytester.makeini("[pytest]\n")
    return pytester.path / "S"


def test_a_finding_of_the_store_is_a_test(pytester: pytest.Pytester, store: Path) -> None:
    before = contents(store)
    assert run(pytester, "--vblk-store", store).parseoutcomes() == {"passed": 1}
    ended = run(pytester, "--vblk-store", store, "--vblk-device", "patch-v4")
    assert ended.parseoutcomes() == {"failed": 1}
    ended.stdout.fnmatch_lines(["replay it: vblkfuzz replay *s1-reset/finding.vblk*"])
    assert contents(store) == before


def test_no_store_is_said_in_one_line(pytester: pytest.Pytester, store: Path) -> None:
    ended = run(pytester, "--vblk-store", store / "nowhere")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["*nowhere: expected a store, found none*"])


def test_workers_of_xdist_collect_the_same(pytester: pytest.Pytester, store: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    ended = run(pytester, "-n2", "--vblk-store", store, "-pxdist")
    assert ended.parseoutcomes() == {"passed": 1}


def test_another_run_keeps_its_copies(pytester: pytest.Pytester, store: Path) -> None:
    """Two runs of pytest in one folder, of which one begins while the other one tests."""
    cache = pytester.parseconfigure().cache
    (first,) = copies_of(str(store), cache)
    shutil.rmtree(store / "findings")
    shared = SharedStore(FolderFiles(store))
    shared.add_finding("s2", dump_artifact(Artifact(BUG)))
    assert [one.parent.name for one in copies_of(str(store), cache)] == ["s2"]
    assert first.exists()
    other = dump_artifact(Artifact(Scenario(ops=(op("init"),))))
    shutil.rmtree(store / "findings")
    shared.add_finding("s2", other)
    assert [one.read_bytes() for one in copies_of(str(store), cache)] == [other]
