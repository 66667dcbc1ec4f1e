"""A ledger can be read in every state, and reading changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from vblkfuzz.errors import InputFileError
from vblkfuzz.store import ledger_reader
from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.network_folder import is_network_folder


def killed(folder: Path) -> Path:
    """A folder with the ledger of a campaign that was killed: nothing is in the main file yet."""
    running = folder / "running"
    running.mkdir(parents=True)
    ledger = Ledger(running / "campaign.sqlite")
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 1, 1)
    ledger.progress(1, 10, 5, (1, 0))
    out = folder / "out"
    out.mkdir()
    for end in ("", "-wal"):
        shutil.copy(f"{running}/campaign.sqlite{end}", out)
    ledger.close()
    return out


def test_the_ledger_of_a_killed_campaign(tmp_path: Path) -> None:
    out = killed(tmp_path)
    (record,) = read_history(out / "campaign.sqlite").campaigns
    assert (record.execs, record.ended) == (10, None)
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-02T00:00:00+00:00", "patch-v4", "inline", 1, 1)
    ledger.close()
    assert [path.name for path in out.iterdir()] == ["campaign.sqlite"]
    assert [one.execs for one in read_history(out / "campaign.sqlite").campaigns] == [10, 0]


def test_in_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite cannot open it in place. Root may write everywhere, so here another error says so."""
    out, places = killed(tmp_path), tmp_path / "tmp"
    places.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places))
    monkeypatch.setattr(ledger_reader, "_IN_PLACE", "?mode=ro&vfs=none")
    before = sorted(out.iterdir())
    assert read_history(out / "campaign.sqlite").campaigns[0].execs == 10
    assert (sorted(out.iterdir()), list(places.iterdir())) == (before, [])


def test_locked_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "campaign.sqlite"
    Ledger(path).close()
    connect = sqlite3.connect
    with closing(connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", partial(connect, timeout=0))
        with pytest.raises(InputFileError, match="ledger of a campaign: database is locked"):
            read_history(path)


def test_values_that_no_version_writes(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = Ledger(path)
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 1, 1)
    ledger.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE campaign SET workers = 'many'")
        database.commit()
    with pytest.raises(InputFileError, match=r"found other values; .*status --rebuild"):
        read_history(path)


MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 0:5 / /home rw shared:1 - nfs4 server:/home rw
24 23 0:6 / /home/my\\040disk rw - xfs /dev/sdb rw
25 22 0:7 / /far rw - fuse.sshfs me@far: rw
26 25 0:8 / /far rw - tmpfs none rw
"""


@pytest.mark.parametrize(
    ("folder", "network"),
    [("/out", False), ("/home/me/out", True), ("/home/my disk/out", False), ("/far/out", False)],
)
def test_which_folders_are_on_other_machines(tmp_path: Path, folder: str, network: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_network_folder(Path(folder), mounts) is network
    assert is_network_folder(Path("/far/out"), tmp_path / "none") is False
