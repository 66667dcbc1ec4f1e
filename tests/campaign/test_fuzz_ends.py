"""Every way a campaign ends: its exit code, what it leaves on disk and what it leaves running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.campaign.conftest import Ended, Fuzz, Start
from tests.campaign.family import alive, children, family
from tests.waiting import WAIT_S, until
from vblkfuzz.limits import ANSWER_LIMIT_S
from vblkfuzz.scenario.artifact import read_input

pytestmark = pytest.mark.e2e

RUNS = ("--workers", "2", "--seed", "5", "--runs", "400")
ENDLESS = ("--workers", "2", "--seed", "5")
ONE_RUN = ("--workers", "1", "--runs", "1", "--device", "reference")


def findings(out: Path) -> set[str]:
    return {path.name for path in (out / "findings").glob("*")}


def under_way(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until both workers have their actors and something was found."""
    until(lambda: len(family(process.pid)) == 1 + 2 * 4 and findings(out))


def test_a_budget_of_runs_is_kept(fuzz: Fuzz) -> None:
    ended = fuzz(*RUNS)
    assert ended.status == 77
    summary = ended.summary
    assert summary["execs"] == 400
    assert {"execs", "execs_per_s", "findings", "features", "sometimes"} <= set(summary)
    keys = {"signature", "rule", "first_exec", "first_s", "path"}
    assert all(keys <= set(finding) for finding in summary["findings"])
    signatures = [finding["signature"] for finding in summary["findings"]]
    assert set(signatures) == findings(ended.out)
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    told = [event["signature"] for event in events if event["event"] == "finding"]
    assert told == signatures, "each is told once"
    assert not list((ended.out / "harness").iterdir())


def test_fewer_runs_than_workers(fuzz: Fuzz) -> None:
    """A worker without a share must not run without a limit."""
    ended = fuzz("--workers", "2", "--runs", "1", "--device", "reference")
    assert (ended.status, ended.summary["execs"]) == (0, 1)


def test_a_budget_of_time_ends_it(fuzz: Fuzz) -> None:
    ended = fuzz("--workers", "1", "--max-total-time", "1", "--device", "reference")
    assert ended.status == 0
    assert ended.summary["execs"] > 0


def test_start_up_that_takes_the_whole_budget(fuzz: Fuzz) -> None:
    """The first worker runs one input, the others none; each waited for its first execution."""
    ended = fuzz("--workers", "40", "--max-total-time", "0.001", "--device", "reference")
    assert (ended.status, ended.summary["execs"]) == (0, 1)
    assert "start-up took the 0.001 s of the campaign: 39 of 40 workers ran" in ended.stderr


def test_stop_on_first(fuzz: Fuzz) -> None:
    ended = fuzz("--workers", "1", "--seed", "5", "--stop-on-first")
    assert ended.status == 77
    (finding,) = ended.summary["findings"]
    assert ended.summary["execs"] == finding["first_exec"]


def test_one_worker_is_deterministic(fuzz: Fuzz, tmp_path: Path) -> None:
    both = [
        fuzz("--workers", "1", "--runs", "1500", "--seed", "5", out=tmp_path / name)
        for name in ("one", "two")
    ]
    one, two = (
        {
            "findings": [
                (each["signature"], each["first_exec"]) for each in ended.summary["findings"]
            ],
            "features": ended.summary["features"],
            "corpus": sorted(path.name for path in (ended.out / "corpus").iterdir()),
        }
        for ended in both
    )
    assert one == two
    assert both[0].summary["corpus"] == len(one["corpus"])


def test_a_second_round_keeps_findings_and_corpus(fuzz: Fuzz) -> None:
    first = fuzz(*RUNS)
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (first.out / "findings").glob("*/*")
    }
    second = fuzz("--workers", "1", "--runs", "1", "--seed", "6")
    assert second.summary["features"] > 0
    again = fuzz("--workers", "2", "--seed", "7", "--runs", "600")
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before}
    assert {each["signature"] for each in again.summary["findings"]} <= findings(again.out)


def test_two_campaigns_in_one_folder(start: Start, fuzz: Fuzz, tmp_path: Path) -> None:
    first = start(*ENDLESS)
    under_way(first, tmp_path / "out")
    second = fuzz("--runs", "10")
    assert second.status == 2
    (line,) = second.stderr.splitlines()
    assert "another campaign" in line
    assert (tmp_path / "out" / "log" / "lock").read_text() == f"{first.pid}\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 72)])
def test_a_signal_ends_it_in_order(start: Start, tmp_path: Path, number: int, status: int) -> None:
    """A worker gets two seconds to end by itself; here as long as a busy machine needs."""
    grace = f"from vblkfuzz.campaign import orchestrator; orchestrator._GRACE_S = {WAIT_S}"
    process = start(*ENDLESS, before=grace)
    under_way(process, tmp_path / "out")
    pids = family(process.pid)
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == status
    said = {line for line in findings(tmp_path / "out") if line in stdout}
    assert said == findings(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*/.tmp-*"))
    for log in (tmp_path / "out" / "log").glob("*.log"):
        assert "KeyboardInterrupt" in log.read_text(), "it left Fuzz() by itself, it was not killed"
    until(lambda: not any(map(alive, pids)))


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_ctrl_z_stops_the_workers_too(start: Start, tmp_path: Path) -> None:
    process = start(*ENDLESS)
    under_way(process, tmp_path / "out")
    pids = family(process.pid)
    process.send_signal(signal.SIGTSTP)
    until(lambda: all(map(stopped, pids)))
    process.send_signal(signal.SIGCONT)
    until(lambda: not any(map(stopped, pids)))
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == 72
    assert stderr.count("paused: the campaign, with its workers\n") == 1
    until(lambda: not any(map(alive, pids)))


def test_a_corpus_without_inputs_is_said(fuzz: Fuzz, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = fuzz(*ONE_RUN, "--corpus", "empty")
    assert ended.status == 0
    assert "corpus: empty: no inputs\n" in ended.stderr


def is_minimizer(pid: int) -> bool:
    try:
        return b"vblkfuzz.campaign.minimizer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_survives_the_orchestrator(start: Start, tmp_path: Path, number: int) -> None:
    """However it ends: neither workers nor what minimizes beside them."""
    process = start("--workers", "1", "--seed", "5", minimize=True)
    until(lambda: any(map(is_minimizer, children(process.pid))) and len(family(process.pid)) > 5)
    pids = family(process.pid)
    process.send_signal(number)
    process.communicate(timeout=WAIT_S)
    until(lambda: not any(map(alive, pids)))
    assert findings(tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--corpus", "gone"), "gone: expected a folder"),
        (("--device", "nothing"), "device nothing"),
        (("--max-total-time", "inf"), "--max-total-time"),
        (("--", "-runs=5"), "use --runs"),
        (("--", "-merge=1"), "not a campaign"),
        (("--", "folder"), "--corpus"),
    ],
)
def test_usage_is_one_line(fuzz: Fuzz, arguments: tuple[str, ...], complaint: str) -> None:
    ended = fuzz(*arguments)
    assert ended.status == 2
    (line,) = ended.stderr.splitlines()
    assert complaint in line
    assert not ended.out.exists()


def test_a_corpus_that_is_none_is_said_before_the_folder_goes_on(fuzz: Fuzz) -> None:
    assert fuzz(*ONE_RUN).status == 0
    ended = fuzz(*ONE_RUN, "--corpus", "gone")
    assert (ended.status, ended.stderr) == (2, "vblkfuzz: gone: expected a folder of inputs\n")


def test_the_time_begins_before_the_import(fuzz: Fuzz, tmp_path: Path) -> None:
    """Loading the program has taken all of it; one input is run nevertheless."""
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "one.bin").write_bytes(bytes(8))
    setup = (*ONE_RUN, "--runs", "0", "--max-total-time", "0.001")
    ended = fuzz(*setup, "--corpus", tmp_path / "brought")
    said = f"corpus: {tmp_path / 'brought'}: nothing imported, the 0.001 s of the campaign are over"
    assert (ended.status, ended.summary["execs"], said in ended.stderr) == (0, 1, True)


def test_arguments_for_libfuzzer_reach_it(fuzz: Fuzz) -> None:
    ended = fuzz("--workers", "1", "--runs", "50", "--", "-verbosity=1", "-print_final_stats=1")
    assert "INITED" in (ended.out / "log" / "worker-0.log").read_text()


def test_libfuzzer_ends_by_itself(fuzz: Fuzz) -> None:
    """With status 0 and nothing run; its log says why."""
    ended = fuzz("--workers", "1", "--runs", "50", "--", "-dict=/dev/null")
    assert (ended.status, ended.summary["execs"]) == (125, 0)
    assert ended.stderr.splitlines()[-1] == (
        "vblkfuzz: worker 0 ended before its budget was spent: ParseDictionaryFile: file does not "
        f"exist or is empty, see {ended.out}/log/worker-0.log"
    )
    assert not list((ended.out / "harness").iterdir())


def test_a_flag_that_libfuzzer_does_not_know(fuzz: Fuzz) -> None:
    ended = fuzz(*ONE_RUN, "--", "-nosuch=1")
    assert ended.status == 0
    assert ended.stderr.count("warning: libFuzzer: unrecognized flag '-nosuch=1'\n") == 1


def test_the_log_does_not_grow_with_the_corpus(fuzz: Fuzz) -> None:
    ended = fuzz("--workers", "1", "--runs", "400")
    lines = (ended.out / "log" / "worker-0.log").read_text().splitlines()
    assert len(lines) < 20
    time = r"--- \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(rf"{time} worker 0 starts, seed \d+", lines[0])
    assert re.fullmatch(rf"{time} worker 0 ended with exit status 0", lines[-1])


def test_an_output_folder_that_is_a_file(fuzz: Fuzz, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    ended = fuzz("--runs", "10")
    assert ended.status == 2
    (line,) = ended.stderr.splitlines()
    problem = "cannot be written: Not a directory; choose another --out"
    assert line == f"vblkfuzz: {tmp_path / 'out'}: {problem}"
    assert (tmp_path / "out").read_text() == "mine"


def test_an_output_folder_that_cannot_be_written(fuzz: Fuzz) -> None:
    ended = fuzz("--runs", "10", out=Path("/proc/self/fd/out"))
    assert ended.status == 2
    (line,) = ended.stderr.splitlines()
    assert "cannot be written" in line


def test_a_ledger_that_is_none(fuzz: Fuzz, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "campaign.sqlite").write_text("not a database, but long enough " * 9)
    ended = fuzz("--runs", "10")
    assert ended.status == 125
    (line,) = ended.stderr.splitlines()
    assert "campaign.sqlite: cannot be used" in line


def test_a_finding_that_does_not_fit_is_rescued(fuzz: Fuzz, tmp_path: Path) -> None:
    """Nobody, root included, can make a folder in /proc: as good as a full disk."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings").symlink_to("/proc/self/task")
    ended = fuzz("--workers", "1", "--seed", "5", "--runs", "100")
    assert ended.status == 125
    findings = ended.summary["findings"]
    assert findings
    for finding in findings:
        path = Path(finding["path"])
        assert path.is_relative_to(tmp_path) and (path / "finding.vblk").stat().st_size
        assert str(path) in ended.stderr


def test_bad_corpus_files_are_quarantined_and_the_rest_is_used(fuzz: Fuzz, tmp_path: Path) -> None:
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "bad.vblk").write_bytes(b"nonsense")
    (brought / "good").write_bytes(bytes(8))
    ended = fuzz("--workers", "1", "--runs", "5", "--corpus", brought, "--device", "reference")
    assert ended.status == 0
    assert ended.stderr.count("bad.vblk") == 1
    assert (ended.out / "quarantine" / "record.jsonl").read_text().count("bad.vblk") == 2


def test_a_pause_is_nobodys_fault(start: Start, tmp_path: Path) -> None:
    """A frozen container, a suspended job: for the clock, all were silent longer than allowed."""
    process = start(*ENDLESS)
    under_way(process, tmp_path / "out")
    everybody = family(process.pid)
    # Children first, and woken last: those who wait for them are caught waiting.
    for number, pids in ((signal.SIGSTOP, everybody[::-1]), (signal.SIGCONT, everybody)):
        for pid in pids:
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            time.sleep(1.5 * ANSWER_LIMIT_S)
    corpus = tmp_path / "out" / "corpus"
    found = len(list(corpus.iterdir()))
    until(lambda: len(list(corpus.iterdir())) > found)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=WAIT_S)
    summary = json.loads(stdout.splitlines()[-1])
    assert (summary["harness_errors"], summary["restarts"]) == (0, 0)


def test_findings_are_small_at_the_end_and_the_runs_are_the_same(
    fuzz: Fuzz, tmp_path: Path
) -> None:
    """What a worker runs does not depend on what is minimized beside it."""
    setup = ("--workers", "1", "--seed", "5", "--runs", "60", "--mode", "inline")
    left = fuzz(*setup)
    small = fuzz(*setup, out=tmp_path / "small", minimize=True)
    assert (left.status, small.status) == (77, 77)

    def found(ended: Ended) -> list[tuple[str, int]]:
        return [(one["signature"], one["first_exec"]) for one in ended.summary["findings"]]

    assert found(left) == found(small) != []
    assert left.summary["execs"] == small.summary["execs"] == 60
    assert [one["minimized"] for one in left.summary["findings"]] == [None] * len(found(left))
    for one in small.summary["findings"]:
        minimized = read_input(Path(one["path"]) / "minimized.vblk")
        assert minimized.expectation is not None
        assert minimized.expectation.signature == one["signature"]
        assert len(minimized.scenario.ops) == one["minimized"]["ops"]
        assert one["minimized"]["complete"]
