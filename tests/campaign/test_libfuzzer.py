"""Which arguments reach libFuzzer, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.campaign.fuzz_target import plan_of
from vblkfuzz.campaign.libfuzzer import arguments_of, check_arguments
from vblkfuzz.errors import UsageError
from vblkfuzz.launch.plan import WorkerPlan


@pytest.mark.parametrize(
    "argument",
    [
        *("-runs=1", "-fork=2", "-merge=1", "-artifact_prefix=x", "x", "-x", "--x=1"),
        *("-merge_inner=1", "-minimize_crash_internal_step=1", "-collect_data_flow=x"),
        *("-analyze_dict=1", "-stop_file=x", "-exit_on_item=x", "-ignore_remaining_args=1"),
    ],
)
def test_what_would_break_a_campaign_is_refused(argument: str) -> None:
    with pytest.raises(UsageError, match=f"libFuzzer argument {argument}"):
        check_arguments(["-len_control=1", argument])


def test_an_input_is_for_replay(tmp_path: Path) -> None:
    """With libFuzzer, the same command runs one input."""
    crash = tmp_path / "crash-1"
    crash.touch()
    with pytest.raises(UsageError, match=f"to run an input: vblkfuzz replay {crash}"):
        check_arguments([str(crash)])


def test_flags_of_users_win_over_defaults_but_not_over_what_must_be() -> None:
    plan = WorkerPlan(
        0, "patch-v4", "inline", 3, "out", corpora=["c"], libfuzzer=["-max_len=9", "-handle_int=1"]
    )
    _, *given = arguments_of(plan)
    flags = dict(flag[1:].split("=", 1) for flag in given if flag.startswith("-"))
    assert (flags["max_len"], flags["handle_int"], flags["seed"]) == ("9", "0", "3")
    assert given[-1] == "c"
    # The folder harness/ is for inputs without a verdict: `replay OUT/harness` runs all in it.
    assert flags["artifact_prefix"] == "out/log/libfuzzer-"


def test_a_seed_of_zero_would_be_random() -> None:
    assert "-seed=1" in arguments_of(WorkerPlan(0, "patch-v4", "inline", 1 << 31, "out"))


@pytest.mark.parametrize("seconds", ["0", "-1"])
def test_no_time_limit_of_a_target_is_as_in_libfuzzer(tmp_path: Path, seconds: str) -> None:
    assert plan_of([f"-max_total_time={seconds}"], "patch-v4", tmp_path).deadline == 0


def test_flags_of_a_target(tmp_path: Path) -> None:
    arguments = ["-runs=5", "-seed=7", "-ignore_crashes=1", "-print_pcs=1", str(tmp_path)]
    plan = plan_of(arguments, "patch-v4", Path("out"))
    assert (plan.runs, plan.seed, plan.stop_on_first) == (5, 7, False)
    assert plan.libfuzzer == ["-print_pcs=1"]
    assert plan.corpora == [str(tmp_path)]
    assert plan.feedback
    assert not plan_of(["-feedback=0"], "patch-v4", Path("out")).feedback
    assert plan_of([], "patch-v4", Path("out")).runs == 0
