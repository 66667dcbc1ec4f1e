"""The bundle for OSS-Fuzz, made by PyInstaller, under the conditions that it meets there.

`tox -e ossfuzz` runs it: a bundle takes half a minute to make.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import vblkfuzz
from tests.checkout import CHECKOUT, source_copy
from tests.ossfuzz.clusterfuzz import crash_state, written_unit
from tests.ossfuzz.image import build
from tests.waiting import WAIT_S

pytest.importorskip("PyInstaller", reason="PyInstaller is installed by tox -e ossfuzz only")
pytestmark = pytest.mark.e2e

COVERAGE_STUB = """
import atexit
import coverage
cov = coverage.coverage(data_file=".coverage", cover_pylib=True)
cov.start()
def exit_handler():
    cov.stop()
    cov.save()
atexit.register(exit_handler)
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("image"))


def run(*command: str | Path, cwd: Path, **environment: str) -> tuple[int, str]:
    """Run a program in an empty environment, as ClusterFuzz does."""
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    return ended.returncode, ended.stdout + ended.stderr


def coverage_of(said: str) -> str:
    """Return coverage and corpus at the end of a run."""
    (done,) = re.findall(r"DONE +(cov: .* corp: \S+)", said)
    return str(done)


def test_the_files_are_those_of_a_target(out: Path) -> None:
    assert {path.name for path in out.iterdir()} == {
        "oss_drain",
        "oss_drain.pkg",
        "oss_drain_seed_corpus.zip",
    }
    # A coverage run takes every executable for a target, all others need the word.
    assert [path.name for path in out.iterdir() if os.access(path, os.X_OK)] == ["oss_drain"]
    assert b"LLVMFuzzerTestOneInput" in (out / "oss_drain").read_bytes()
    assert "LD_PRELOAD" not in (out / "oss_drain").read_text()
    assert (out / "oss_drain.pkg").read_bytes()[:4] == b"\x7fELF"


def test_the_bundle_has_the_coverage_of_the_source(out: Path, tmp_path: Path) -> None:
    """Without the hook it has less than half of it, and says so."""
    flags = ("-seed=1", "-runs=300")
    status, said = run(out / "oss_drain", *flags, cwd=tmp_path)
    assert status == 0, said
    assert "vblkfuzz:" not in said
    source = (sys.executable, CHECKOUT / "fuzz" / "oss_drain.py", *flags)
    paths = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    status, from_source = run(*source, cwd=tmp_path, **paths)
    assert status == 0, from_source
    assert coverage_of(said) == coverage_of(from_source)


def test_a_build_check_passes_on_a_bare_machine(out: Path, tmp_path: Path) -> None:
    """No /dev, a read-only $OUT, one core, no environment, another working directory."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("unshare -rm is not permitted here")
    (out / "oss_drain.pkg").chmod(0o755)  # as after the first start
    folder = shlex.quote(str(out))
    core = min(os.sched_getaffinity(0))
    script = (
        "mount -t tmpfs none /dev && "
        f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && "
        f"! touch {folder}/writable && cd / && "
        f"exec taskset -c {core} env -i {folder}/oss_drain -seed=1337 -runs=4"
    )
    status, said = run("unshare", "-rm", "sh", "-c", script, cwd=tmp_path)
    assert status == 0, said
    assert "Done 4 runs" in said
    assert "no interesting inputs were found" not in said
    assert "Read-only file system" in said, "the folder was writable"


def test_a_crash_is_written_and_found_again(out: Path, tmp_path: Path) -> None:
    device = {"VBLKFUZZ_DEVICE": "patch-v4"}
    status, said = run(out / "oss_drain", "-seed=1", "-runs=5000", cwd=tmp_path, **device)
    assert status == 77, said
    (name,) = set(crash_state(said))
    again, said = run(out / "oss_drain", written_unit(said), cwd=tmp_path, **device)
    assert (again, set(crash_state(said))) == (77, {name})


def test_the_seeds_are_clean_and_are_merged(out: Path, tmp_path: Path) -> None:
    """libFuzzer starts the bundle again for that."""
    seeds, merged = tmp_path / "seeds", tmp_path / "merged"
    merged.mkdir()
    archive = out / "oss_drain_seed_corpus.zip"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", archive, seeds], check=True)
    status, said = run(out / "oss_drain", "-runs=0", seeds, cwd=tmp_path)
    assert status == 0, said
    status, said = run(out / "oss_drain", "-merge=1", merged, seeds, cwd=tmp_path)
    assert status == 0, said
    assert len(list(merged.iterdir())) > 20


def test_a_coverage_report_sees_the_device(tmp_path: Path) -> None:
    """It ends by Atheris' own flag, since only then the lines before the target write a file."""
    target = tmp_path / "oss_drain.py"
    target.write_text(COVERAGE_STUB + (CHECKOUT / "fuzz" / "oss_drain.py").read_text())
    # Beside the target, as in a bundle: what is installed is not measured.
    source_copy(Path(vblkfuzz.__file__).parent, tmp_path / "vblkfuzz")
    status, said = run(sys.executable, target, "-atheris_runs=20", cwd=tmp_path)
    assert status == 0, said
    report = (sys.executable, "-m", "coverage", "report", "--include=*/virtio_blk.py")
    status, said = run(*report, cwd=tmp_path)
    assert status == 0, said
    assert re.search(r"virtio_blk\.py +\d+ +\d+ +[3-9]\d%", said), said
