"""What the shell offers when the user presses Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vblkfuzz.cli.app import app
from vblkfuzz.dataplane.defects import DEFECTS
from vblkfuzz.dataplane.revisions import REVISIONS

Offer = Callable[..., list[str]]


@pytest.fixture
def offer() -> Offer:
    """Return what is offered for the last word of a command line, as bash asks for it."""

    def ask(*words: str | Path) -> list[str]:
        line = ["vblkfuzz", *map(str, words)]
        asked = {
            "_VBLKFUZZ_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(line),
            "COMP_CWORD": str(len(line) - 1),
        }
        done = CliRunner().invoke(app, [], prog_name="vblkfuzz", env=asked)
        assert done.exit_code == 0
        return done.stdout.split()

    return ask


def test_verbs_and_options(offer: Offer) -> None:
    assert offer("re") == ["replay"]
    assert {"new", "fuzz", "triage"} <= set(offer(""))
    assert offer("replay", "--rep") == ["--repeat"]
    assert offer("list", "de") == ["devices", "defects"]


@pytest.mark.parametrize("verb", ["fuzz", "replay", "triage", "cmin", "explore"])
def test_devices(offer: Offer, verb: str) -> None:
    assert offer(verb, "--device", "") == list(REVISIONS)
    assert offer(verb, "--device", "ref") == ["reference"]
    assert offer(verb, "--device", "my_device/dev") == []


def test_devices_with_defects(offer: Offer) -> None:
    assert offer("replay", "--device", "patch-v4+no_selfkick+no_self") == [
        "patch-v4+no_selfkick+no_selfkick"
    ]


@pytest.mark.parametrize("verb", [("fuzz",), ("replay",), ("bench", "detect")])
def test_defects(offer: Offer, verb: tuple[str, ...]) -> None:
    assert offer(*verb, "--defect", "") == list(DEFECTS)


def test_targets_forms_and_operations(offer: Offer) -> None:
    for verb in ("fuzz", "replay", "compare"):
        assert offer(verb, "--target", "q") == ["qemu", "qsd"]
    assert offer("export", "--to", "pe") == ["perfetto"]
    assert offer("fuzz", "--without", "drain") == ["drain_begin", "drain_end"]


def test_signatures(offer: Offer, finding: Path) -> None:
    out = finding.parents[2]
    (out / "findings" / ".s1-not-finished").mkdir()
    assert offer("triage", out, "show", "s") == ["s1"]
    assert offer("minimize", finding, "--signature", "") == ["s1"]
    assert offer("triage", out / "no-such-folder" / "x", "show", "t") == []
    assert offer("triage", "/", "show", "") == []


def test_tab_loads_neither_engine_nor_processes() -> None:
    script = (
        "import os, sys, typer.testing; from vblkfuzz.cli.app import app\n"
        "for word in ('--device', '--defect', '--target', '--without'):\n"
        "    os.environ['COMP_WORDS'] = f'vblkfuzz\\nfuzz\\n{word}\\n'\n"
        "    done = typer.testing.CliRunner().invoke(app, [], prog_name='vblkfuzz')\n"
        "    assert len(done.stdout.split()) > 2, word\n"
        "print(sorted({'atheris', 'multiprocess', 'tomlkit', 'dill'} & set(sys.modules)))"
    )
    asked = {"_VBLKFUZZ_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_bash_completes_with_the_shown_script(tmp_path: Path) -> None:
    """It is the script that `--show-completion` prints; the command is on PATH."""
    shown = CliRunner().invoke(
        app, [], prog_name="vblkfuzz", env={"_VBLKFUZZ_COMPLETE": "source_bash"}
    )
    command = tmp_path / "vblkfuzz"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vblkfuzz "$@"\n')
    command.chmod(0o755)
    script = (
        f"{shown.stdout}\n"
        "COMP_WORDS=(vblkfuzz fuzz --device qemu-8.)\n"
        "COMP_CWORD=3\n"
        "_vblkfuzz_completion vblkfuzz\n"
        'echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [name for name in REVISIONS if name.startswith("qemu-8.")]
    assert done.stdout.split()
