"""The fuzz target for OSS-Fuzz, from source: libFuzzer's flags, and what ClusterFuzz looks for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tests.ossfuzz.clusterfuzz import crash_state, written_unit
from tests.waiting import WAIT_S
from vblkfuzz import DeviceConfig, Scenario, op, run
from vblkfuzz.scenario.codec import encode

TARGET = CHECKOUT / "fuzz" / "oss_drain.py"
SEEDS = CHECKOUT / "fuzz" / "seed_corpus.py"
DRAINED = Scenario(ops=(op("init"), op("drain_begin"), op("publish_kick"), op("reset")))
pytestmark = pytest.mark.e2e


def start(
    folder: Path, *arguments: str | Path, device: str = "reference", **environment: str
) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, TARGET, *arguments],
        env={**os.environ, "VBLKFUZZ_DEVICE": device, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    return ended.returncode, ended.stdout + ended.stderr


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_build_check_passes(tmp_path: Path) -> None:
    """Four runs from nothing, with coverage; nothing is left behind."""
    status, said = start(tmp_path, "-seed=1337", "-runs=4")
    assert status == 0, said
    assert "Done 4 runs" in said
    assert "no interesting inputs were found" not in said
    assert "vblkfuzz:" not in said, "a warning"
    assert files(tmp_path) == []


def test_a_violation_is_a_crash_named_by_its_signature(tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    arguments = ("-seed=1", "-runs=5000", "-artifact_prefix=found/")
    status, said = start(tmp_path, *arguments, device="patch-v4")
    assert status == 77, said
    state = crash_state(said)
    assert len(set(state)) == 1, said
    crash = tmp_path / written_unit(said)
    assert crash.parent.name == "found"

    again, said = start(tmp_path, crash, device="patch-v4")
    assert again == 77
    assert crash_state(said) == state

    clean, said = start(tmp_path, crash)
    assert clean == 0, "the same input on the reference"
    assert crash_state(said) == ()


def test_the_mutator_fills_a_corpus_folder(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    status, said = start(tmp_path, "-seed=1", "-runs=150", "-max_total_time=600", corpus)
    assert status == 0, said
    assert "MS: 1 Custom-" in said
    assert "CustomCrossOver-" in said
    assert len(files(corpus)) > 20


def test_seeds_are_clean_and_a_merge_keeps_them(tmp_path: Path) -> None:
    """A target whose seeds crash is refused; a corpus is pruned by -merge=1."""
    seeds, merged = tmp_path / "seeds", tmp_path / "merged"
    subprocess.run([sys.executable, SEEDS, "seeds.zip"], cwd=tmp_path, check=True)
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", "seeds.zip", seeds], cwd=tmp_path, check=True
    )
    merged.mkdir()
    status, said = start(tmp_path, "-merge=1", merged, seeds)
    assert status == 0, said
    assert f"MERGE-OUTER: {len(files(merged))} new files" in said
    assert len(files(merged)) > 20


def test_a_harness_error_is_counted_and_not_raised(tmp_path: Path) -> None:
    script = tmp_path / "target.py"
    script.write_text(BROKEN_TARGET)
    ended = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ended.stdout == "5\n"
    told = [
        line for line in ended.stderr.splitlines() if line.startswith("vblkfuzz: harness error")
    ]
    assert told == [f"vblkfuzz: harness error {count}, no finding: broken" for count in (1, 2, 4)]


def test_a_failing_assertion_of_ones_own_device_has_a_name(tmp_path: Path) -> None:
    """ClusterFuzz skips functions whose name has "assert" in it."""
    (tmp_path / "device.py").write_text(FAILING_DEVICE)
    path = tmp_path / "input"
    path.write_bytes(encode(Scenario(ops=(op("init"), op("publish_kick")))))
    status, said = start(tmp_path, path, device="device.py:Mine")
    assert status == 77, said
    (name,) = set(crash_state(said))
    assert name.startswith("crash-as-sertionerror-mine-answer_at_once")


FAILING_DEVICE = """
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

class Mine(VirtioBlk):
    def answer_at_once(self, request):
        assert request is None
"""


BROKEN_TARGET = """
from unittest.mock import patch
from vblkfuzz.errors import HarnessError
from vblkfuzz.feedback.region import Region
from vblkfuzz.fuzz_target import FuzzTarget

def fails(target, scenario):
    raise HarnessError("broken")

target = FuzzTarget()
with patch.object(Region, "register"), patch("vblkfuzz.executor.run_scenario", fails):
    for _ in range(5):
        target.test_one_input(b"")
print(target.harness_errors)
"""


def preloaded() -> Iterable[Path]:
    """Return the libraries with a libFuzzer that Atheris ships."""
    spec = find_spec("atheris")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent.parent.glob("ubsan_with_fuzzer.so")


@pytest.mark.skipif(not [*preloaded()], reason="this build of Atheris has no libFuzzer to preload")
def test_a_preloaded_libfuzzer_gets_coverage_and_a_warning(tmp_path: Path) -> None:
    (library,) = preloaded()
    status, said = start(tmp_path, "-seed=1", "-runs=100", LD_PRELOAD=str(library))
    assert status == 0, said
    assert "INFO: Using preloaded libfuzzer" in said
    assert "vblkfuzz: a preloaded libFuzzer calls no mutator; start without LD_PRELOAD" in said
    assert "harness error" not in said
    assert "no interesting inputs were found" not in said


def test_code_can_be_put_before_the_target() -> None:
    """For a coverage report, OSS-Fuzz puts a few lines before it."""
    compile(f"import atexit\n{TARGET.read_text()}", "with_stub.py", "exec", dont_inherit=True)


def test_the_scenario_of_the_readme_is_such_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(encode(Scenario(DeviceConfig(), DRAINED.ops)))
    status, said = start(tmp_path, path, device="patch-v4")
    assert status == 77
    assert crash_state(said)[0] == run(DRAINED, "patch-v4").verdict.causes[0].signature
