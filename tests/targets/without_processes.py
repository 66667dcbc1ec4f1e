"""A target without processes, for tests that prepare its traces."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.trace import Trace


class WithoutProcesses:
    """Satisfies `Target`; each kind says what `run` returns."""

    name, device, mode = "fake", "disk", "processes"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def run(self, scenario: Scenario) -> Trace:
        raise NotImplementedError  # each fake has its own
