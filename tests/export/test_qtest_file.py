"""The program for QEMU's maintainers: it needs no package, shows the bug, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from tests.waiting import WAIT_S
from vblkfuzz.export.qtest_file import program
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario

WRITE = op("publish_kick", request="out", sector=3)
RESET = (op("init"), op("mirror_begin"), WRITE, op("reset"), op("mirror_finish"))
STOP = (op("init"), op("drain_begin"), WRITE, op("stop"), op("drain_end"))
NEXT_DRIVER = (op("init"), op("mirror_begin"), WRITE, op("reset"), op("init"), op("mirror_finish"))
SERVED = (op("init"), op("mirror_begin"), WRITE, op("mirror_finish"), op("reset"))


def run(text: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = folder / "reproducer.py"
    path.write_text(text)
    # -I: neither this checkout nor a package of the user can be imported by accident.
    command = [sys.executable, "-I", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(program(Scenario(ops=RESET), "output"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in nodes
        for name in node.names
    }
    assert names <= sys.stdlib_module_names


def test_every_operation_can_be_in_it() -> None:
    every = tuple(Op(code) for code in range(len(OPS)))
    ast.parse(program(Scenario(DeviceConfig(iothreads=0, ioeventfd=False), every), 'it\'s "so"'))


def test_requests_are_plain_and_no_feature_is_declined() -> None:
    special = (op("init", decline="flush"), op("publish_kick", request="out", shape="split"))
    plain = (op("init"), op("publish_kick", request="out"))
    assert program(Scenario(ops=special), "") == program(Scenario(ops=plain), "")


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("ops", [RESET, STOP, NEXT_DRIVER], ids=["reset", "stop", "next_driver"])
def test_it_shows_the_bug(ops: tuple[Op, ...], iothreads: int, tmp_path: Path) -> None:
    text = program(Scenario(DeviceConfig(iothreads=iothreads), ops), "")
    shown = run(text, tmp_path)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "dequeued inside the drained section" in shown.stdout
    control = run(text, tmp_path, "--without-drains")
    assert (control.returncode, control.stderr) == (0, "")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_its_transcript_has_the_raw_lines(tmp_path: Path) -> None:
    output = run(program(Scenario(ops=RESET), ""), tmp_path, "--transcript").stdout
    assert "qtest writew 0xe0003000 0x0 -> OK" in output
    assert 'qmp {"execute": "job-finalize"' in output


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_is_silent_where_nothing_is_wrong(tmp_path: Path) -> None:
    assert run(program(Scenario(ops=SERVED), ""), tmp_path).returncode == 0


def test_no_qemu(tmp_path: Path) -> None:
    ended = run(program(Scenario(ops=RESET), ""), tmp_path, str(tmp_path / "none"))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
