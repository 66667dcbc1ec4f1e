"""The program for QEMU's maintainers: it needs no package, shows the bug, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from tests.triage.stories import case
from tests.waiting import WAIT_S
from vblkfuzz.errors import UsageError
from vblkfuzz.export.qtest_file import command_line, left_out, program, qtest_text
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.device import KINDS, RINGS, DeviceConfig, Kind
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.sector_data import written
from vblkfuzz.triage.case import Case
from vblkfuzz.triage.outcome import Setup
from vblkfuzz.virtio.request.blk import F_CONFIG_WCE, F_FLUSH

WRITE = op("publish_kick", request="out", sector=3)
RESET = (op("init"), op("mirror_begin"), WRITE, op("reset"), op("mirror_finish"))
STOP = (op("init"), op("drain_begin"), WRITE, op("stop"), op("drain_end"))
NEXT_DRIVER = (op("init"), op("mirror_begin"), WRITE, op("reset"), op("init"), op("mirror_finish"))
SECTION, SAVE, RESTORE = (op("init"), op("drain_begin")), op("save"), op("restore")
READ = op("publish_kick", request="in", sector=3)
SAVED = {
    "lost": ((*SECTION, READ, SAVE, RESTORE), "a request was never served after the restore"),
    "writes memory": (
        (*SECTION, READ, SAVE, op("drain_end"), RESTORE),
        "drain_end: a request was used while the machine was stopped",
    ),
    "writes the disk": (
        (*SECTION, WRITE, SAVE, op("drain_end"), RESTORE),
        "QEMU has ended or hangs, exit status -6",
    ),
}
THROUGH = (op("init"), op("writeback", mode="writethrough"), SAVE, RESTORE)
GOES_ON = (op("init"), WRITE, op("collect"), SAVE, READ, RESTORE, op("collect"), WRITE)
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


BEYOND = {
    **{name: op(name) for name in ("hold", "start_fail", "block_job")},
    "hostile": op("hostile", content="huge_length"),
}
"""Operations that change what a QEMU does, and that the program does not have."""


def test_every_operation_but_some_can_be_in_it() -> None:
    every = tuple(Op(code) for code, spec in enumerate(OPS) if spec.name not in BEYOND)
    ast.parse(program(Scenario(DeviceConfig(iothreads=0, ioeventfd=False), every), 'it\'s "so"'))


def test_it_refuses_what_it_cannot_do_in_a_line() -> None:
    with pytest.raises(UsageError) as caught:
        program(Scenario(ops=(op("init"), op("hostile", content="huge_length"))), "")
    assert str(caught.value) == (
        "qtest: operation 1: the program has no hostile(queue=0, content=huge_length)"
    )


@pytest.mark.parametrize("broken", [op("hostile", content="loop"), op("publish_again")])
def test_it_breaks_no_packed_ring(broken: Op) -> None:
    program(Scenario(ops=(broken,)), "")
    with pytest.raises(UsageError, match=r"^qtest: operation 0: the program has no "):
        program(Scenario(DeviceConfig(ring="packed"), (broken,)), "")


def test_it_has_no_in_order() -> None:
    with pytest.raises(UsageError, match=r"^qtest: the program has no in_order: "):
        program(Scenario(DeviceConfig(in_order=True)), "")


def test_one_for_split_rings_has_nothing_of_packed_ones() -> None:
    split, packed = (program(Scenario(DeviceConfig(ring=each)), "") for each in RINGS)
    assert "packed=on" in command_line(packed)
    assert "packed=on" not in command_line(split)
    assert "class PackedRing" in packed
    assert "class PackedRing" not in split


@pytest.mark.parametrize("name", BEYOND)
def test_it_leaves_out_nothing_that_the_bug_may_need(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^qtest: operation 1: the program has no {name}\("):
        program(Scenario(ops=(op("init"), BEYOND[name], op("read_config"))), "")


def test_it_has_no_broken_rings_of_virtio_scsi() -> None:
    broken = op("hostile", content="loop")
    program(Scenario(ops=(broken,)), "")
    with pytest.raises(UsageError, match=r"^qtest: operation 0: the program has no hostile\("):
        program(Scenario(DeviceConfig(kind="scsi"), (broken,)), "")


@pytest.mark.parametrize("target", ["qsd", "vhost-user", "vhost-user-frontend"])
def test_it_is_for_qemu_only(target: str) -> None:
    outcome = case().outcome
    elsewhere = Case(replace(outcome, setup=Setup(target, target, "processes")))
    with pytest.raises(UsageError) as caught:
        qtest_text([elsewhere])
    assert str(caught.value) == f"qtest: the program runs a QEMU, not {target}: use --target qemu"


def test_it_names_what_it_leaves_out(tmp_path: Path) -> None:
    scenario = Scenario(ops=(op("init"), op("read_config"), op("power_loss"), op("read_config")))
    assert left_out(scenario) == ["read_config", "power_loss"]
    text = program(scenario, "")
    assert "\nLEFT_OUT = ['read_config', 'power_loss']  # operations" in text
    filled: dict[str, Any] = {"__name__": "reproducer"}
    exec(compile(text, "reproducer.py", "exec"), filled)
    assert [name for name, _ in filled["STEPS"]] == ["init"]
    assert "\nLEFT_OUT = []  #" in program(Scenario(ops=RESET), "")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_shows_a_cache_mode_that_a_migration_loses(tmp_path: Path) -> None:
    done = run(program(Scenario(ops=THROUGH), ""), tmp_path)
    lost = "the cache mode is not writethrough, although the driver has set it"
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [lost, "the bug shows"]
    for rest in ((op("reset"),), (op("system_reset"),), (op("writeback", mode="writeback"),)):
        done = run(program(Scenario(ops=(*THROUGH, *rest)), ""), tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), rest


@pytest.mark.realdevice
@NEEDS_QEMU
def test_the_last_lines_name_what_was_left_out(tmp_path: Path) -> None:
    done = run(program(Scenario(ops=(op("init"), op("read_config"), WRITE)), ""), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [
        "left out, this program has no read_config",
        "nothing is wrong",
    ]


def steps(scenario: Scenario) -> list[tuple[str, dict[str, Any]]]:
    filled: dict[str, Any] = {"__name__": "reproducer"}
    exec(compile(program(scenario, ""), "reproducer.py", "exec"), filled)
    found: list[tuple[str, dict[str, Any]]] = filled["STEPS"]
    return found


def test_it_accepts_what_the_driver_accepts() -> None:
    def features(**how: str) -> int:
        ((_, arguments),) = steps(Scenario(ops=(op("init", **how),)))
        accepted: int = arguments["features"]
        return accepted

    assert features() ^ features(decline="write_cache") == 1 << F_FLUSH | 1 << F_CONFIG_WCE


def test_it_lays_out_the_buffers_of_the_driver() -> None:
    one = op("publish", request="out", sector=2**8 - 1, sectors=1, shape="header_split")
    _, laid = steps(Scenario(ops=(one,)))[0]
    assert laid["buffers"] == {"readable": [(0, 4), (4, 12), (576, 512)], "writable": [(32, 1)]}
    assert "refused" not in laid


@pytest.mark.parametrize(("status", "sentences"), [(0, 1), (1, 0), (2, 0)])
def test_it_says_that_a_request_had_to_be_refused(status: int, sentences: int) -> None:
    one = op("publish", shape="odd_length")
    _, laid = steps(Scenario(ops=(one,)))[0]
    filled = reproducer()

    class Quiet:
        transcript = False

    guest = filled["Guest"](Quiet())
    guest.load = lambda address, size: bytes([status] * size)
    request = {"name": "request 1", "writable": [(0, 1)], "refused": laid["refused"], "reads": ()}
    assert len(guest.answer(0, 0, 1, request)) == sentences


def reproducer() -> dict[str, Any]:
    filled: dict[str, Any] = {"__name__": "reproducer"}
    exec(compile(program(Scenario(), ""), "reproducer.py", "exec"), filled)
    return filled


@pytest.mark.parametrize("serial", [0, 1, 62, 255, 256, 257])
def test_its_requests_write_what_those_of_the_driver_write(serial: int) -> None:
    write = reproducer()["written"]
    assert all(write(serial, sector) == written(serial, sector) for sector in range(9))


class Memory:
    """What the program stores in guest memory, and loads."""

    transcript = False

    def __init__(self) -> None:
        self.bytes = bytearray(4096)

    def qtest(self, line: str) -> str:
        command, address, size, *data = line.split()
        start, end = int(address, 0), int(address, 0) + int(size)
        if command == "write":
            self.bytes[start:end] = bytes.fromhex(data[0][2:])
        return "0x" + self.bytes[start:end].hex()


@pytest.mark.parametrize(
    "buffers",
    [
        [(0, 16), (576, 1024)],
        [(0, 4), (4, 12), (576, 1), (577, 1023)],
        [(560, 16 + 1024)],
        [(0, 16), (917, 683), (576, 341)],
        [(0, 16), (576, 700)],
    ],
)
def test_it_writes_data_in_the_order_of_the_buffers(buffers: list[tuple[int, int]]) -> None:
    memory = Memory()
    reproducer()["Guest"](memory).scatter(buffers, 5, range(3, 5))
    moved = b"".join(bytes(memory.bytes[at : at + size]) for at, size in buffers)
    assert moved == (bytes(16) + written(5, 3, 2))[: len(moved)]


@pytest.mark.parametrize(("broken", "sentences"), [(False, 1), (True, 0)])
@pytest.mark.parametrize("order", [1, -1])
def test_it_says_that_data_is_in_the_wrong_order(order: int, broken: bool, sentences: int) -> None:
    guest = reproducer()["Guest"](Memory())
    guest.broken = broken
    guest.qemu.bytes[:513] = written(5, 3)[::order] + bytes(1)
    request = {"name": "request 1", "writable": [(0, 513)], "refused": False, "reads": range(3, 4)}
    expected = ["request 1 finds what no request writes in sector 3"] * sentences
    assert guest.answer(0, 0, 1, request) == (expected if order < 0 else [])


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
@pytest.mark.parametrize("kind", KINDS)
def test_it_shows_the_bug_on_packed_rings(kind: Kind, tmp_path: Path) -> None:
    text = program(Scenario(DeviceConfig(ring="packed", kind=kind), RESET), "")
    shown = run(text, tmp_path)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert "dequeued inside the drained section" in shown.stdout
    control = run(text, tmp_path, "--without-drains")
    assert (control.returncode, control.stderr) == (0, "")


@pytest.mark.realdevice
@NEEDS_QEMU
@pytest.mark.parametrize("case", SAVED)
def test_it_shows_what_a_save_does_in_a_section(case: str, tmp_path: Path) -> None:
    ops, sentence = SAVED[case]
    text = program(Scenario(DeviceConfig(ioeventfd=False), ops), "")
    shown = run(text, tmp_path)
    assert (shown.returncode, shown.stdout.splitlines()) == (1, [sentence, "the bug shows"])
    control = run(text, tmp_path, "--without-drains")
    assert (control.returncode, control.stderr) == (0, "")


@pytest.mark.realdevice
@NEEDS_QEMU
def test_another_qemu_goes_on_after_a_restore(tmp_path: Path) -> None:
    shown = run(program(Scenario(ops=GOES_ON), ""), tmp_path, "--transcript")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "answer queue 0 head 0 status 0 length 513 01" in shown.stdout
    assert shown.stdout.count("-incoming defer") == 1


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


@pytest.mark.realdevice
@NEEDS_QEMU
def test_it_saves_by_an_internal_snapshot(tmp_path: Path) -> None:
    save, read = op("save", by="snapshot"), op("publish_kick", request="in")
    right = (
        op("init"),
        WRITE,
        save,
        op("restore"),
        read,
        op("collect"),
        save,
        op("restore"),
        WRITE,
    )
    done = run(program(Scenario(DeviceConfig(), right), ""), tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    parked = (op("init"), op("drain_begin"), WRITE, save, op("drain_end"), op("restore"))
    done = run(program(Scenario(DeviceConfig(), parked), ""), tmp_path)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert "a request was used while the machine was stopped" in done.stdout


@pytest.mark.parametrize(
    ("device", "added"),
    [("reference+header_reused", ["drain_end", "collect"]), ("reference+detach_elsewhere", [])],
)
def test_it_has_the_epilogue_in_which_the_bug_shows(device: str, added: list[str]) -> None:
    """A hang in the `cont` of an epilogue did not show in its program, which has no epilogue."""
    ops = (op("init"), op("drain_begin"), WRITE)
    text = qtest_text([case(Scenario(ops=ops), device)])
    filled: dict[str, Any] = {"__name__": "reproducer"}
    exec(compile(text, "reproducer.py", "exec"), filled)
    assert [name for name, _ in filled["STEPS"]] == [*(one.name for one in ops), *added]
