"""What a store does never holds a campaign up; it is said once, and tried again."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from tests.store.flaky_files import FlakyFiles
from tests.waiting import until
from vblkfuzz.campaign import exchange_thread
from vblkfuzz.campaign.exchange_thread import ExchangeThread, check_store
from vblkfuzz.errors import UsageError
from vblkfuzz.launch.plan import Message
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.shared_store import SharedStore

SETUP = ("model", "patch-v4")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("corpus", "findings", "log"):
        (tmp_path / "out" / name).mkdir(parents=True)
    return tmp_path / "out"


@pytest.fixture
def files(tmp_path: Path) -> FlakyFiles:
    return FlakyFiles(tmp_path / "S")


def test_a_last_exchange_says_that_the_campaign_has_ended(out: Path, files: FlakyFiles) -> None:
    thread = ExchangeThread(files, out, "run", SETUP)
    thread.begin()
    thread.finish()
    (beat,) = SharedStore(files).beats()
    assert (beat.run, beat.ended, thread.messages()) == ("run", True, [])


def test_a_store_of_another_device_is_refused(out: Path, files: FlakyFiles) -> None:
    SharedStore(files).join("model", "reference")
    with pytest.raises(UsageError, match=r"reference.*choose another --store"):
        ExchangeThread(files, out, "run", SETUP).begin()


def test_a_store_that_is_full_is_said_once(
    out: Path, files: FlakyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_thread, "INTERVAL_S", 0.01)
    tries: list[str] = []
    files.writes = errno.ENOSPC
    monkeypatch.setattr(files, "_write", _counting(files, tries))
    thread = ExchangeThread(files, out, "run", SETUP)
    thread.begin()
    until(lambda: len(tries) > 3)
    first, *others = thread.messages()
    assert "No space left on device; the campaign goes on, and tries again" in first.name
    assert others == []
    files.writes = 0
    until(lambda: any("exchanges again" in one.name for one in thread.messages()))
    thread.finish()
    assert [one.ended for one in SharedStore(files).beats()] == [True]


def test_what_cannot_be_read_is_said_once(
    out: Path, files: FlakyFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(exchange_thread, "INTERVAL_S", 0.01)
    for name in ("000001.pack", "000002.pack"):
        (tmp_path / "S" / "shards" / "a" / name).mkdir(parents=True)
    thread = ExchangeThread(files, out, "run", SETUP)
    thread.begin()
    thread.finish()
    (message,) = thread.messages()
    assert "shards/a/000001.pack: Is a directory, and 1 more: left out" in message.name
    assert [one.ended for one in SharedStore(files).beats()] == [True]


def test_what_cannot_be_a_store_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.touch()
    other.mkdir()
    Ledger(other / LEDGER).close()
    for store, found in (
        (file, "expected a folder"),
        (other, "is the output folder of a campaign"),
        (tmp_path / "out", "is the output folder of a campaign"),
    ):
        with pytest.raises(UsageError, match=rf"{store.name}: {found}.*; choose another"):
            check_store(str(store), tmp_path / "out")
    check_store(str(tmp_path / "new"), tmp_path / "out")
    check_store("", tmp_path / "out")


def test_nothing_is_written_where_a_store_was(out: Path, files: FlakyFiles, tmp_path: Path) -> None:
    """As when a file server is unmounted: what is written then is hidden when it comes back."""
    here, away, finding = tmp_path / "S", tmp_path / "away", out / "findings" / "s1"
    thread = ExchangeThread(files, out, "run", SETUP)
    thread.begin()
    until(lambda: list(SharedStore(files).beats()))  # the last thing that it writes
    here.rename(away)
    here.mkdir()
    finding.mkdir()
    (finding / "finding.vblk").write_bytes(dump_artifact(Artifact(Scenario())))
    thread.publish()
    said: list[Message] = []
    until(lambda: said or said.__iadd__(thread.messages()))
    gone = "the store is gone, no campaign.toml in it any more; the campaign goes on"
    assert gone in said[0].name
    assert thread.is_first(finding) is None
    here.rmdir()  # nothing is in it
    away.rename(here)
    thread.publish()
    until(lambda: thread.is_first(finding))
    thread.finish()
    assert [one.name for one in thread.messages()] == [f"{files.url}: exchanges again"]
    assert SharedStore(files).signatures() == ["s1"]


def _counting(files: FlakyFiles, tries: list[str]) -> object:
    write = files._write

    def counted(path: str, data: bytes) -> None:
        tries.append(path)
        write(path, data)

    return counted


def test_a_store_that_hangs_is_left(
    out: Path, files: FlakyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JOIN_S", "LEAVE_S"):
        monkeypatch.setattr(exchange_thread, name, 0.05)
    goes_on = threading.Event()
    monkeypatch.setattr(files, "read", lambda _: goes_on.wait() and b"")
    thread = ExchangeThread(files, out, "run", SETUP)
    thread.begin()
    thread.finish()
    early, late = thread.messages()
    assert "has not answered yet; the campaign goes on" in early.name
    assert "it is slow; what it lacks is in" in late.name
    goes_on.set()
    thread._thread.join()
