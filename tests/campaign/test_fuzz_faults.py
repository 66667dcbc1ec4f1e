"""Campaigns on a user's device whose own code fails: findings, and where it is none of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaign.conftest import Fuzz

pytestmark = pytest.mark.e2e


def findings(out: Path) -> set[str]:
    return {path.name for path in (out / "findings").glob("*")}


CRASHES = (
    "def answer_at_once(self, request):\n"
    "    if request.blk.type == 4: raise {error}\n"
    "    return super().answer_at_once(request)"
)


@pytest.mark.parametrize("mode", ["inline", "processes"])
@pytest.mark.parametrize(("known", "status"), [("", 77), ("crash-*", 125)])
def test_a_device_that_always_fails(  # one argument for each fixture
    fuzz: Fuzz,
    device_file: Callable[[str], str],
    tmp_path: Path,
    known: str,
    status: int,
    mode: str,
) -> None:
    """Its finding is kept; and where nobody wants to hear of it, that is no silence."""
    device = device_file("def __init__(self, *args): raise RuntimeError('no such board')")
    silenced = tmp_path / "known"
    silenced.write_text(known)
    ended = fuzz("--workers", "1", "--mode", mode, "--device", device, "--known", silenced)
    assert ended.status == status
    assert (ended.summary["execs"], ended.summary["restarts"]) == (50, 0)
    assert "the device has failed in each of the first 50 executions" in ended.stderr
    assert ("no such board" in ended.stderr) is not bool(known)
    assert len(findings(ended.out)) == (not known)


def test_a_device_that_raises_now_and_then(fuzz: Fuzz, device_file: Callable[[str], str]) -> None:
    device = device_file(CRASHES.format(error="RuntimeError(f'flush {id(self)}')"))
    ended = fuzz("--workers", "1", "--seed", "5", "--runs", "600", "--device", device)
    assert ended.status == 77
    assert ended.summary["execs"] == 600
    assert ended.summary["violations"] > 20
    assert (ended.summary["harness_errors"], ended.summary["restarts"]) == (0, 0)
    (crash,) = findings(ended.out)
    assert crash.startswith("crash-runtimeerror-device-answer_at_once-")
    assert ended.stderr.count("RuntimeError (flush") == 1
    assert list((ended.out / "harness").iterdir()) == []


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit(0)", "GeneratorExit"])
@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_a_device_cannot_stop_a_campaign(
    fuzz: Fuzz, device_file: Callable[[str], str], mode: str, error: str
) -> None:
    device = device_file(CRASHES.format(error=error))
    setup = ("--workers", "1", "--seed", "5", "--runs", "200", "--mode", mode)
    ended = fuzz(*setup, "--device", device)
    assert ended.status == 77
    assert (ended.summary["execs"], ended.summary["restarts"]) == (200, 0)
    (crash,) = findings(ended.out)
    assert crash.startswith(f"crash-{error.partition('(')[0].lower()}-")


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_a_device_that_ends_its_process(
    fuzz: Fuzz, device_file: Callable[[str], str], mode: str
) -> None:
    device = device_file(
        "def answer_at_once(self, request):\n"
        "    import ctypes\n"
        "    if request.blk.type == 4: ctypes.string_at(0)\n"
        "    return super().answer_at_once(request)"
    )
    setup = ("--workers", "1", "--seed", "5", "--runs", "100", "--mode", mode)
    ended = fuzz(*setup, "--device", device)
    assert ended.status == 77, ended.stderr
    assert (ended.summary["execs"], ended.summary["restarts"]) == (100, 0)
    (crash,) = findings(ended.out)
    assert crash.startswith("crash-sigsegv-device-answer_at_once-")


TOO_MUCH = (
    "def answer_at_once(self, request):\n"
    "    if request.blk.type == 4:\n"
    "        for _ in range(9000): self.board.ring.emit(20, 2)\n"
    "    return super().answer_at_once(request)"
)


def test_one_input_is_kept_of_each_cause(fuzz: Fuzz, device_file: Callable[[str], str]) -> None:
    device = device_file(TOO_MUCH)
    ended = fuzz("--workers", "1", "--seed", "5", "--runs", "1000", "--device", device)
    assert ended.status == 125
    assert ended.summary["execs"] == 1000
    assert ended.summary["harness_errors"] > 20
    (path,) = (ended.out / "harness").glob("*.vblk")
    said = path.with_suffix(".txt").read_text()
    assert said.startswith("Seen at least ")
    assert "found a trace ring full" in said
    assert ended.stderr.count("found a trace ring full") <= 22


def test_a_kept_input_is_the_one_that_failed(fuzz: Fuzz, device_file: Callable[[str], str]) -> None:
    from vblkfuzz.scenario.artifact import read_input

    device = device_file(TOO_MUCH)
    ended = fuzz("--workers", "1", "--seed", "5", "--runs", "600", "--device", device)
    (path,) = (ended.out / "harness").glob("*.vblk")
    kept = read_input(path)
    assert (kept.target, kept.device, kept.mode) == ("model", device, "processes")
    assert "flush" in [op.args.get("request") for op in kept.scenario.ops]


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_an_error_of_a_users_device_names_class_file_and_line(
    fuzz: Fuzz, device_file: Callable[[str], str], mode: str
) -> None:
    device = device_file("def answer_at_once(self, request):\n    raise RuntimeError('no answer')")
    ended = fuzz(
        "--workers", "1", "--seed", "5", "--runs", "20", "--mode", mode, "--device", device
    )
    assert ended.status == 77
    said = "The device raised RuntimeError (no answer) in Device.answer_at_once (device.py, line 6)"
    assert said in ended.stderr
    (crash,) = (ended.out / "findings").iterdir()
    assert f'File "{device.removesuffix(":Device")}", line 6' in (crash / "device.txt").read_text()


def test_a_device_that_never_ends_inline(fuzz: Fuzz, device_file: Callable[[str], str]) -> None:
    device = device_file(
        "requests = 0\n"
        "def answer_at_once(self, request):\n"
        "    Device.requests += 1\n"
        "    while Device.requests == 10: pass\n"
        "    return super().answer_at_once(request)"
    )
    setup = ("--workers", "1", "--seed", "5", "--runs", "60", "--mode", "inline")
    ended = fuzz(*setup, "--device", device)
    assert ended.status == 77, ended.stderr
    assert ended.summary["execs"] == 60
    assert ended.summary["harness_errors"] == 0
    assert findings(ended.out) == {"hang-device-answer_at_once"}


def test_a_device_that_is_not_deterministic(fuzz: Fuzz, device_file: Callable[[str], str]) -> None:
    """It is said once, and the input is kept; what it finds counts as before."""
    device = device_file(
        "runs = 0\n"
        "def __init__(self, *arguments):\n"
        "    super().__init__(*arguments)\n"
        "    Device.runs += 1\n"
        "    self.board.ring.emit(20, 2, value=Device.runs % 1000)"
    )
    setup = ("--workers", "1", "--seed", "5", "--runs", "1200", "--mode", "inline")
    ended = fuzz(*setup, "--device", device)
    assert ended.stderr.count("your device is not deterministic") == 1
    assert len(list((ended.out / "harness").glob("*.vblk"))) == 1


def test_a_device_that_is_deterministic(fuzz: Fuzz) -> None:
    ended = fuzz("--workers", "1", "--seed", "5", "--runs", "150", "--device", "reference")
    assert "not deterministic" not in ended.stderr
    assert list((ended.out / "harness").iterdir()) == []


@pytest.mark.parametrize("mode", ["inline", "processes"])
def test_what_a_device_prints_is_in_the_log(
    fuzz: Fuzz, device_file: Callable[[str], str], mode: str
) -> None:
    device = device_file(
        "print('imported')\n"
        "def look_again(self, port):\n"
        "    import os; os.write(1, b'put out\\n')\n"
        "    print('looked')\n"
        "    return super().look_again(port)"
    )
    setup = ("--workers", "1", "--seed", "5", "--runs", "30", "--mode", mode)
    ended = fuzz(*setup, "--device", device)
    assert "looked" not in ended.stdout + ended.stderr
    assert "put out" not in ended.stdout + ended.stderr
    assert "imported" not in ended.stdout
    log = (ended.out / "log" / "worker-0.log").read_text()
    assert "looked\n" in log and "imported\n" in log


def test_a_crash_that_hides_others_and_how_to_get_past_it(
    fuzz: Fuzz, device_file: Callable[[str], str], tmp_path: Path
) -> None:
    device = device_file("def vm_stopped(self, thread):\n    raise RuntimeError")
    setup = ("--workers", "1", "--seed", "5", "--runs", "300", "--device", device)
    ended = fuzz(*setup)
    assert ended.summary["shadow"].startswith("crash-runtimeerror-device-vm_stopped-")
    without = ("--without", "stop", "--without", "save", "--corpus", ended.out / "corpus")
    again = fuzz(*setup, *without, out=tmp_path / "again")
    # A failed request may stop the VM as well, now and then.
    assert (again.summary["execs"], again.summary["shadow"]) == (300, None)


GARBAGE = (
    "def __init__(self, *arguments):\n"
    "    super().__init__(*arguments)\n"
    "    import os\n"
    "    words = open('/proc/self/cmdline', 'rb').read().split(b'\\0')\n"
    "    if b'vblkfuzz.campaign.worker' in words:\n"
    "        fd = int(words[5])\n"
    "        for line in {lines}: os.write(fd, line)"
)


@pytest.mark.parametrize(
    "lines",
    [
        b'[b"\\xff\\xfe\\n", b"{}\\n[[1]]\\n", b"{\\"kind\\": \\"seen\\", \\"execs\\": []}\\n"]',
        b'[bytes(1 << 20) + b"\\n"]',
        b'[b"no end"]',
    ],
)
def test_what_a_device_writes_to_our_pipe_is_dropped(
    fuzz: Fuzz, device_file: Callable[[str], str], lines: bytes
) -> None:
    device = device_file(GARBAGE.format(lines=lines.decode()))
    setup = ("--workers", "1", "--seed", "5", "--runs", "20", "--device", device)
    ended = fuzz(*setup)
    assert (ended.status, ended.summary["execs"]) == (0, 20), ended.stderr
    assert ended.summary["dropped"] > 0
    assert ended.stderr.count("sent what is no message") == 1
    assert "Traceback" not in ended.stderr
