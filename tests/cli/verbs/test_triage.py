"""`vblkfuzz triage` on output folders, complete and broken ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.verbs.conftest import SIGNATURE
from tests.many_findings import write_many
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.limits import FINDINGS_PER_PAGE
from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.store.history import History, read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding


def add(out: Path, name: str, data: bytes) -> Path:
    path = out / "findings" / name / "finding.vblk"
    path.parent.mkdir()
    path.write_bytes(data)
    return path


class TestList:
    """`triage DIR`."""

    def test_people(self, cli: Cli, out: Path) -> None:
        result = cli("triage", out)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "1 finding on model, patch-v4, inline",
            "",
            "S1  No request is dequeued inside a drained section.",
            SIGNATURE,
            "    seen 300 times, first after 1.5 s (execution 42), reproduced in 3 of 3 runs",
            "    4 operations, 0 deviations",
            f"    known: {explanation(SIGNATURE, REVISIONS['patch-v4'].known)}",
            "",
            f"the story of one: vblkfuzz triage {out} show {SIGNATURE}",
        ]

    def test_a_crash_that_hides_others_is_said(self, cli: Cli, out: Path) -> None:
        ledger = Ledger(out / "campaign.sqlite")
        ledger.begin("2026-01-02T04:04:05+00:00", "patch-v4", "inline", 1, 7)
        ledger.finding(Finding("crash-a", "CRASH", 42, 1.5, str(out)))
        ledger.seen("crash-a", 500)
        ledger.progress(10, 2000, 50, (300, 0))
        ledger.close()
        lines = cli("triage", out).stdout.splitlines()
        (said,) = [line for line in lines if line.startswith("crash-a ended 12% of all executions")]
        assert said.endswith("vblkfuzz fuzz --without OP")

    def test_machines(self, cli: Cli, out: Path) -> None:
        (found,) = [json.loads(line) for line in cli("triage", out, "--json").stdout.splitlines()]
        assert (found["signature"], found["rule"]) == (SIGNATURE, "S1")
        assert (found["count"], found["first_exec"], found["reproduced"]) == (300, 42, 3)
        assert found["first_seen"] == "2026-01-02T03:04:06+00:00"
        assert (found["ops"], found["deviations"], found["target"]) == (4, 0, "model")

    def test_the_minimized_scenario_is_the_better_story(
        self, cli: Cli, out: Path, bug: Artifact
    ) -> None:
        small = out / "findings" / SIGNATURE / "minimized.vblk"
        assert cli("minimize", small.with_name("finding.vblk"), "-o", small).exit_code == 0
        result = cli("triage", out)
        assert "    4 operations, 0 deviations, minimized\n" in result.stdout
        became = "4 operations + 0 deviations became no fewer in "
        assert f"    {became}" in result.stdout
        shown = cli("triage", out, "show", "s1").stdout
        assert str(small) in shown
        assert f"  size    {became}" in shown
        (line,) = cli("triage", out, "--json").stdout.splitlines()
        assert json.loads(line)["minimized"]["ops_before"] == 4

    def test_pages(
        self, cli: Cli, out: Path, bug: Artifact, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vblkfuzz.triage.pages._SIZE", 1)
        add(out, "s2-hostile", b"no artifact")
        add(out, "l2-other", dump_artifact(bug))
        first = cli("triage", out)
        lines = first.stdout.splitlines()
        assert lines[:3] == [
            "3 findings on model, patch-v4, inline",
            "S1 1, S2 1, L2 1",
            "page 1 of 3; only its findings were run",
        ]
        assert lines[-1] == f"the next page: vblkfuzz triage {out} --page 2"
        second = cli("triage", out, "--page", 2)
        assert second.exit_code == 2
        assert second.stderr.count("\n") == 1
        assert second.stdout == f"the next page: vblkfuzz triage {out} --page 3\n"
        assert "the next page" not in cli("triage", out, "--page", 3).stdout
        assert len(cli("triage", out, "--json").stdout.splitlines()) == 2
        assert len(cli("triage", out, "--json", "--page", 3).stdout.splitlines()) == 1
        too_far = cli("triage", out, "--page", 4)
        assert too_far.exit_code == 2
        assert too_far.stderr == f"vblkfuzz: --page 4: the last page of {out} is 3\n"

    def test_hostile_findings_are_a_line_each(self, cli: Cli, out: Path, tmp_path: Path) -> None:
        findings = out / "findings"
        (findings / "s2-half-written").mkdir()
        (findings / "s2-half-written" / "verdict.json").write_bytes(b"")
        add(out, "s3-empty", b"")
        (findings / "s4-loop").mkdir()
        (findings / "s4-loop" / "finding.vblk").symlink_to("finding.vblk")
        (findings / "s5-folder" / "finding.vblk").mkdir(parents=True)
        mine = findings / SIGNATURE
        for name in ("verdict.json", "rate.json", "minimized.json"):
            (mine / name).write_bytes(b"[[]]")
        (findings / "notes").write_text("no folder")
        result = cli("triage", out)
        assert result.exit_code == 2
        lines = result.stderr.splitlines()
        assert [line.split("/findings/")[1].split("/")[0] for line in lines] == [
            "s2-half-written",
            "s3-empty",
            "s4-loop",
            "s5-folder",
        ]
        assert SIGNATURE in result.stdout
        report = tmp_path / "report.html"
        assert cli("export", out, "--to", "html", "-o", report).exit_code == 2
        assert report.read_text().count("Not read: ") == 4

    def test_a_fixed_device(self, cli: Cli, out: Path) -> None:
        result = cli("triage", out, "--device", "reference", "--repeat", 1)
        assert (result.exit_code, "reproduced in 0 of 1 run\n" in result.stdout) == (0, True)
        assert "known: " not in result.stdout

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"", "byte 0: expected more of a vblkfuzz artifact, found the end"),
            (b"\x81\xa6format\xa8vblkfuzz", "version: expected 1"),
            (
                b"\x82\xa6format\xa8vblkfuzz\xa7version\x09",
                "version: expected at most 1 (a newer vblkfuzz wrote this), found 9",
            ),
        ],
    )
    def test_one_that_cannot_be_read(self, cli: Cli, out: Path, data: bytes, problem: str) -> None:
        path = add(out, "s9-bad", data)
        result = cli("triage", out)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"vblkfuzz: {path}: {problem}")
        assert result.stderr.count("\n") == 1
        assert SIGNATURE in result.stdout

    def test_one_that_is_missing(self, cli: Cli, out: Path) -> None:
        (out / "findings" / "s9-empty").mkdir()
        (out / "findings" / "s9-empty" / "trace.txt").touch()
        result = cli("triage", out)
        assert result.exit_code == 2
        assert "s9-empty/finding.vblk: expected a readable file" in result.stderr
        assert SIGNATURE in result.stdout

    def test_a_device_of_another_package(self, cli: Cli, out: Path, bug: Artifact) -> None:
        data = dump_artifact(Artifact(bug.scenario, device="gone.py:Device"))
        add(out, "s1-own", data)
        result = cli("triage", out)
        assert result.exit_code == 125
        assert "not run: names device gone.py:Device: pass --device" in result.stdout
        assert SIGNATURE in result.stdout

    @pytest.mark.parametrize("left", ["nothing", "findings"])
    def test_a_folder_without_findings(self, cli: Cli, tmp_path: Path, left: str) -> None:
        (tmp_path / left).mkdir()
        result = cli("triage", tmp_path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"vblkfuzz: {tmp_path}: expected ")
        assert result.stderr.count("\n") == 1

    def test_without_a_ledger(self, cli: Cli, out: Path) -> None:
        (out / "campaign.sqlite").unlink()
        result = cli("triage", out)
        assert (result.exit_code, "\n    reproduced in 3 of 3 runs\n" in result.stdout) == (0, True)

    def test_what_a_killed_worker_left_is_no_finding(self, cli: Cli, out: Path) -> None:
        (out / "findings" / ".tmp-1-ab").mkdir()
        assert cli("triage", out).exit_code == 0


class TestShow:
    """`triage DIR show SIGNATURE`."""

    def test_people(self, cli: Cli, out: Path) -> None:
        result = cli("triage", out, "show", SIGNATURE)
        assert result.exit_code == 0
        for part in (
            "Request 1 was dequeued from queue 0 at turn 7, inside the drained section",
            "  rule    S1: No request is dequeued inside a drained section.",
            "  source  QEMU virtio_blk_drained_begin",
            "  correct The device detaches its notifiers before the drain returns",
            "   3. guest       reset()",
            "◆ pop q0 r1 h0 avail 1",
            " events; --whole shows all",
            "  drains    quiesce_counter 1, drained",
            f"  vblkfuzz replay {out}/findings/{SIGNATURE}/finding.vblk --device patch-v4",
        ):
            assert part in result.stdout

    def test_the_beginning_of_a_signature_is_enough(self, cli: Cli, out: Path) -> None:
        assert cli("triage", out, "show", "s1").stdout.startswith(SIGNATURE)

    @pytest.mark.parametrize(
        ("asked", "problem"),
        [
            ("s2", "no such finding; there is s1-other, s1-"),
            ("s1", "2 findings begin like that; there is s1-"),
        ],
    )
    def test_not_one_finding(self, cli: Cli, out: Path, asked: str, problem: str) -> None:
        shutil.copytree(out / "findings" / SIGNATURE, out / "findings" / "s1-other")
        result = cli("triage", out, "show", asked)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{asked}: {problem}" in result.stderr

    def test_a_truncated_one(self, cli: Cli, out: Path) -> None:
        add(out, "s9-bad", b"\x81")
        result = cli("triage", out, "show", "s9")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1

    def test_one_that_cannot_be_judged_still_has_a_story(
        self, cli: Cli, out: Path, bug: Artifact
    ) -> None:
        data = dump_artifact(Artifact(bug.scenario, device="gone.py:D"))
        add(out, "s1-own", data)
        result = cli("triage", out, "show", "s1-own")
        assert result.exit_code == 125
        assert "reset()" in result.stdout
        assert "Events by actor" not in result.stdout

    def test_machines(self, cli: Cli, out: Path) -> None:
        story = json.loads(cli("triage", out, "show", "s1", "--json").stdout)
        assert story["steps"][0]["state"]["quiesce_counter"] == 0
        assert [step["clash"] for step in story["steps"] if step["clash"]] == ["first", "second"]

    def test_show_needs_a_signature(self, cli: Cli, out: Path) -> None:
        result = cli("triage", out, "show")
        assert result.exit_code == 2
        assert "expected DIR, or DIR show SIGNATURE" in result.stderr


@pytest.mark.parametrize("arguments", [("triage", "OUT"), ("export", "OUT", "--to", "html")])
def test_of_many_findings_the_ledger_is_read_once(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Of 10,000, that takes longer than to run a page of them."""
    out = tmp_path / "many"
    write_many(out, FINDINGS_PER_PAGE + 1)
    read: list[Path] = []

    def noted(path: Path) -> History:
        read.append(path)
        return read_history(path)

    for user in ("vblkfuzz.triage.pages", "vblkfuzz.triage.cases"):
        monkeypatch.setattr(f"{user}.read_history", noted, raising=False)
    words = [str(out) if word == "OUT" else word for word in arguments]
    more = ["-o", str(tmp_path / "report.html")] if "export" in arguments else []
    result = cli(*words, *more)
    assert result.exit_code == 0, result.stderr
    assert read == [out / "campaign.sqlite"]
