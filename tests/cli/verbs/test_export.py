"""`vblkfuzz export`: the parts that all forms share."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, Cli
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.waiting import WAIT_S
from vblkfuzz.export.registry import EXPORTS
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text


def test_help_names_every_form(cli: Cli) -> None:
    output = " ".join(cli("export", "--help").stdout.split())
    assert f"The form: {', '.join(EXPORTS.names())}." in output


def test_an_unknown_form(cli: Cli, tmp_path: Path) -> None:
    result = cli("export", tmp_path / "none", "--to", "poem", "-o", tmp_path / "x")
    assert result.exit_code == 2
    known = ", ".join(EXPORTS.names())
    assert result.stderr == f"vblkfuzz: export poem: expected one of {known}\n"


def test_a_finding(cli: Cli, finding: Path, tmp_path: Path) -> None:
    output = tmp_path / "trace.json"
    result = cli("export", finding, "--to", "perfetto", "-o", output)
    assert (result.exit_code, result.output) == (0, "")
    assert json.loads(output.read_text())["otherData"]["verdict"] == "violation"


def test_the_output_folder_of_a_campaign(cli: Cli, finding: Path, tmp_path: Path) -> None:
    output = tmp_path / "trace.json"
    out = finding.parent.parent.parent
    assert cli("export", out, "--to", "perfetto", "-o", output).exit_code == 0
    assert json.loads(output.read_text())["otherData"]["input"] == str(finding)


def test_a_file_with_other_content_is_kept(cli: Cli, finding: Path, tmp_path: Path) -> None:
    output = tmp_path / "trace.json"
    output.write_text("precious")
    result = cli("export", finding, "--to", "perfetto", "-o", output)
    assert result.exit_code == 2
    assert "exists with other content; --force replaces it" in result.stderr
    assert output.read_text() == "precious"
    assert cli("export", finding, "--to", "perfetto", "-o", output, "--force").exit_code == 0


def test_a_dash_is_standard_output(
    cli: Cli, finding: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("export", finding, "--to", "perfetto", "-o", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["otherData"]["verdict"] == "violation"
    assert not (tmp_path / "-").exists()


def test_an_issue_has_the_rate_and_what_bisect_printed(cli: Cli, finding: Path) -> None:
    printed = cli("bisect", finding, "--json").stdout
    (finding.parent / "bisect.json").write_text(printed)
    result = cli("export", finding, "--to", "issue", "--repeat", "3", "-o", "-")
    assert result.exit_code == 0
    assert "- First bad: `" in result.stdout
    assert "- Rate: reproduced in 3 of 3, by vblkfuzz on `model, patch-v4, " in result.stdout


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_program_in_an_issue_shows_the_bug(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bug.toml").write_text(to_text(BUG))
    result = cli("export", tmp_path / "bug.toml", "--to", "issue", "--target", "qemu", "-o", "-")
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    assert re.search(r"^- QEMU version: \d+\.\d+", text, re.MULTILINE)
    ((_, program),) = re.findall(r"^(`{3,})python\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "reproducer.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-I", "reproducer.py"],
        cwd=tmp_path,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_nothing_readable(cli: Cli, bad: Path, tmp_path: Path) -> None:
    result = cli("export", bad, "--to", "perfetto", "-o", tmp_path / "x")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].startswith(f"vblkfuzz: {bad}: ops[0].op: expected")
    assert not (tmp_path / "x").exists()


def test_a_device_that_the_user_did_not_name(cli: Cli, clean: Path, tmp_path: Path) -> None:
    text = clean.read_text() + '\n[expect]\nverdict = "clean"\non = "mine.py:Device"\n'
    clean.write_text(text)
    result = cli("export", clean, "--to", "perfetto", "-o", tmp_path / "x")
    assert result.exit_code == 125
    assert "names device mine.py:Device: pass --device mine.py:Device" in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_findings(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    result = cli("export", tmp_path, "--to", "perfetto", "-o", tmp_path / "x")
    assert result.exit_code == 2
    assert "expected findings, found none" in result.stderr


def test_operations_that_a_form_leaves_out_are_named(cli: Cli, tmp_path: Path) -> None:
    path, output = tmp_path / "held.toml", tmp_path / "program.py"
    path.write_text(to_text(Scenario(ops=(op("init"), op("power_loss"), op("read_config")))))
    result = cli("export", path, "--to", "qtest", "--device", "reference", "-o", output)
    assert (result.exit_code, result.stdout) == (0, "")
    first = result.stderr.splitlines()[0]
    assert first == f"vblkfuzz: {output}: left out, form qtest has no power_loss, read_config"
    assert cli("export", path, "--to", "perfetto", "-o", tmp_path / "x").stderr == ""


def test_an_input_that_cannot_be_read_is_in_the_report(
    cli: Cli, finding: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "inputs" / "damaged.vblk"
    damaged.parent.mkdir()
    damaged.write_bytes(b"broken")
    (damaged.parent / "good.vblk").write_bytes(finding.read_bytes())
    output = tmp_path / "tests.xml"
    result = cli("export", damaged.parent, "--to", "junit", "-o", output)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"vblkfuzz: {damaged}: ")
    text = output.read_text()
    assert 'tests="2" failures="1" errors="1"' in text
    assert f'name="{damaged}"' in text


def test_an_html_report_of_many_findings_has_pages(
    cli: Cli, finding: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vblkfuzz.triage.pages._SIZE", 1)
    out = finding.parent.parent.parent
    shutil.copytree(finding.parent, out / "findings" / "s2-other")
    (out / "findings" / "s2-other" / "verdict.json").write_text(
        '{"sentence": "<b>What</b> it was"}'
    )
    report = tmp_path / "report.html"
    assert cli("export", out, "--to", "html", "-o", report).exit_code == 0
    text = report.read_text()
    assert text.count('<section class="story"') == 1
    assert "&lt;b&gt;What&lt;/b&gt; it was" in text
    assert "Page 1 of 2, with 1 finding run again" in text
    assert f"vblkfuzz export {out} --to html --page 2 -o report-2.html" in text
    assert cli("export", out, "--to", "html", "--page", 2, "-o", tmp_path / "2.html").exit_code == 0
    refused = cli("export", out, "--to", "sarif", "--page", 2, "-o", tmp_path / "x")
    assert refused.stderr == "vblkfuzz: --page: this form has all findings; html has pages\n"
