"""Fuzz a device from your own Atheris program, as OSS-Fuzz and ClusterFuzzLite want it.

    import sys
    import atheris
    from vblkfuzz.fuzz_target import FuzzTarget, arguments

    target = FuzzTarget("my_device.py:Mine")
    atheris.Setup(
        arguments(sys.argv),
        target.test_one_input,
        custom_mutator=target.mutate,
        custom_crossover=target.crossover,
    )
    atheris.Fuzz()

All flags are those of libFuzzer. A violation is an exception, so libFuzzer writes the input to
``crash-...`` and ends. The device runs in mode inline. `vblkfuzz fuzz` has several workers, keeps a
finding for each bug and goes on; use this module where another program starts and judges fuzzers.

Create the `FuzzTarget` before you import anything else of vblkfuzz: what is imported with it gets
probes, which is the coverage that libFuzzer follows.
"""

from __future__ import annotations

import shlex
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.feedback import libfuzzer_core
from vblkfuzz.feedback.probed import probed_model
from vblkfuzz.mutation.mutate import Mutator
from vblkfuzz.mutation.parents import Parents
from vblkfuzz.oracle.naming.known import matches
from vblkfuzz.scenario.codec import MAX_BYTES, decode
from vblkfuzz.trace.lanes import lanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.executor import Execution

FLAGS: Final = (
    f"-max_len={MAX_BYTES}",
    "-len_control=0",  # inputs cut short are seldom useful
    # Mutations in a row before libFuzzer takes another input (default 5). After three, little
    # of an input is left.
    "-mutate_depth=2",
)
"""Flags of libFuzzer that suit the inputs of vblkfuzz."""


def arguments(given: Sequence[str]) -> list[str]:
    """Return arguments for `atheris.Setup`: those of `sys.argv`, with `FLAGS` before its flags.

    libFuzzer starts the program again for ``-merge=1`` and ``-fork=1``, by a shell. A script needs
    its Python for that, unless it is an executable that PyInstaller made.
    """
    program, *flags = given
    if not getattr(sys, "frozen", False):
        program = shlex.join((sys.executable, program))
    return [program, *FLAGS, *flags]


class FuzzTarget:
    """A device, and the functions that libFuzzer calls. Create one per process.

    Args:
        device: name of a revision, ``package.module:Class`` or ``file.py:Class``.
        known: signatures of violations that are not raised, with ``*``, ``?`` and ``[...]``.

    Raises:
        UsageError: there is no such device.
        RuntimeError: guest or device modules were imported before, so they cannot get probes.
    """

    def __init__(self, device: str = "reference", known: Sequence[str] = ()) -> None:
        self._target, coverage, blind_spots = probed_model(device, "inline")
        from vblkfuzz.feedback.region import Region

        self._known = tuple(known)
        self._region = Region(coverage)
        self._registered = False
        self._parents = Parents()
        self._mutator: Mutator | None = None
        self.harness_errors = 0
        """Inputs without a verdict. They are counted and never raised; stderr has the last one
        whenever their number has doubled."""
        if blind_spots:
            _warn(blind_spots)
        self._target.__enter__()

    def test_one_input(self, data: bytes) -> None:
        """Run one input: the function to give to `atheris.Setup`.

        Raises:
            ViolationFound: a rule was violated. The class has the name of the rule, and the
                innermost functions of the stack have that of the signature, so that services which
                compare stack traces tell bugs apart as vblkfuzz does.
        """
        execution = self.run(data)
        if execution is not None:
            self.check(execution)

    def run(self, data: bytes) -> Execution | None:
        """Run one input and mark its coverage; for a function of your own, with `check`.

        Returns:
            The scenario with its trace and verdict; None if there is no verdict.
        """
        from vblkfuzz.executor import run_scenario

        if not self._registered:
            self._register()
        try:
            execution = run_scenario(self._target, decode(data))
        # No finding in the device, so libFuzzer must not see it.
        except (Exception, SystemExit) as error:
            self._count(error)
            return None
        self._region.mark_states(execution.trace)
        self._region.count()
        self._parents.note(data, self._region.marked, partial(lanes, execution.trace))
        return execution

    def check(self, execution: Execution) -> None:
        """Raise the first violation of an execution that is neither known nor follows from another.

        Raises:
            ViolationFound: see `test_one_input`.
        """
        from vblkfuzz.oracle.naming.raised import raise_violation

        for violation in execution.verdict.causes:
            if not matches(violation.signature, self._known):
                raise_violation(violation)

    def mutate(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Return a mutated input; `custom_mutator` of `atheris.Setup`."""
        return self._mutator_for(seed).mutate(data, max_size)

    def crossover(self, left: bytes, right: bytes, max_size: int, seed: int) -> bytes:
        """Return an input with parts of two; `custom_crossover` of `atheris.Setup`."""
        return self._mutator_for(seed).crossover(left, right, max_size)

    def _mutator_for(self, seed: int) -> Mutator:
        """Return the mutator. libFuzzer's first seed decides all that it does."""
        if self._mutator is None:
            self._mutator = Mutator(seed, parents=self._parents)
        return self._mutator

    def _register(self) -> None:
        """Register the coverage in the first execution: libFuzzer runs from then on."""
        self._registered = True
        self._region.register()
        if libfuzzer_core.is_preloaded():
            _warn(libfuzzer_core.NO_MUTATOR)

    def _count(self, error: BaseException) -> None:
        self.harness_errors += 1
        if self.harness_errors & (self.harness_errors - 1) == 0:
            _warn(f"harness error {self.harness_errors}, no finding: {_text(error)}")


def _text(error: BaseException) -> str:
    """Return the text of a fault of the harness; of an unexpected one, with its stack."""
    if isinstance(error, HarnessError):
        return str(error)
    return "".join(traceback.format_exception(error))


def _warn(text: str) -> None:
    print(f"vblkfuzz: {text}", file=sys.stderr, flush=True)
