"""Schedules that interrupt the threads of a real QEMU: what they show, and what goes wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.checkout import CHECKOUT
from tests.conformance.leftovers import await_end, nothing_left
from tests.gate import without_seccomp
from tests.gate.program import NEEDS_GATE
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.gate_scenarios import (
    DEADLOCK,
    DEADLOCK_AT,
    LOST,
    WINDOW,
    held,
    interrupted_at,
)
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.gate.gate import Gate
from vblkfuzz.gate.order import Held, Order
from vblkfuzz.gate.threads import Threads
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.scenario.text import from_text
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD

PATH_OF_TESTS = os.pathsep.join([*sys.path, str(CHECKOUT)])
"""For programs that import the tests; the package under test may be an installed one."""
pytestmark = [NEEDS_QEMU, NEEDS_GATE, pytest.mark.realdevice]


@pytest.fixture(scope="module")
def rig() -> QemuRig:
    return QemuRig(TargetOptions(serial=True))


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[QemuTarget]:
    with QemuTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        yield target


def signatures(target: QemuTarget, scenario: Scenario) -> list[str]:
    return [found.signature for found in run_scenario(target, scenario).verdict.violations]


def only_7_2() -> None:
    """Skip a test whose places are those of one version."""
    if not version_of(find_qemu("")).startswith("7.2"):
        pytest.skip("a race of QEMU 7.2")


# --- What schedules show ----------------------------------------------------------------------


def test_two_interruptions_lose_a_request(target: QemuTarget) -> None:
    only_7_2()
    found = [signatures(target, LOST) for _ in range(20)]
    assert found.count(["l1-suppressed"]) >= 19
    without = replace(LOST, schedule=())
    assert [signatures(target, without) for _ in range(20)] == [[]] * 20


def test_one_interruption_is_a_deadlock_and_its_neighbours_are_not(target: QemuTarget) -> None:
    only_7_2()
    # On a busy machine it passes another number of points in 1 run of 30 (soak/gate.py: idle).
    times = sum(DEADLOCK in signatures(target, interrupted_at(DEADLOCK_AT)) for _ in range(5))
    assert times >= 3
    for point in (DEADLOCK_AT - 1, DEADLOCK_AT + 1):
        assert DEADLOCK not in signatures(target, interrupted_at(point))


def test_a_drained_window_has_one_order_mostly(target: QemuTarget, rig: QemuRig) -> None:
    """A thread that is woken runs to its first point beside the others, so not always."""
    orders: Counter[tuple[int, ...]] = Counter()
    for _ in range(20):
        assert signatures(target, WINDOW) == []
        assert rig.gated is not None
        orders[tuple(rig.gated.gate.neighbours)] += 1
    assert orders.most_common(1)[0][1] >= 10


def test_the_trace_says_who_was_held_and_where(target: QemuTarget) -> None:
    trace = run_scenario(target, held(WINDOW, Role.IO0, 3)).trace
    kinds = [event.kind for event in trace.events if event.kind in (HELD, GOES_ON)]
    assert kinds == [HELD, GOES_ON]
    assert trace.places[0] is not None
    assert len(trace.stops) == len(WINDOW.ops)
    assert trace.stops[3][Role.IO0] > 0


def test_a_thread_held_over_the_last_operation_goes_on_before_the_end(target: QemuTarget) -> None:
    ops = '[{op = "init"}, {op = "publish_kick"}, {op = "publish_kick"}]'
    scenario = from_text(f"format = 1\nops = {ops}\n[device]\niothreads = 1\n", "last")
    for point in range(6):
        assert signatures(target, held(scenario, Role.IO0, 2, point=point)) == []


# --- Never stuck ------------------------------------------------------------------------------

SPINS = from_text(
    """format = 1
ops = [{op = "drain_begin"}, {op = "init"}, {op = "publish_kick"}, {op = "drain_end"}]
[device]
iothreads = 0
""",
    "spins",
)
"""On 7.2 the main loop spins while a kick is pending in the section."""


@pytest.mark.parametrize("role", [Role.MONITOR, Role.MAIN])
def test_a_main_loop_that_spins(target: QemuTarget, role: Role) -> None:
    """The monitor is held, the main loop spins, and the operator waits for an answer of both."""
    assert set(signatures(target, held(SPINS, role, 2, Go.MAIN))) <= {"l6-drained"}


def test_events_that_were_not_read_do_not_keep_a_thread_held(target: QemuTarget) -> None:
    """The guest waits for the main loop, which is held, while an event of QMP waits to be read."""
    ops = '[{op = "stop"}, {op = "cont"}, {op = "init"}, {op = "publish_kick"}]'
    text = f"format = 1\nops = {ops}\n[device]\niothreads = 1\nioeventfd = false\n"
    for op in range(4):
        assert signatures(target, held(from_text(text, "unread"), Role.MAIN, op)) == []


@pytest.mark.parametrize(
    "ops",
    [
        '{op = "save"}, {op = "restore", into = "new"}, {op = "publish_kick"}',
        '{op = "replug"}, {op = "init"}, {op = "publish_kick"}',
        '{op = "hold"}, {op = "publish_kick"}, {op = "reset"}, {op = "release"}',
    ],
)
def test_other_processes_have_gates_too(target: QemuTarget, ops: str) -> None:
    text = f'format = 1\nops = [{{op = "init"}}, {{op = "publish_kick"}}, {ops}]\n'
    scenario = from_text(text + "[device]\niothreads = 1\n", "others")
    for role in (Role.MAIN, Role.IO0):
        assert signatures(target, held(scenario, role, 2)) == []


def test_locks_are_not_watched_while_the_main_loop_waits_for_a_held_request(
    target: QemuTarget,
) -> None:
    """Whoever asks for that waits for ever: a false hang."""
    ops = '{op = "hold"}, {op = "publish_kick"}, {op = "mirror_begin"}, {op = "kick"}'
    text = f'format = 1\nops = [{{op = "init"}}, {ops}, {{op = "release"}}]\n'
    scenario = from_text(text + "[device]\niothreads = 1\n", "blocked")
    deviation = Deviation(4, 66, Go.NEXT, role=Role.MAIN, locks=True)
    assert signatures(target, replace(scenario, schedule=(deviation,))) == []


# --- Faults -----------------------------------------------------------------------------------


def when_held(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Act in the gate's thread, once, when a thread of QEMU is held."""
    hold = Order.hold

    def hold_and_act(self: Order, one: Held) -> None:
        hold(self, one)
        monkeypatch.setattr(Order, "hold", hold)
        act()

    monkeypatch.setattr(Order, "hold", hold_and_act)


def test_it_is_killed_while_a_thread_is_held(
    target: QemuTarget, rig: QemuRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    when_held(monkeypatch, lambda: os.kill(rig.machine.qemu._child.pid, signal.SIGKILL))
    with pytest.raises(HarnessError):
        run_scenario(target, held(WINDOW, Role.IO0, 3))
    assert signatures(target, WINDOW) == []


def test_it_is_stopped_for_some_seconds_while_a_thread_is_held(
    target: QemuTarget, rig: QemuRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = []

    def stop() -> None:
        pid = rig.machine.qemu._child.pid
        os.kill(pid, signal.SIGSTOP)
        timers.append(threading.Timer(2.0, os.kill, (pid, signal.SIGCONT)))
        timers[0].start()

    when_held(monkeypatch, stop)
    execution = run_scenario(target, held(WINDOW, Role.IO0, 3))
    timers[0].join()
    kinds = [event.kind for event in execution.trace.events if event.kind in (HELD, GOES_ON)]
    assert kinds == [HELD, GOES_ON]
    assert not execution.verdict.violations
    assert signatures(target, WINDOW) == []


def test_a_failure_of_the_gate(target: QemuTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps = Threads.sleeps

    def fails(self: Threads, thread: int) -> bool:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(Threads, "sleeps", fails)
    with pytest.raises(HarnessError, match="ZeroDivisionError: a mistake"):
        run_scenario(target, WINDOW)
    monkeypatch.setattr(Threads, "sleeps", sleeps)
    assert signatures(target, WINDOW) == []


def test_nothing_is_left_of_a_serial_target() -> None:
    before = threading.active_count()
    with nothing_left():
        own = QemuRig(TargetOptions(serial=True))
        with QemuTarget("qemu", "virtio-blk-pci", own, own.port) as new:
            run_scenario(new, held(WINDOW, Role.IO0, 2))
    assert threading.active_count() == before


# --- Other users, other machines --------------------------------------------------------------

OTHER_USER = """
import ctypes, os
from tests.targets.qemu.gate_scenarios import WINDOW, held
from vblkfuzz.executor import run_scenario
from vblkfuzz.gate.available import why_no_gate
from vblkfuzz.scenario.scenario import Role
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target
def run():
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        trace = run_scenario(target, held(WINDOW, Role.IO0, 3)).trace
        print(repr(target.no_gate), trace.places[0] is not None, os.getuid())
run()
if os.getuid() == 0:  # now all modules are loaded: others may not read those of root
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as any process of that user
    why_no_gate.cache_clear()
    run()
"""


def test_another_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    said = subprocess.check_output(
        [sys.executable, "-c", OTHER_USER],
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": PATH_OF_TESTS},
    )
    assert {re.sub(r"\d+$", "", line) for line in said.splitlines()} == {"'' True "}
    assert "65534" in said or os.getuid() != 0


WITHOUT = """
from tests.targets.qemu.gate_scenarios import WINDOW, held
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.scenario import Role
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target
with qemu_target("virtio-blk-pci", "processes", TargetOptions(serial=True)) as target:
    execution = run_scenario(target, held(WINDOW, Role.IO0, 3))
    print(target.no_gate, execution.verdict.violations, execution.trace.places)
"""


def test_a_machine_without_a_gate() -> None:
    command = [sys.executable, without_seccomp.__file__, "38", sys.executable, "-c", WITHOUT]
    env = {**os.environ, "PYTHONPATH": PATH_OF_TESTS}
    said = subprocess.check_output(command, text=True, env=env)
    assert said.startswith("no seccomp user notification: Function not implemented: schedules do")
    assert said.endswith(" () ()\n")


SCHEDULE = """format = 1
ops = [{op = "init"}]
schedule = [{op = 0, actor = "main", point = 0, go = "next"}]
"""
"""A schedule that names a thread."""


def said_without_a_gate(*words: str) -> str:
    command = [sys.executable, without_seccomp.__file__, "38", sys.executable, "-m", "vblkfuzz"]
    env = {**os.environ, "PYTHONPATH": PATH_OF_TESTS}
    done = subprocess.run([*command, *words], capture_output=True, text=True, env=env, check=False)
    return done.stdout + done.stderr


def test_replay_and_fuzz_say_that_there_is_no_gate(tmp_path: Path) -> None:
    (tmp_path / "named.toml").write_text(SCHEDULE)
    (tmp_path / "plain.toml").write_text(SCHEDULE.replace('actor = "main", ', ""))
    sentence = "Function not implemented: schedules do not interrupt the threads of QEMU"
    replay = "replay", "--target", "qemu"
    both = said_without_a_gate(*replay, f"{tmp_path}/named.toml", f"{tmp_path}/plain.toml")
    assert both.count(sentence) == 1
    assert f"named.toml: no seccomp user notification: {sentence}\n" in both
    fuzz = "fuzz", "--target", "qemu", "--workers", "1", "--runs", "3", "--out", f"{tmp_path}/out"
    assert f"warning: no seccomp user notification: {sentence}" in said_without_a_gate(*fuzz)


KILLED = """
import os, signal
from tests.targets.qemu.gate_scenarios import WINDOW, held
from vblkfuzz.executor import run_scenario
from vblkfuzz.gate.order import Order
from vblkfuzz.scenario.scenario import Role
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target
Order.hold = lambda self, held: (print("held", flush=True), os.kill(os.getpid(), signal.SIGKILL))
with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
    run_scenario(target, held(WINDOW, Role.IO0, 3))
"""


def test_its_fuzz_process_is_killed_while_a_thread_is_held(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": PATH_OF_TESTS, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, env=env
    ) as program:
        below: set[psutil.Process] = set()
        while program.poll() is None:
            with suppress(psutil.Error):
                below.update(psutil.Process(program.pid).children(recursive=True))
            time.sleep(0.01)
        assert program.stdout is not None
        assert program.stdout.read() == "held\n"
    assert program.returncode == -signal.SIGKILL
    assert below
    await_end(below)
    assert not list(tmp_path.iterdir())


def test_its_gate_is_a_thread_of_this_process(target: QemuTarget, rig: QemuRig) -> None:
    run_scenario(target, WINDOW)
    assert rig.gated is not None
    assert isinstance(rig.gated.gate, Gate)
    assert "gate" in [thread.name for thread in threading.enumerate()]
