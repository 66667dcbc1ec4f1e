"""Devices that turn against the process they run in and those around it.

Each is a finding, a harness error in one line, or goes on as if nothing had happened; the healthy
executions after it give the same trace as before, and nothing is left. docs/faults.md has the
table.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.leftovers import await_end, descendants, nothing_left
from tests.process import hostile
from tests.process.crew import lives_as, process
from tests.process.failing import SHORT_S, check_error, check_finding
from tests.process.faulty import FATAL, GOOD, Faulty
from tests.process.test_parent_death import written
from tests.waiting import until
from vblkfuzz.errors import ActorDied, HarnessError
from vblkfuzz.process import actors, memory_limit
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.targets.return_check import watch_returns


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path) -> Iterator[None]:
    assert tmp_path.exists()  # the first one of a session is made with the folder of all of them
    with nothing_left():
        yield


# --- Findings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("device", "signature", "said"),
    [
        (hostile.KillsParent, "crash-signalerror-killsparent-fail-", "must not send signals"),
        (hostile.TerminatesParent, "crash-signalerror-killsparent-fail-", "must not send"),
        (hostile.StopsParent, "crash-signalerror-killsparent-fail-", "must not send"),
        (hostile.KillsGroup, "crash-signalerror-killsgroup-fail-", "must not send"),
        (hostile.KillsAll, "crash-signalerror-killsall-fail-", "must not send"),
        (hostile.TakesMemory, "crash-memoryerror-takesmemory-", "it may take 2048 MiB, see"),
        (hostile.Segfaults, "crash-sigsegv-segfaults-fail-", "was ended by SIGSEGV"),
    ],
)
def test_a_finding(mode: str, device: type[Faulty], signature: str, said: str) -> None:
    violation, _ = check_finding(mode, device, times=2)
    assert violation.signature.startswith(signature)
    assert said in violation.sentence


@pytest.mark.parametrize("mode", MODES)
def test_memory_that_a_device_keeps(mode: str) -> None:
    """The next execution has a process with all of it."""
    with model("hostile", mode, None, hostile.TakesMoreAndMore, memory_mb=256) as target:
        right = target.run(GOOD).digest
        for _ in range(2):
            fault = target.run(FATAL).fault
            assert fault is not None
            assert (fault.what, fault.message) == (
                "MemoryError",
                "it may take 256 MiB, see --rss-limit-mb",
            )
            assert target.run(GOOD).digest == right


def test_a_lower_limit_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 20, 1 << 20))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("raised"))
    memory_limit.limit_memory(2048)
    assert memory_limit.words_of(MemoryError()) == ""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("device", "signature"),
    [(hostile.LoopsInC, "hang-loopsinc-fail"), (hostile.LoopsDeaf, "hang-loopsdeaf-fail")],
)
def test_a_loop_that_python_cannot_end(
    mode: str, device: type[Faulty], signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "HANG_LIMIT_S", SHORT_S)
    monkeypatch.setattr("vblkfuzz.process.cpu_limit._DEADLY_S", SHORT_S)
    with model("hostile", mode, device_class=device) as target:
        right = target.run(GOOD).digest
        trace = target.run(FATAL)
        assert trace.fault is not None
        assert f"hang-{trace.fault.name}".lower().replace(".", "-") == signature
        assert target.run(GOOD).digest == right


# --- Harness errors, in one line ---------------------------------------------------------------


def test_closed_files() -> None:
    """Those of the eventfds: inline there are none."""
    check_error("processes", hostile.ClosesFiles, HarnessError, "Bad file descriptor", times=2)


COPY = {"inline": "was forked in C; its copy ran on beside it", "processes": None}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("device", [hostile.ForksInC, hostile.ForksInCAndGoesOn])
def test_a_copy_made_in_c(mode: str, device: type[Faulty]) -> None:
    """It disturbs the guest too, which may fail first; what follows is not disturbed."""
    with model("hostile", mode, device_class=device) as target:
        right = target.run(GOOD).digest
        for _ in range(2):
            with pytest.raises(HarnessError, match=COPY[mode]):
                target.run(FATAL)
            assert target.run(GOOD).digest == right


# --- What does no harm ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "device",
    [
        hostile.EndsOwnProgram,
        hostile.ClosesStreams,
        hostile.ChangesFolder,
        hostile.IgnoresSignals,
        hostile.LeavesSession,
        hostile.StartsThreads,
        hostile.Alters,
        hostile.Prints,
    ],
)
def test_no_harm(mode: str, device: type[Faulty]) -> None:
    folder, affinity = os.getcwd(), os.sched_getaffinity(0)
    with model("hostile", mode, device_class=device) as target:
        right, fatal = target.run(GOOD).digest, target.run(FATAL).digest
        for _ in range(2):
            assert (target.run(GOOD).digest, target.run(FATAL).digest) == (right, fatal)
    assert (os.getcwd(), os.sched_getaffinity(0)) == (folder, affinity | os.sched_getaffinity(0))


POLLING = Scenario(
    DeviceConfig(iothreads=1, disk_sectors=8), (op("init"), op("poll_on"), op("publish_kick"))
)


@pytest.mark.parametrize("mode", MODES)
def test_something_true_for_a_poll(mode: str) -> None:
    """Its loop would never rest."""
    watch_returns(hostile.PollsWrong)
    violation, _ = check_finding(mode, hostile.PollsWrong, POLLING, times=1)
    assert violation.signature.startswith("crash-wrongreturn-pollsport-poll-")
    assert "poll: expected True or False, found 1" in violation.sentence


# --- What a device leaves ------------------------------------------------------------------------

LEAVING = (hostile.StartsProgram, hostile.StartsDaemon)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("device", LEAVING)
def test_it_ends_with_the_target(mode: str, device: type[Faulty]) -> None:
    with model("hostile", mode, device_class=device) as target:
        usual = len(descendants())
        target.run(FATAL)
        until(lambda: len(descendants()) > usual)
        left = descendants()
    assert not any(one.is_running() for one in left)


@pytest.mark.parametrize("mode", MODES)
def test_it_ends_with_the_actor(mode: str) -> None:
    """The daemon of an execution whose process has ended is gone when the next one runs."""
    with model("hostile", mode, device_class=hostile.StartsAndDies) as target:
        usual = len(descendants())
        for _ in range(2):
            assert target.run(FATAL).fault is not None
            assert len(descendants()) == usual


def test_many_leftovers_do_not_wait_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.process.leftovers._FEW", 2)
    monkeypatch.setattr("vblkfuzz.process.zygote._LOOK_MS", 10)
    with model("hostile", "inline", device_class=hostile.StartsDaemon) as target:
        right, usual = target.run(GOOD).digest, len(descendants())
        for _ in range(4):
            target.run(FATAL)
        # Two may stay, each a shell with its sleep: less than what the first execution has left.
        until(lambda: len(descendants()) <= usual + 2 * 2)
        assert target.run(GOOD).digest == right


def test_orphans_are_reaped() -> None:
    class Finishes(Faulty):
        def fail(self) -> None:
            os.system("setsid true &")

    with model("hostile", "inline", device_class=Finishes) as target:
        usual = len(descendants())
        for _ in range(10):
            target.run(FATAL)
        until(lambda: len(descendants()) == usual)


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_it_ends_with_a_killed_fuzz_process(stopped: bool, tmp_path: Path) -> None:
    """`written` returns when the last of all processes has ended: all hold its pipe."""
    pids = tmp_path / "pids"

    class Daemon(Faulty):
        def fail(self) -> None:
            os.system(f'setsid sh -c "{hostile.STUBBORN}" & echo $! > {pids}')

    def fuzz_process(write: int) -> None:
        os.set_inheritable(write, True)
        with model("hostile", "processes", device_class=Daemon) as target:
            target.run(FATAL)
            until(lambda: any(lives_as(one, "sleep") for one in descendants()))
            if stopped:
                process("zygote").suspend()
            os.write(write, b"up")
            os.kill(os.getpid(), signal.SIGKILL)

    assert written(fuzz_process, lambda _pid: None) == b"up"


def test_it_ends_when_the_zygote_was_killed() -> None:
    """A worker asks for orphans of its own, so a zygote that is killed leaves nothing either."""
    from vblkfuzz.process.leftovers import adopt_orphans, end_leftovers

    def worker(write: int) -> None:
        os.set_inheritable(write, True)
        adopt_orphans()
        with model("hostile", "processes", device_class=hostile.StartsDaemon) as target:
            target.run(FATAL)
            until(lambda: any(lives_as(one, "sleep") for one in descendants()))
            process("zygote").kill()
            with pytest.raises(ActorDied):
                while True:  # some may end before its actors do
                    target.run(GOOD)
            target.run(GOOD)
        end_leftovers()
        os.write(write, b"done" if not descendants() else b"left")

    assert written(worker, lambda _pid: None) == b"done"
    await_end(())
