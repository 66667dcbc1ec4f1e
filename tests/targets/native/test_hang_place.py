"""Which functions name a hang, by stacks that are written here."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.native.hang_place import place_of_hang
from vblkfuzz.targets.native.thread_stacks import Thread
from vblkfuzz.targets.native.unwinder import Function
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.kinds import HANG, OP
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

MAIN = 7


def stack(words: str) -> tuple[Function, ...]:
    """Functions: `libc:NAME` of a run-time library, `NAME?` that is not exported."""
    return tuple(
        Function(
            word.removeprefix("libc:").removesuffix("?"),
            exported=not word.endswith("?"),
            run_time=word.startswith("libc:"),
        )
        for word in words.split()
    )


def main(words: str, waits_for: int = 0) -> Thread:
    return Thread(MAIN, "qemu", stack(words), main=True, waits_for=waits_for)


def other(number: int, words: str, waits_for: int = 0) -> Thread:
    return Thread(number, "IO io0", stack(words), waits_for=waits_for)


def name(*threads: Thread) -> str:
    fault = place_of_hang(threads, "operator")
    return fault.name if fault else "operator"


IDLE_MAIN = main("libc:ppoll main_loop_wait main libc:__libc_start_main _start")
IDLE_IO = other(8, "libc:ppoll q+0x1? aio_poll q+0x2? q+0x3? libc:clone")
RCU = other(9, "libc:syscall qemu_event_wait q+0x4? q+0x3? libc:clone")
STOPS = "libc:ppoll q+0x1? aio_poll vhost_user_server_stop blk_exp_request_shutdown main"
LOCKS = "libc:lock qemu_mutex_lock_impl aio_co_enter q+0x5? aio_poll q+0x2? libc:clone"


@pytest.mark.parametrize(
    ("threads", "expected"),
    [
        ((IDLE_MAIN, IDLE_IO, RCU), "operator"),
        ((), "operator"),
        ((main(STOPS), IDLE_IO, RCU), "operator-vhost_user_server_stop"),
        ((main(STOPS), other(8, LOCKS, 7)), "operator-vhost_user_server_stop-aio_co_enter"),
        ((main(STOPS), other(8, LOCKS)), "operator-vhost_user_server_stop-aio_co_enter"),
        ((IDLE_MAIN, other(8, LOCKS)), "operator-aio_co_enter"),
        ((IDLE_MAIN, other(8, STOPS)), "operator-vhost_user_server_stop"),
        ((other(8, LOCKS),), "operator-aio_co_enter"),  # the main thread runs
    ],
)
def test_the_name_is_where_the_threads_wait(threads: tuple[Thread, ...], expected: str) -> None:
    assert name(*threads) == expected
    assert name(*threads[::-1]) == expected


WRONG_ORDER = other(9, "libc:lock bql_lock_impl address_space_unmap q+0x2? libc:clone", MAIN)


@pytest.mark.parametrize("where", ["job_finalize?", "bdrv_flush qmp_job_finalize", "job_unref", ""])
def test_where_a_lock_is_waited_for_is_up_to_the_clock(where: str) -> None:
    """What its holder waits for names the hang; others may wait for the main loop, too."""
    waits = main(f"libc:lock qemu_mutex_lock_impl {where} aio_bh_poll main", 9)
    victim = other(8, LOCKS, MAIN)
    assert name(waits, victim, WRONG_ORDER) == "operator-address_space_unmap"
    assert name(WRONG_ORDER, waits) == "operator-address_space_unmap"


def test_a_holder_that_waits_for_a_third_thread() -> None:
    between = other(8, LOCKS, 9)
    last = other(9, "libc:recv nbd_read aio_poll q+0x2?")
    assert name(main("libc:lock bql_lock_impl cont main", 8), between, last) == "operator-nbd_read"


def test_a_lock_whose_holder_is_idle_or_that_is_taken_elsewhere() -> None:
    """It was left locked: nothing but the functions that wait for it is known."""
    waits = main("libc:lock qemu_mutex_lock_impl qmp_cont main", 8)
    assert name(waits, IDLE_IO) == name(waits) == "operator-qmp_cont"
    assert name(IDLE_MAIN, other(8, LOCKS, MAIN)) == "operator-aio_co_enter"


def test_idle_helpers_do_not_count() -> None:
    waits = other(9, "libc:syscall qemu_event_wait synchronize_rcu q+0x4? libc:clone")
    assert name(main(STOPS), waits) == name(main(STOPS))


def test_an_idle_cpu_of_newer_versions_does_not_count() -> None:
    """QEMU 11.1 renamed the function in which the thread of a CPU sleeps."""
    cpu = other(9, "libc:wait qemu_cond_wait_impl qemu_process_cpu_events q+0x6? libc:clone", MAIN)
    assert name(main("libc:ppoll q+0x1? aio_poll blk_pread main"), cpu) == "operator-blk_pread"


def test_a_program_that_is_not_stripped_has_the_same_name() -> None:
    static = STOPS.replace("q+0x1?", "fdmon_poll_wait?").replace(
        "vhost_user", "close_connection? vhost_user"
    )
    assert name(main(static)) == name(main(STOPS))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("libc:read read_block? serve? main?", "operator-read_block"),
        ("libc:read blk+0x12? blk+0x34?", "operator-blk+0x12"),
        ("libc:futex _ZN3std6thread4JoinE? _ZN3blk5serveE? main?", "operator-_ZN3blk5serveE"),
        (
            "libc:futex _RNvMs_NtCsabc_3std6threadNtB_4Join? _RNvCs1_3blk5serve?",
            "operator-_RNvCs1_3blk5serve",
        ),
    ],
)
def test_a_program_that_exports_nothing(words: str, expected: str) -> None:
    idle = other(8, "libc:futex pool_wait? libc:clone")
    assert name(main(words), idle) == expected


def test_a_thread_of_another_program_counts_if_it_waits_for_a_lock() -> None:
    waits = other(8, "libc:lock serve? libc:clone", MAIN)
    assert name(main("libc:join close? main?"), waits) == "operator-close-serve"


def hang(fault: Fault | None, *, guest: int = 0) -> Violation:
    path = fault.digest if fault else 0
    events = (Event(1, OP, value=4), Event(2, HANG, flag=guest, path=path))
    trace = Trace(events, witnesses=Witness.PROCESS, fault=fault)
    (violation,) = judge(Scenario(), trace).violations
    return violation


def test_the_finding_says_where_the_threads_wait() -> None:
    found = hang(place_of_hang((main(STOPS), other(8, LOCKS, MAIN)), "operator"))
    assert found.signature == "hang-operator-vhost_user_server_stop-aio_co_enter"
    assert found.path == ""
    assert found.sentence == (
        "The operator got no answer from the device process: its main thread waits in "
        "vhost_user_server_stop, another thread waits for a lock in aio_co_enter, at turn 2, "
        "during operation 4, which began at turn 1."
    )


def test_the_finding_says_which_lock_order_is_wrong() -> None:
    found = hang(place_of_hang((main("libc:lock x_lock qmp_cont", 9), WRONG_ORDER), "guest"))
    assert (
        "The guest got no answer from the device process: its main thread waits for a lock in "
        "x_lock, another thread waits for a lock in address_space_unmap, at turn 2"
    ) in found.sentence


def test_the_finding_says_that_the_main_thread_is_idle() -> None:
    found = hang(place_of_hang((IDLE_MAIN, other(8, LOCKS, MAIN)), "operator"))
    assert "its main thread waits in its event loop, another thread waits for a" in found.sentence


def test_a_hang_of_which_nothing_is_known_keeps_its_name() -> None:
    assert hang(None).signature == "hang-operator"
    assert hang(None, guest=1).signature == "hang-guest"
    assert hang(place_of_hang((main(STOPS),), "guest"), guest=1).signature.startswith("hang-guest-")
