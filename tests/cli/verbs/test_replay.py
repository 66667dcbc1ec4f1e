"""`vblkfuzz replay`: verdicts, exit codes and output."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import BUG, CLEAN, Cli
from tests.installed import install
from vblkfuzz import entry_points
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.text import to_text
from vblkfuzz.targets.model import TARGET

KEYS = {
    "unmet",
    *("input", "verdict", "rule", "signature", "trace_digest", "steps", "target", "device"),
    *("mode", "runs", "same", "expected", "matches", "sentence", "path", "signatures"),
    *("notes", "error", "harness_errors", "confidence"),
}

UNTRUSTED_CLASS = """
from pathlib import Path
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

Path(__file__).with_suffix(".imported").touch()

class Device(VirtioBlk):
    pass
"""


def objects(stdout: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


def write(path: Path, artifact: Artifact) -> Path:
    path.write_bytes(dump_artifact(artifact))
    return path


@pytest.fixture
def untrusted(tmp_path: Path) -> Path:
    """A Python file that creates a file when it is imported."""
    path = tmp_path / "untrusted.py"
    path.write_text(UNTRUSTED_CLASS)
    return path


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_a_finding_gives_what_was_stored(cli: Cli, finding: Path, bug: Artifact, mode: str) -> None:
    result = cli("replay", finding, "--mode", mode, "--repeat", "10", "--json")
    assert result.exit_code == 77
    (found,) = objects(result.stdout)
    assert bug.expectation
    assert found["signature"] == bug.expectation.signature
    assert found["trace_digest"] == bug.trace_digest
    assert (found["runs"], found["same"], found["matches"]) == (10, 10, True)
    assert (found["mode"], found["device"], found["target"]) == (mode, "patch-v4", "model")


def test_json_has_its_keys_and_nothing_else_is_on_stdout(
    cli: Cli, finding: Path, clean: Path, bad: Path
) -> None:
    result = cli("replay", clean, bad, finding, "--json", "--mode", "inline")
    found = objects(result.stdout)
    assert [set(one) for one in found] == [KEYS, KEYS]
    assert [one["input"] for one in found] == [str(clean), str(finding)]
    assert result.stderr.startswith(f"vblkfuzz: {bad}: ops[0].op: expected one of init,")
    assert result.stderr.count("\n") == 1


def test_json_with_trace(cli: Cli, clean: Path) -> None:
    result = cli("replay", clean, "--json", "--trace", "--mode", "inline")
    (found,) = objects(result.stdout)
    trace = found["trace"]
    assert isinstance(trace, list)
    assert trace[0]["event"] == "op init"


def test_a_clean_input_is_one_line(cli: Cli, clean: Path) -> None:
    result = cli("replay", clean, "--device", "reference", "--mode", "inline")
    assert result.exit_code == 0
    line = re.escape(str(clean)) + r": clean, \d+ steps, digest [0-9a-f]{32}\n"
    assert re.fullmatch(line, result.stdout)


def test_a_violation_is_a_report(cli: Cli, finding: Path, bug: Artifact) -> None:
    result = cli("replay", finding)
    assert bug.expectation
    assert result.exit_code == 77
    for part in (
        f"{finding}: violation of S1\n",
        bug.expectation.signature,
        bug.trace_digest,
        "Request 1 was dequeued from queue 0",
        "path: reset > stop > cleanup_host_notifier > host_notifier_read\n",
        ": yes\n",
    ):
        assert part in result.stdout
    marked = [line for line in result.stdout.splitlines() if line.startswith(">")]
    assert [line.split()[3] for line in marked] == ["drain_ret", "pop"]


def test_the_printed_command_replays(cli: Cli, finding: Path) -> None:
    name = finding.with_name("two words.vblk")
    finding.rename(name)
    first = cli("replay", name, "--mode", "inline")
    command = next(line for line in first.stdout.splitlines() if "vblkfuzz replay" in line)
    words = shlex.split(command)
    assert words[:3] == ["vblkfuzz", "replay", str(name)]
    assert cli(*words[1:]).stdout == first.stdout


def test_the_whole_trace(cli: Cli, clean: Path) -> None:
    result = cli("replay", clean, "--device", "reference", "--mode", "inline", "--trace")
    lines = result.stdout.splitlines()
    assert any("op init" in line for line in lines)
    assert any(line.split()[1:3] == ["harness", "end"] for line in lines)


def test_a_folder_is_its_files_by_name(cli: Cli, tmp_path: Path, finding: Path) -> None:
    folder = finding.parents[3]
    (folder / "a.toml").write_text(to_text(CLEAN))
    (folder / "z.vblk").write_bytes(dump_artifact(Artifact(CLEAN)))
    (folder / "notes.txt").write_text("not an input")
    result = cli("replay", folder, "--json", "--mode", "inline")
    names = [str(one["input"]) for one in objects(result.stdout)]
    # scenario.toml beside finding.vblk is the same input.
    assert names == [str(folder / "a.toml"), str(finding), str(folder / "z.vblk")]
    named = cli("replay", finding.with_name("scenario.toml"), "--json", "--mode", "inline")
    assert len(objects(named.stdout)) == 1
    minimized = finding.with_name("minimized.vblk")
    minimized.write_bytes(finding.read_bytes())
    minimized.with_suffix(".toml").write_text(to_text(CLEAN))
    (small,) = objects(cli("replay", finding.parent, "--json", "--mode", "inline").stdout)
    assert small["input"] == str(minimized)


def test_a_total_of_several(cli: Cli, finding: Path, clean: Path, bad: Path) -> None:
    result = cli("replay", clean, bad, finding, "--mode", "inline", "--device", "reference")
    assert result.stdout.endswith("3 inputs: 1 not readable, 2 clean\n")


class TestExitCodes:
    """The exit code is that of the worst input: 77, 125, 2, 0."""

    def test_unreadable_files_do_not_hide_the_others(
        self, cli: Cli, bad: Path, clean: Path
    ) -> None:
        result = cli("replay", bad, clean, "--device", "reference", "--mode", "inline")
        assert result.exit_code == 2
        assert str(clean) in result.stdout

    def test_not_judged_is_worse_than_unreadable(self, cli: Cli, bad: Path, tmp_path: Path) -> None:
        unknown = write(tmp_path / "unknown.vblk", Artifact(CLEAN, device="gone:Gone"))
        assert cli("replay", unknown, bad).exit_code == 125

    def test_a_violation_is_worse_than_all(
        self, cli: Cli, bad: Path, finding: Path, tmp_path: Path
    ) -> None:
        unknown = write(tmp_path / "unknown.vblk", Artifact(CLEAN, device="gone:Gone"))
        assert cli("replay", finding, unknown, bad, "--mode", "inline").exit_code == 77

    def test_an_expected_violation_is_still_one(self, cli: Cli, finding: Path) -> None:
        result = cli("replay", finding, "--json")
        assert objects(result.stdout)[0]["matches"] is True
        assert result.exit_code == 77

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--device", "nope"),
            ("--device", "no.such.module:Class"),
            ("--device", "json:JSONDecoder"),
            ("--target", "nope"),
            ("--mode", "nope"),
            ("--repeat", "0"),
            ("--nope",),
        ],
    )
    def test_usage(self, cli: Cli, clean: Path, arguments: tuple[str, ...]) -> None:
        result = cli("replay", clean, *arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr

    def test_no_path(self, cli: Cli) -> None:
        assert cli("replay").exit_code == 2

    def test_empty_folder(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        result = cli("replay", tmp_path / "empty")
        assert result.exit_code == 2
        assert result.stderr.endswith(
            "expected a folder with inputs (.vblk, .toml or raw ones), found none\n"
        )

    def test_missing_file(self, cli: Cli, tmp_path: Path) -> None:
        result = cli("replay", tmp_path / "gone.vblk")
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1


def test_operations_that_the_target_does_not_have(
    cli: Cli, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(TARGET, without=frozenset({"reset", "drain_begin", "stop"}))
    monkeypatch.setattr("vblkfuzz.targets.model.TARGET", without)
    result = cli("replay", finding, "--json", "--mode", "inline")
    said = f"vblkfuzz: {finding}: left out, target model has no drain_begin, reset\n"
    assert result.stderr == said
    assert len(objects(result.stdout)) == 1


def test_a_kind_that_the_device_has_not(cli: Cli, tmp_path: Path, bug: Artifact) -> None:
    device = replace(bug.scenario.device, kind="scsi")
    path = write(tmp_path / "x.vblk", replace(bug, scenario=replace(bug.scenario, device=device)))
    result = cli("replay", path, "--json", "--mode", "inline")
    device_name = objects(result.stdout)[0]["device"]
    here = f"{device_name} of target model has kind = blk"
    assert result.stderr == f"vblkfuzz: {path}: kind = scsi has no effect, {here}\n"


def test_task_management_and_units_of_virtio_blk(cli: Cli, tmp_path: Path, bug: Artifact) -> None:
    scenario = bug.scenario
    asks = replace(
        scenario, ops=(*scenario.ops, op("tmf")), device=replace(scenario.device, units=2)
    )
    path = write(tmp_path / "x.vblk", replace(bug, scenario=asks))
    result = cli("replay", path, "--json", "--mode", "inline")
    units, tmf = result.stderr.splitlines()
    assert units.startswith(f"vblkfuzz: {path}: units = 2 has no effect, ")
    assert tmf == f"vblkfuzz: {path}: left out, virtio-blk has no tmf"


class TestExpectations:
    """The expectation of an input is compared with its result."""

    def test_the_expected_violation_is_the_reported_one(
        self, cli: Cli, tmp_path: Path, bug: Artifact
    ) -> None:
        found = objects(cli("replay", write(tmp_path / "x.vblk", bug), "--json").stdout)[0]
        signatures = found["signatures"]
        assert isinstance(signatures, list)
        for signature in signatures:
            rule = signature.split("-")[0].upper()
            other = replace(bug, expectation=Expectation("violation", rule, signature))
            result = cli("replay", write(tmp_path / "x.vblk", other), "--json")
            found = objects(result.stdout)[0]
            assert (found["signature"], found["rule"], found["matches"]) == (signature, rule, True)

    def test_another_signature(self, cli: Cli, tmp_path: Path, bug: Artifact) -> None:
        other = replace(bug, expectation=Expectation("violation", "S1", "s1-elsewhere"))
        result = cli("replay", write(tmp_path / "x.vblk", other))
        assert "expected   violation S1 s1-elsewhere, got violation S1 s1-reset" in result.stdout

    def test_clean_instead(self, cli: Cli, tmp_path: Path) -> None:
        kept = Artifact(
            CLEAN, device="reference", expectation=Expectation("violation", "S1", "s1-x")
        )
        path = write(tmp_path / "x.vblk", kept)
        result = cli("replay", path, "--mode", "inline")
        assert result.exit_code == 0
        assert "expected   violation S1 s1-x, got clean\n" in result.stdout
        (found,) = objects(cli("replay", path, "--json").stdout)
        assert found["matches"] is False

    def test_another_digest(self, cli: Cli, tmp_path: Path, bug: Artifact) -> None:
        result = cli("replay", write(tmp_path / "x.vblk", replace(bug, trace_digest="f" * 32)))
        assert f"note       the trace is not the recorded one, digest {'f' * 32}" in result.stdout

    def test_another_device(self, cli: Cli, finding: Path) -> None:
        result = cli("replay", finding, "--device", "reference")
        assert "expectation not compared: it is for model, patch-v4" in result.stdout
        (found,) = objects(cli("replay", finding, "--device", "reference", "--json").stdout)
        assert (found["expected"], found["matches"]) == (None, None)

    def test_recorded_free(self, cli: Cli, tmp_path: Path, bug: Artifact) -> None:
        path = write(tmp_path / "x.vblk", replace(bug, mode="free"))
        (found,) = objects(cli("replay", path, "--json").stdout)
        assert found["mode"] == "processes"
        assert found["notes"] == ["recorded in mode free, where the schedule is not controlled"]


class TestStrangers:
    """Code that an input names is imported only if the user names it as well."""

    @pytest.mark.parametrize("option", ["--device", ""])
    def test_a_device_class(self, cli: Cli, untrusted: Path, tmp_path: Path, option: str) -> None:
        name = f"{untrusted}:Device"
        path = write(tmp_path / "x.vblk", Artifact(BUG, device=name))
        arguments = (option, name) if option else ()
        result = cli("replay", path, "--mode", "inline", *arguments)
        assert untrusted.with_suffix(".imported").exists() == bool(option)
        if not option:
            assert result.exit_code == 125
            assert f"not judged: names device {name}: pass --device {name} to" in result.stdout

    def test_another_device_can_be_used(self, cli: Cli, untrusted: Path, tmp_path: Path) -> None:
        path = write(tmp_path / "x.vblk", Artifact(CLEAN, device=f"{untrusted}:Device"))
        result = cli("replay", path, "--device", "reference", "--mode", "inline")
        assert result.exit_code == 0
        assert not untrusted.with_suffix(".imported").exists()

    def test_a_target_of_another_package(
        self, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        named = {"vblkfuzz.targets": {"theirs": "their_target:TARGET"}}
        install(tmp_path, "their_target", named, UNTRUSTED_CLASS)
        monkeypatch.syspath_prepend(tmp_path)
        entry_points._installed.cache_clear()
        path = write(tmp_path / "x.vblk", Artifact(CLEAN, target="theirs"))
        result = cli("replay", path, "--json")
        entry_points._installed.cache_clear()
        assert result.exit_code == 125
        (found,) = objects(result.stdout)
        assert found["verdict"] == "harness_error"
        assert found["error"] == "names target theirs: pass --target theirs to allow it"
        assert not (tmp_path / "their_target.imported").exists()

    def test_escape_sequences_do_not_reach_the_terminal(self, cli: Cli, tmp_path: Path) -> None:
        path = write(tmp_path / "x.vblk", Artifact(CLEAN, device="\x1b]0;owned\x07"))
        assert "\x1b" not in cli("replay", path).output


def test_the_device_beside_an_input(cli: Cli, tmp_path: Path) -> None:
    """The name that is to be passed works from here, and is the one that the verdict is for."""
    code = "from vblkfuzz import VirtioBlk\nclass Own(VirtioBlk):\n    pass\n"
    (tmp_path / "device.py").write_text(code)
    input_ = tmp_path / "one.toml"
    input_.write_text(to_text(CLEAN, "", Expectation("clean"), "device.py:Own"))
    name = f"{tmp_path}/device.py:Own"
    refused = cli("replay", input_, "--mode", "inline", "--json")
    assert refused.exit_code == 125
    assert f"pass --device {name} to allow it" in json.loads(refused.stdout)["error"]
    ran = cli("replay", input_, "--mode", "inline", "--device", name, "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["matches"]) == (0, True)
