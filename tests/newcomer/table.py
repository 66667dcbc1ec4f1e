"""How each shell command of README.md ends, and how it is made short enough for a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLEAN: Final = (0,)
FOUND: Final = (77,)
ALSO_FOUND: Final = (0, 77)
"""How much a few executions find on a real device may depend on it; and in the folder of an earlier
campaign only what is new counts."""


@dataclass(frozen=True)
class Row:
    """How a command ends.

    Attributes:
        statuses: exit statuses, one of which it has.
        changes: what stands in the page, and what runs instead; in addition to `SHORTER`.
        qemu: it needs a QEMU.
    """

    statuses: tuple[int, ...] = CLEAN
    changes: tuple[tuple[str, str], ...] = ()
    qemu: bool = False


FEW: Final = "--runs 400 --seed 1 --workers 1"
"""A number of executions, not a time: the verdict must not depend on the machine's speed."""
SHORTER: Final = (("--max-total-time 60", FEW), ("--runs 20000", FEW))

S1: Final = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
"""What the first campaign finds, as README.md says. So few executions need an input that has it."""
QEMU: Final = "$(command -v qemu-system-x86_64)"
"""Instead of the binaries of the reader."""

TABLE: Final = {
    # Quick start
    "python3 -m venv .venv && . .venv/bin/activate && pip install --quiet ."
    " && vblkfuzz fuzz --max-total-time 60": Row(
        FOUND,
        changes=(("vblkfuzz fuzz", "vblkfuzz fuzz --corpus corpus/regress/s1-reset-in-drain"),),
    ),
    # The suite cannot run itself: that tox is installed, and reads its file.
    "python3 -m venv .venv && .venv/bin/pip install --quiet tox && .venv/bin/tox": Row(
        changes=((".venv/bin/tox", ".venv/bin/tox list"),)
    ),
    # What to do with a finding
    "vblkfuzz triage vblkfuzz-out": Row(),
    "vblkfuzz triage vblkfuzz-out show s1-reset-stop": Row(),
    "vblkfuzz status vblkfuzz-out": Row(),
    "vblkfuzz show S1": Row(),
    "vblkfuzz replay vblkfuzz-out/findings": Row(FOUND),
    "vblkfuzz minimize vblkfuzz-out": Row(),
    "vblkfuzz export vblkfuzz-out --to html -o report.html": Row(),
    "vblkfuzz export vblkfuzz-out --to pytest -o test_found.py": Row(),
    "vblkfuzz export vblkfuzz-out --to sarif -o found.sarif": Row(),
    "vblkfuzz export vblkfuzz-out/findings/SIGNATURE --to issue -o issue.md": Row(
        changes=(("SIGNATURE", S1),)
    ),
    "vblkfuzz show corpus/regress/s1-reset-in-drain/scenario.toml": Row(),
    "vblkfuzz replay corpus/regress/s1-reset-in-drain --trace": Row(FOUND),
    "vblkfuzz minimize corpus/regress/s1-reset-in-drain/scenario.toml -o small.toml": Row(),
    "vblkfuzz export corpus/regress/s1-reset-in-drain --to perfetto -o trace.json": Row(),
    "vblkfuzz explore corpus/regress/s3-handler-not-submitted": Row(FOUND),
    "vblkfuzz explore corpus/regress/s3-handler-not-submitted --device reference": Row(),
    "vblkfuzz explore --stories 3 --device reference --out stories-out": Row(),
    "vblkfuzz bisect corpus/regress/s1-wrong-context": Row(FOUND),
    # Fuzz something else
    "vblkfuzz fuzz --device reference --runs 20000 --out reference-out": Row(),
    "vblkfuzz fuzz --device reference --defect no_selfkick --runs 20000 --out defect-out": Row(
        FOUND
    ),
    "vblkfuzz fuzz --corpus corpus/start --max-total-time 60": Row(ALSO_FOUND),
    "vblkfuzz fuzz --without stop --max-total-time 60": Row(ALSO_FOUND),
    "vblkfuzz cmin vblkfuzz-out/corpus -o small-corpus": Row(),
    "vblkfuzz merge small-corpus reference-out/corpus": Row(),
    "vblkfuzz list devices": Row(),
    "vblkfuzz list defects": Row(),
    "vblkfuzz list rules": Row(),
    "vblkfuzz list ops": Row(),
    "vblkfuzz bench core": Row(changes=(("core", "core --rounds 1"),)),
    "pip install --quiet '.[bench]' && vblkfuzz bench detect --short": Row(
        changes=(("--short", "--short --trials 1 --runs 10 --search default"),)
    ),
    "pip install --quiet '.[web]' && vblkfuzz serve vblkfuzz-out": Row(
        (124,), (("vblkfuzz serve", "timeout 20 vblkfuzz serve"),)
    ),
    "vblkfuzz fuzz --store shared --out node-1 --max-total-time 60": Row(FOUND),
    # It says what to install.
    "vblkfuzz cluster --ray local --nodes 2 --store shared --max-total-time 60": Row((2,)),
    "echo 's8-*' > known.txt && vblkfuzz fuzz --known known.txt --max-total-time 60": Row(
        ALSO_FOUND
    ),
    # Your own device
    "vblkfuzz new my_device": Row(),
    "vblkfuzz fuzz --device my_device/device.py:MyDevice --max-total-time 60 --out my-out": Row(),
    "vblkfuzz coverage my-out --device my_device/device.py:MyDevice": Row(),
    # Keep it fixed: --runs bounds the campaign after the corpus.
    "vblkfuzz ci --budget 8m --corpus corpus --junit vblkfuzz.xml": Row(
        FOUND, changes=(("--budget 8m", "--budget 8m --runs 20 --seed 1 --workers 1"),)
    ),
    # Real QEMU
    "vblkfuzz fuzz --target qemu --max-total-time 60 --out qemu-out": Row(
        ALSO_FOUND, changes=((FEW, "--runs 10 --seed 1 --workers 1"),), qemu=True
    ),
    "vblkfuzz export corpus/regress/s1-reset-in-drain --to qtest --target qemu -o reproducer.py": (
        Row(qemu=True)
    ),
    # Debian's QEMU has the bug. Others, that of the reader, may not.
    "python3 reproducer.py": Row((1, 0), qemu=True),
    "vblkfuzz export corpus/regress/s1-reset-in-drain --to iotest --target qemu -o drain-reset": (
        Row(qemu=True)
    ),
    "vblkfuzz compare --binaries v7.2/qemu-system-x86_64 v10.0/qemu-system-x86_64"
    " --corpus corpus/regress": Row(
        changes=(
            ("v7.2/qemu-system-x86_64 v10.0/qemu-system-x86_64", f"{QEMU} {QEMU}"),
            ("corpus/regress", "corpus/regress/s1-reset-in-drain"),
        ),
        qemu=True,
    ),
    "vblkfuzz compare --base old/qemu-system-x86_64 --patched new/qemu-system-x86_64"
    " --minutes 10": Row(
        changes=(
            ("old/qemu-system-x86_64", QEMU),
            ("new/qemu-system-x86_64", QEMU),
            ("--minutes 10", "--minutes 0.05"),
        ),
        qemu=True,
    ),
    # Without the source of QEMU: what runs in each step.
    "git bisect run sh -c 'make -C build || exit 125\n"
    "    vblkfuzz bisect small.toml --binaries build/qemu-system-x86_64 --repeat 5'": Row(
        ALSO_FOUND,
        changes=(
            ("git bisect run sh -c 'make -C build || exit 125\n    ", ""),
            ("build/qemu-system-x86_64 --repeat 5'", f"{QEMU} --repeat 1"),
        ),
        qemu=True,
    ),
    # Where it runs
    "vblkfuzz doctor": Row(),
}


def as_run(command: str) -> str:
    """Return what runs for a command of the page."""
    for printed, instead in (*SHORTER, *TABLE[command].changes):
        command = command.replace(printed, instead)
    return command
