"""`vblkfuzz coverage`: lines of a user's device, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.cli.conftest import BUG, CLEAN, Cli
from vblkfuzz.scenario.text import to_text

DEVICE = """\
from typing import TYPE_CHECKING

from beside import never, seldom
from vblkfuzz import VirtioBlk

if TYPE_CHECKING:
    from nowhere import Nothing


class Own(VirtioBlk):
    def reset(self, thread, *, system=False):
        print("a reset")
        if system:
            never()
        yield from super().reset(thread, system=system)
        raise ValueError("after a reset")

    def system_reset(self, thread):
        seldom()
"""
BESIDE = "def never():\n    return 1\n\n\ndef seldom():\n    return 2\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A device, a module beside it, a test that is not imported, and a corpus of two inputs."""
    (tmp_path / "device.py").write_text(DEVICE)
    (tmp_path / "beside.py").write_text(BESIDE)
    (tmp_path / "test_device.py").write_text("raise AssertionError\n")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "clean.toml").write_text(to_text(CLEAN))
    (tmp_path / "corpus" / "reset.toml").write_text(to_text(BUG))
    return tmp_path


def vblkfuzz_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: coverage.py may be counting in this one."""
    package = str(Path(vblkfuzz.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-m", "vblkfuzz", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": package, "COVERAGE_PROCESS_START": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_lines_and_branches_in_all_forms(project: Path) -> None:
    outputs = ("--html", "html", "--lcov", "lcov.info")
    done = vblkfuzz_in(project, "coverage", "corpus", "--device", "device.py:Own", *outputs)
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=6) for line in done.stdout.splitlines() if ".py" in line]
    missed = {row[0]: row[-1] for row in rows}
    assert missed == {"beside.py": "2, 6", "device.py": "14, 19"}
    assert "a reset" in done.stderr
    assert (project / "html" / "index.html").exists()
    lcov = (project / "lcov.info").read_text()
    assert lcov.count("SF:") == 2
    assert "DA:14,0\n" in lcov
    assert "BRDA:13,0,jump to line 14,0\n" in lcov


def test_a_class_in_a_package_and_the_output_folder_of_a_campaign(project: Path) -> None:
    """Modules of the package count; inputs are those of corpus and findings.

    One of them cannot be read, which changes the exit code.
    """
    (project / "package" / "part").mkdir(parents=True)
    (project / "package" / "__init__.py").write_text("")
    (project / "device.py").rename(project / "package" / "device.py")
    (project / "package" / "part" / "deep.py").write_text("import package.device\n")
    code = "from package.device import Own as Base\nimport package.part.deep\n"
    (project / "package" / "last.py").write_text(f"{code}\n\nclass Own(Base):\n    pass\n")
    out = project / "out"
    (out / "findings").mkdir(parents=True)
    (out / "campaign.sqlite").touch()
    (project / "corpus").rename(out / "corpus")
    (out / "corpus" / "reset.toml").rename(out / "findings" / "s1.toml")
    for folder in (out, out / "corpus"):
        (folder / "bad.toml").write_text("ops = 1")
    done = vblkfuzz_in(project, "coverage", "out", "--device", "package.last:Own")
    assert (done.returncode, done.stderr.count("expected")) == (2, 1), done.stderr
    counted = [line.split()[0] for line in done.stdout.splitlines() if ".py" in line]
    files = ("__init__.py", "device.py", "last.py", "part/deep.py")
    assert counted == [f"package/{file}" for file in files]
    assert "14, 19" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("corpus", "--device", "reference"), "reference: built in; expected a device of your own"),
        (("corpus", "--device", "device.py:No"), "expected a subclass of VirtioBlk called No"),
        (("gone", "--device", "device.py:Own"), "gone: expected a folder of inputs"),
        (("empty", "--device", "device.py:Own"), "empty: expected inputs, found none"),
        (("corpus", "--device", "device.py:Own", "--html", "corpus"), "corpus: exists; --force"),
        (("corpus", "--device", "device.py:Own", "--html", "device.py"), "expected a folder"),
        (("corpus", "--device", "device.py:Own", "--lcov", "device.py"), "device.py: exists;"),
        (("corpus", "--device", "device.py:Own", "--lcov", "gone/x"), "gone/x: cannot be written"),
    ],
)
def test_what_cannot_be_done(
    cli: Cli,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    (project / "empty").mkdir()
    monkeypatch.chdir(project)
    result = cli("coverage", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert problem in result.stderr


def test_a_device_that_forks_has_no_copy_that_counts_too(project: Path) -> None:
    forks = DEVICE.replace('print("a reset")', "__import__('os').fork()")
    (project / "device.py").write_text(forks)
    done = vblkfuzz_in(project, "coverage", "corpus", "--device", "device.py:Own")
    assert done.stdout.count("TOTAL") == 1
