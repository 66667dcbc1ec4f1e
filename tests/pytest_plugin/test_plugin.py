"""The plugin in example repositories: files collected, messages, modules loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.pytest_plugin.demand import Choice, Demand, demands
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text

BUG = Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))
SIGNATURE = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
FOUND = Expectation("violation", "S1", SIGNATURE)


@pytest.fixture(autouse=True)
def package_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package under test importable for a pytest that starts in another folder."""
    monkeypatch.setenv("PYTHONPATH", str(Path(vblkfuzz.__file__).parent.parent))


@pytest.fixture
def corpus(pytester: pytest.Pytester) -> Path:
    """Return the empty corpus of a new repository."""
    pytester.makeini("[pytest]\nvblk_corpus = corpus\n")
    return pytester.mkdir("corpus")


def outcomes(pytester: pytest.Pytester, *arguments: str) -> dict[str, int]:
    return run(pytester, *arguments).parseoutcomes()


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-pvblkfuzz.pytest_plugin", *arguments)


def store(path: Path, expected: Expectation | None = None, on: str = "") -> Path:
    path.write_text(to_text(BUG, "", expected, on))
    return path


class TestVerdicts:
    """The expectation of a file must hold."""

    def test_a_bug_that_shows_and_is_fixed(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "bug.toml", FOUND, "patch-v4")
        (corpus / "bug.vblk").write_bytes(dump_artifact(Artifact(BUG, expectation=FOUND)))
        assert outcomes(pytester) == {"passed": 2}

    def test_a_bug_that_ends_its_process(self, pytester: pytest.Pytester, corpus: Path) -> None:
        """That is not the process of pytest."""
        pytester.makepyfile(
            exits="""
            import os
            from vblkfuzz import VirtioBlk
            class Exits(VirtioBlk):
                def reset(self, thread, *, system=False):
                    os._exit(3)
                    yield
            """
        )
        store(corpus / "bug.toml", Expectation("violation", "CRASH"), "exits:Exits")
        store(corpus / "clean.toml", Expectation("clean"), "reference")
        pytester.makeini("[pytest]\nvblk_corpus = corpus\npythonpath = .\n")
        assert outcomes(pytester) == {"passed": 2}

    def test_a_bug_that_is_not_fixed(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "bug.toml", FOUND, "patch-v4")
        pytester.makeini("[pytest]\nvblk_corpus = corpus\nvblk_reference = seed\n")
        result = run(pytester)
        assert result.parseoutcomes() == {"failed": 1}
        result.stdout.fnmatch_lines(
            [
                "corpus/bug.toml: expected clean on patch-v4, got violation of S8",
                "S8: The notifier of queue 0 was attached*",
                ">*attach*",
                "replay it: vblkfuzz replay corpus/bug.toml --device patch-v4 --mode inline",
            ]
        )
        result.stdout.no_fnmatch_line("*Traceback*")

    def test_a_bug_that_no_longer_shows(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "bug.toml", FOUND, "reference")
        result = run(pytester)
        assert result.parseoutcomes() == {"failed": 1}
        result.stdout.fnmatch_lines(
            [f"*bug.toml: expected violation of S1 {SIGNATURE} on reference, got clean"]
        )

    def test_another_signature_is_another_bug(
        self, pytester: pytest.Pytester, corpus: Path
    ) -> None:
        store(corpus / "bug.toml", Expectation("violation", "S1", "s1-other"), "patch-v4")
        result = run(pytester)
        assert result.parseoutcomes() == {"failed": 1}
        result.stdout.fnmatch_lines(["*expected violation of S1 s1-other on patch-v4, got *S1*"])

    def test_at_most_ten_rows(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "bug.toml", Expectation("violation", "S1", "s1-other"), "patch-v4")
        lines = run(pytester).stdout.lines
        head = next(place for place, line in enumerate(lines) if line.strip().startswith("turn "))
        rows = lines[head + 1 : lines.index("", head)]
        assert len(rows) == 10
        assert [row[0] for row in rows] == [">", *" " * 8, ">"]

    def test_without_expectation_it_must_be_clean(
        self, pytester: pytest.Pytester, corpus: Path
    ) -> None:
        store(corpus / "idea.toml")
        assert outcomes(pytester) == {"passed": 1}
        assert outcomes(pytester, "--vblk-device", "patch-v4") == {"failed": 1}

    def test_processes(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "bug.toml", FOUND, "patch-v4")
        assert outcomes(pytester, "--vblk-mode", "processes") == {"passed": 1}


class TestCollection:
    """Which files are tests."""

    def test_only_below_configured_folders(self, pytester: pytest.Pytester, corpus: Path) -> None:
        (corpus / "deep").mkdir()
        store(corpus / "deep" / "in.toml")
        store(pytester.path / "out.toml")
        (corpus / "notes.txt").write_text("no scenario")
        result = run(pytester, "--collect-only", "-q")
        result.stdout.fnmatch_lines(["corpus/deep/in.toml::scenario"])
        result.stdout.no_fnmatch_line("*out.toml*")

    def test_nothing_is_configured(self, pytester: pytest.Pytester) -> None:
        store(pytester.path / "out.toml")
        assert outcomes(pytester) == {}

    def test_a_finding_is_one_test(self, pytester: pytest.Pytester, corpus: Path) -> None:
        (corpus / "finding.vblk").write_bytes(dump_artifact(Artifact(BUG, expectation=FOUND)))
        store(corpus / "scenario.toml", FOUND, "patch-v4")
        assert outcomes(pytester) == {"passed": 1}

    def test_broken_files_fail_alone(self, pytester: pytest.Pytester, corpus: Path) -> None:
        store(corpus / "good.toml", FOUND, "patch-v4")
        (corpus / "syntax.toml").write_text("ops = [")
        (corpus / "cut.vblk").write_bytes(b"\x81")
        (corpus / "newer.toml").write_text("format = 9\n")
        (corpus / "gone.toml").write_text(to_text(BUG, "", FOUND, "no_such_module:Device"))
        result = run(pytester)
        assert result.parseoutcomes() == {"passed": 1, "failed": 4}
        for line in (
            "corpus/cut.vblk: byte 1: expected more of a vblkfuzz artifact, found the end",
            "corpus/newer.toml: format: expected at most 1 (a newer vblkfuzz wrote this), found 9",
            "corpus/syntax.toml: end of file: expected TOML: ",
            "corpus/gone.toml: device no_such_module: no such module (no_such_module)",
        ):
            assert result.stdout.str().count(f"\n{line}") == 1
        result.stdout.no_fnmatch_line("*Traceback*")

    def test_collecting_reads_nothing(self, pytester: pytest.Pytester, corpus: Path) -> None:
        for number in range(1000):
            (corpus / f"{number}.toml").touch(mode=0o000)
        pytester.makeconftest(
            """
            import sys

            def pytest_collection_finish(session):
                loaded = {name for name in sys.modules if name.startswith("vblkfuzz")}
                heavy = loaded & {"vblkfuzz.scenario", "vblkfuzz.oracle", "vblkfuzz.targets"}
                print(f"{len(session.items)} items, {sorted(heavy)} loaded")
            """
        )
        result = run(pytester, "--collect-only", "-q", "-s")
        result.stdout.fnmatch_lines(["*1000 items, [[][]] loaded"])

    def test_loading_the_plugin_loads_nothing_else(self, pytester: pytest.Pytester) -> None:
        pytester.makeconftest(
            """
            import sys

            def pytest_sessionstart(session):
                names = ("vblkfuzz", "atheris", "multiprocess", "msgpack", "rich", "typer")
                print("loaded:", sorted(n for n in sys.modules if n.split(".")[0] in names))
            """
        )
        result = run(pytester, "-s")
        loaded = ["vblkfuzz", "vblkfuzz._moved", "vblkfuzz._version", "vblkfuzz.pytest_plugin"]
        assert f"loaded: {loaded}\n" in result.stdout.str()


def test_xdist(pytester: pytest.Pytester, corpus: Path) -> None:
    pytest.importorskip("xdist")
    for number in range(10):
        store(corpus / f"bug{number}.toml", FOUND, "patch-v4")
    store(corpus / "wrong.toml", FOUND, "reference")
    result = run(pytester, "-n", "2", "--vblk-mode", "processes")
    # Python 3.12 and later warn of a fork in an xdist worker, which has threads.
    result.assert_outcomes(passed=10, failed=1)


DEVICE = """
from vblkfuzz import VirtioBlk


class Faulty(VirtioBlk):
    def reset(self, thread, *, system=False):
        raise AssertionError("a reset")
        yield


class Fixed(VirtioBlk):
    pass
"""
CRASH = Expectation("violation", "CRASH")


def test_where_devices_are(pytester: pytest.Pytester) -> None:
    """pytest runs in another folder than that of the configuration, whose name has a space."""
    project = pytester.mkdir("a project")
    (project / "corpus" / "bug").mkdir(parents=True)
    (project / "device.py").write_text(DEVICE)
    (project / "corpus" / "bug" / "beside.py").write_text(DEVICE)
    clean = Expectation("clean")
    for name, expected, on in (
        ("beside", CRASH, "beside.py:Faulty"),
        ("configured", CRASH, "device.py:Faulty"),
        ("file", clean, "device.py:Faulty"),
        ("module", clean, "device:Faulty"),
    ):
        store(project / "corpus" / "bug" / f"{name}.toml", expected, on)
    lines = ("[pytest]", "vblk_corpus = corpus", "pythonpath = .")
    text = "\n".join((*lines, "vblk_reference = device.py:Fixed\n"))
    (project / "pytest.ini").write_text(text)
    result = run(pytester, str(project))
    assert result.parseoutcomes() == {"passed": 2, "failed": 2}
    # Under CI, pytest has them in its summary too.
    printed = {line for line in result.stdout.lines if line.startswith("replay it: ")}
    assert len(printed) == 2
    for line in sorted(printed):
        command = line.removeprefix("replay it: ")
        script = command.replace("vblkfuzz replay", f'"{sys.executable}" -m vblkfuzz replay')
        done = subprocess.run(script, shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 77, (command, done.stderr)
        assert "CRASH" in done.stdout


@pytest.mark.parametrize("expected", [FOUND, Expectation("clean"), None])
def test_a_file_of_a_real_device_has_no_reference(expected: Expectation | None) -> None:
    artifact = Artifact(BUG, "qemu", "virtio-blk-pci", expectation=expected)
    assert demands(artifact, Choice()) == [
        Demand("virtio-blk-pci", expected or Expectation("clean"))
    ]


@NEEDS_QEMU
def test_a_text_of_a_real_device(pytester: pytest.Pytester, corpus: Path) -> None:
    clean = Scenario(ops=(op("init"), op("publish_kick"), op("collect")))
    expected = Expectation("clean")
    for name, target in (("new", "qemu"), ("old", "")):
        (corpus / f"{name}.toml").write_text(to_text(clean, "", expected, "virtio-blk-pci", target))
    assert outcomes(pytester) == {"passed": 2}
