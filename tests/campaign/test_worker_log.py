"""What the log of a worker says."""

from __future__ import annotations

from pathlib import Path

from vblkfuzz.campaign.worker_log import last_words, unknown_flags

START = "--- 2026-01-01T00:00:00+00:00 worker 0 starts, seed 1\n"
END = "--- 2026-01-01T00:00:01+00:00 worker 0 ended with exit status 0\n"


def test_of_the_last_start_only(tmp_path: Path) -> None:
    log = tmp_path / "worker-0.log"
    warning = "WARNING: unrecognized flag '-one=1'; use -help=1 to list all flags\n"
    log.write_text(f"{START}{warning}first\n{END}{START}second\n\n{END}")
    assert (last_words(log), unknown_flags(log)) == ("second", [])
    log.write_text(f"{START}{warning}first\n{END}")
    assert (last_words(log), unknown_flags(log)) == ("first", ["unrecognized flag '-one=1'"])


def test_a_log_without_a_word(tmp_path: Path) -> None:
    log = tmp_path / "worker-0.log"
    assert (last_words(log), unknown_flags(log)) == ("", [])
    log.write_text(f"{START}{END}")
    assert last_words(log) == ""


def test_the_end_of_a_long_log(tmp_path: Path) -> None:
    log = tmp_path / "worker-0.log"
    log.write_text(START + "x\n" * 100_000 + "last \n" + END)
    assert last_words(log) == "last"
