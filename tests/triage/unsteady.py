"""A target that shows its bugs in some runs only."""

from __future__ import annotations

from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.trace import Trace


class Unsteady:
    """The model of patch-v4 in every n-th run, else the reference, or an error."""

    name = "unsteady"
    device = "patch-v4"
    mode = "inline"

    def __init__(self, every: int, error: Exception | None = None) -> None:
        self._models: list[InlineModel] = []
        self._every = every
        self._error = error
        self._runs = 0

    def __enter__(self) -> Unsteady:
        for device in ("reference", "patch-v4"):
            opened = model(device, "inline")
            assert isinstance(opened, InlineModel)
            self._models.append(opened.__enter__())
        return self

    def __exit__(self, *_: object) -> None:
        for opened in self._models:
            opened.__exit__(None, None, None)

    def run(self, scenario: Scenario) -> Trace:
        self._runs += 1
        shows = self._runs % self._every == 0
        if self._error and not shows:
            raise self._error
        return self._models[shows].run(scenario)
