"""`vblkfuzz status`: the progress of a campaign."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Cli
from tests.cli.verbs.conftest import SIGNATURE
from vblkfuzz.store.canary import Canary
from vblkfuzz.store.folder import claimed
from vblkfuzz.store.history import LEDGER
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.saved_findings import finding_folders
from vblkfuzz.store.summary import Finding
from vblkfuzz.store.tried import Bound
from vblkfuzz.store.unseen import Unseen


def test_an_ended_campaign(cli: Cli, out: Path) -> None:
    result = cli("status", out)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "2026-01-02T03:04:05+00:00  ended 2026-01-02T03:04:15+00:00, exit status 77"
    )
    assert "  so far    2,000 executions in 10.0 s" in lines
    assert "  found     1 finding" in lines
    assert f"1 finding in the folder: vblkfuzz triage {out}" in lines
    assert "Never met, so these rules were hardly tested:" in lines
    assert "    - A reset began inside a drained section." in lines


def test_a_finding_whose_folder_has_gone(cli: Cli, out: Path) -> None:
    shutil.rmtree(out / "findings" / SIGNATURE)
    lines = cli("status", out).stdout.splitlines()
    assert f"0 findings in the folder: vblkfuzz triage {out}" in lines
    assert f"seen, but not in the folder: {SIGNATURE}" in lines


def test_a_link_and_an_empty_folder_are_no_findings(cli: Cli, out: Path) -> None:
    (out / "findings" / "empty").mkdir()
    (out / "findings" / "link").symlink_to(SIGNATURE)
    saved = json.loads(cli("status", out, "--json").stdout)["saved"]
    assert saved == 1
    assert [one.name for one in finding_folders(out)] == [SIGNATURE]


def begin(out: Path, *situations: str) -> Ledger:
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-03T00:00:00+00:00", "virtio-blk-pci", "processes", 2, 8, "qemu")
    ledger.expect(situations)
    return ledger


def test_killed_is_not_ended(cli: Cli, out: Path) -> None:
    """A campaign without an end: it runs if something holds the folder, else it was killed."""
    begin(out).close()
    assert "2026-01-03T00:00:00+00:00  killed" in cli("status", out).stdout.splitlines()
    begin(out).close()
    with claimed(out):
        found = json.loads(cli("status", out, "--json").stdout)
    assert [one["state"] for one in found["campaigns"]] == ["ended", "killed", "running"]
    assert [one["target"] for one in found["campaigns"]] == ["model", "qemu", "qemu"]


def test_a_version_that_did_not_record_the_end(cli: Cli, out: Path) -> None:
    with closing(sqlite3.connect(out / "campaign.sqlite")) as db:
        db.executescript("DROP TABLE ending; DROP TABLE expected; PRAGMA user_version = 0")
    begin(out).close()
    found = json.loads(cli("status", out, "--json").stdout)
    assert [one["state"] for one in found["campaigns"]] == ["ended", "killed"]


def test_what_the_target_cannot_meet_is_not_missed(cli: Cli, out: Path) -> None:
    begin(out, "kick_in_drain", "reset_in_drain").close()
    ledger = begin(out)
    ledger.situation("kick_in_drain", 1.0)
    ledger.close()
    assert json.loads(cli("status", out, "--json").stdout)["never_met"] == ["reset_in_drain"]


def test_a_running_campaign(cli: Cli, out: Path) -> None:
    with claimed(out):
        assert json.loads(cli("status", out, "--json").stdout)["running"] is True
    found = json.loads(cli("status", out, "--json").stdout)
    assert found["running"] is False
    assert found["campaigns"][0]["execs"] == 2000
    assert found["findings"][SIGNATURE]["count"] == 300


def test_csv(cli: Cli, out: Path, tmp_path: Path) -> None:
    ledger = begin(out)
    ledger.progress(5, 900, 40, (1, 2))
    ledger.worker(1, 5, 450, 39)
    ledger.close()
    expected = (
        "campaign,worker,seconds,execs,features,violations,harness_errors,findings\n"
        "1,,10.0,2000,50,300,0,1\n"
        "2,,5.0,900,40,1,2,0\n"
        "2,1,5.0,450,39,,,\n"
    )
    assert cli("status", out, "--csv", "-").stdout == expected
    file = tmp_path / "figures.csv"
    for _ in range(2):  # an older one is replaced
        result = cli("status", out, "--csv", file)
        assert (result.exit_code, result.stdout, file.read_text()) == (0, "", expected)
    assert cli("status", out, "--csv", tmp_path / "no" / "x.csv").exit_code == 2


def test_csv_replaces_no_other_file(cli: Cli, out: Path, tmp_path: Path) -> None:
    """A ledger above all."""
    ledger, notes = out / LEDGER, tmp_path / "notes.csv"
    notes.write_text("mine\n")
    for file in (ledger, notes):
        before = file.read_bytes()
        result = cli("status", out, "--csv", file)
        assert (result.exit_code, file.read_bytes()) == (2, before)
        assert f"{file}: exists, and is of another kind" in result.stderr
    notes.write_text("")
    assert cli("status", out, "--csv", notes).exit_code == 0


def test_several(cli: Cli, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out, other = out.relative_to(tmp_path), Path("other")
    other.mkdir()
    begin(other).close()
    lines = cli("status", out, other).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    for word in (str(out.name), "ended", "2,000", "50", "other", "killed"):
        assert word in said
    both = json.loads(cli("status", "--json", out, other).stdout)
    assert [one["folder"] for one in both] == [str(out), str(other)]
    for wrong in (("--rebuild",), ("--csv", "-")):
        assert cli("status", out, other, *wrong).exit_code == 2
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "campaign.toml").touch()
    assert "shared: is a store" in cli("status", out, "shared").stderr


def test_of_several_one_that_cannot_be_read_hides_no_other(
    cli: Cli, out: Path, tmp_path: Path
) -> None:
    places = (tmp_path / "no", out, tmp_path)
    result = cli("status", *places)
    assert (result.exit_code, "2,000" in result.stdout) == (2, True)
    assert result.stderr.count("found no such folder") == 1
    assert result.stderr.count("found no campaign.sqlite in it") == 1
    (found,) = json.loads(cli("status", "--json", *places).stdout)
    assert found["folder"] == str(out)


def test_a_store_has_no_figures_over_time(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "campaign.toml").write_text("")
    result = cli("status", tmp_path, "--csv", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "name the folder of a node" in result.stderr


def test_plot(cli: Cli, out: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    for name, begin_of in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG")):
        file = tmp_path / name
        first = None
        for _ in range(2):
            assert cli("status", out, "--plot", file).exit_code == 0
            assert file.read_bytes().startswith(begin_of)
            first = first or file.read_bytes()
        assert file.read_bytes() == first
    assert cli("status", out, "--plot", tmp_path / "a.gif").exit_code == 2


@pytest.mark.parametrize("name", ["a$\\bad{$b", "\udcff\x1b[31m", "\u4e2d"])
def test_a_plot_of_a_folder_of_any_name(
    cli: Cli, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    monkeypatch.chdir(tmp_path)
    out.rename(name)
    result = cli("status", name, "--plot", "a.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    ElementTree.parse("a.svg")


def test_no_campaign(cli: Cli, tmp_path: Path) -> None:
    expected = "expected the output folder of a campaign, found"
    for folder, found in (
        (tmp_path, "no campaign.sqlite in it"),
        (tmp_path / "no", "no such folder"),
    ):
        result = cli("status", folder)
        assert result.exit_code == 2
        assert result.stderr == f"vblkfuzz: {folder}: {expected} {found}\n"


def test_what_was_there_when_a_ledger_was_lost_is_not_new(cli: Cli, out: Path) -> None:
    (out / "campaign.sqlite").unlink()
    ledger = begin(out)
    ledger.finding(Finding(SIGNATURE, "S1", 5, 0.5, "out"), new=False)
    ledger.finding(Finding("s1-y", "S1", 6, 0.6, "out"))
    ledger.close()
    assert "  found     2 findings, 1 of them new" in cli("status", out).stdout.splitlines()
    (found,) = json.loads(cli("status", out, "--json").stdout)["campaigns"]
    assert (found["findings"], found["new"]) == ([SIGNATURE, "s1-y"], ["s1-y"])


def test_campaigns_of_a_folder_are_summed(cli: Cli, out: Path) -> None:
    ledger = begin(out)
    ledger.finding(Finding(SIGNATURE, "S1", 5, 0.5, "out"))
    ledger.finding(Finding("s1-y", "S1", 6, 0.6, "out"))
    ledger.seen(SIGNATURE, 50)
    ledger.progress(5, 500, 50, (50, 0))
    ledger.close()
    lines = cli("status", out).stdout.splitlines()
    assert "  found     2 findings, 1 of them new" in lines
    assert "2 campaigns: 2,500 executions in 15.0 s" in lines
    found = json.loads(cli("status", out, "--json").stdout)
    assert found["total"] == {"campaigns": 2, "execs": 2500, "seconds": 15.0}
    first, other = found["findings"][SIGNATURE], found["findings"]["s1-y"]
    assert (first["count"], first["first_exec"], first["earlier_execs"]) == (350, 42, 0)
    assert (other["first_exec"], other["earlier_execs"], other["earlier_s"]) == (6, 2000, 10.0)
    assert [one["new"] for one in found["campaigns"]] == [[SIGNATURE], ["s1-y"]]


def test_what_silence_is_worth_is_summed(cli: Cli, out: Path) -> None:
    for unseen, canaries in (
        (Unseen(900, 50, 4, 2), [Canary("easy", 4, 250, 1.0), Canary("hard", 3)]),
        (Unseen(1500, 60, 3, 1), [Canary("easy", 1, 50, 0.2), Canary("hard", 5)]),
    ):
        ledger = begin(out)
        ledger.silence(unseen, canaries, {2: Bound(10, 20, 0.5, 0.25)})
        ledger.progress(5, 500, 50, (0, 0))
        ledger.close()
    lines = cli("status", out).stdout.splitlines()
    at = lines.index("What silence is worth:")
    assert lines[at + 1 : at + 4] == [
        "  canary   1 of 2 planted defects found, first after 2,250 executions; never: hard",
        "  unseen   5 features or more (seen: 60), a new one in about 500 executions",
        "  PCT      P >= 0.25 for a bug of depth 2 (20 stories)",
    ]
    found = json.loads(cli("status", out, "--json").stdout)
    assert found["canaries"][1] == {
        "defect": "hard",
        "tries": 8,
        "first_exec": None,
        "first_s": None,
    }
    assert (found["unseen"]["once"], found["unseen"]["left"]) == (3, 4.5)
    assert found["tried"] == {"2": {"stories": 20, "runs": 40, "best": 0.5, "mean": 0.25}}


def test_a_damaged_ledger_is_restored(cli: Cli, out: Path) -> None:
    ledger = out / "campaign.sqlite"
    ledger.write_bytes(b"not a database, but long enough " * 9)
    for arguments in (("status", out), ("fuzz", "--runs", "1", "--out", out)):
        result = cli(*arguments)
        assert (result.stdout, result.stderr.count("\n")) == ("", 1)
        assert f"vblkfuzz status --rebuild {out}\n" in result.stderr
    result = cli("status", "--rebuild", out)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"vblkfuzz: {ledger}: 0 rows kept; from files: 1 campaign, 1 finding",
        "vblkfuzz: not all of the old one could be read: file is not a database",
        "vblkfuzz: not known of what is from files: executions, times, counts, situations",
        f"vblkfuzz: the old one is {ledger}.broken-1",
    ]
    lines = result.stdout.splitlines()
    assert lines[0].endswith("  restored")
    assert lines[1:4] == [
        "  on        model, patch-v4, inline",
        "  found     1 finding",
        "  not known how long and how much it ran: the ledger was lost",
    ]
    setup = ("--runs", "3", "--workers", "1", "--seed", "3", "--mode", "inline", "--out", out)
    assert cli("fuzz", *setup).exit_code in (0, 77)
    other = cli("fuzz", *setup, "--device", "reference")
    assert "has campaigns on model, patch-v4, not on model, reference" in other.stderr


def test_nothing_to_restore_from(cli: Cli, tmp_path: Path) -> None:
    result = cli("status", "--rebuild", tmp_path)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []
