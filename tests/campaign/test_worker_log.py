"""What the log of a worker says."""

from __future__ import annotations

import errno
from pathlib import Path

from vblkfuzz.campaign.worker_log import last_words, unknown_flags
from vblkfuzz.errors import too_many_files

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


def test_what_atheris_says_of_each_end_is_no_reason(tmp_path: Path) -> None:
    log = tmp_path / "worker-0.log"
    log.write_text(f"{START}the reason\nKeyboardInterrupt: stopping.\n{END}")
    assert last_words(log) == "the reason"


def test_a_limit_of_open_files_says_what_to_do() -> None:
    advice = too_many_files(OSError(errno.EMFILE, "Too many open files"))
    assert advice == "Too many open files: allow more, for example: ulimit -n 1024"
    assert too_many_files(OSError(errno.ENOENT, "No such file")) == ""
    assert too_many_files(ValueError(errno.EMFILE)) == ""
