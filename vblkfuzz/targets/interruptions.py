"""The schedule of one scenario on a real device: its gate, from operation to operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.scenario.place import Place
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.recorder import Recorder
    from vblkfuzz.targets.rig import Gated, Rig


class Interruptions:
    """Tells the gate of a device process, if it has one, where to interrupt its threads.

    A device without a gate runs as it likes. A process that is started within the scenario, as by a
    restore, has a gate of its own.
    """

    def __init__(self, rig: Rig, guest: int, scenario: Scenario) -> None:
        """Begin a scenario of the guest process `guest`."""
        self._rig, self._guest = rig, guest
        self._schedule = scenario.schedule
        self._operations = len(scenario.ops)
        self._gated: Gated | None = None
        """The process that was told last."""
        self._index = 0
        """Of the operation, those of the epilogue included."""
        self._places: dict[int, Place] = {}
        self._stops: dict[int, tuple[int, ...]] = {}
        self._neighbours: dict[int, None] = {}

    @property
    def places(self) -> tuple[Place | None, ...]:
        """As `Trace.places`."""
        if not self._stops:
            return ()
        return tuple(self._places.get(index) for index in range(len(self._schedule)))

    @property
    def stops(self) -> tuple[tuple[int, ...], ...]:
        """As `Trace.stops`."""
        if not self._stops:
            return ()
        return tuple(self._stops.get(index, ()) for index in range(self._operations))

    @property
    def neighbours(self) -> tuple[int, ...]:
        """As `Trace.neighbours`."""
        return tuple(self._neighbours)

    def begin(self, index: int) -> None:
        """Begin an operation of the scenario; the device is at rest, or the one before goes on.

        Raises:
            DeviceLost: the device does not answer.
        """
        gated = self._current()
        self._index = index
        if gated is None:
            return
        due = [item for item in enumerate(self._schedule) if item[1].op == index]
        self._watch_locks(gated, on=any(deviation.locks for _, deviation in due))
        gated.gate.begin(due)

    def begin_epilogue(self) -> None:
        """Begin an operation that the scenario does not have."""
        gated = self._current()
        self._index += 1
        if gated is not None:
            self._watch_locks(gated, on=False)
            gated.gate.begin()

    def settle(self, recorder: Recorder) -> None:
        """End an operation: wait until the device is idle, and all threads go on that were held."""
        self._rig.settle(recorder)
        self._let_go(recorder, self._index)

    def release(self, recorder: Recorder) -> None:
        """Let all threads go on that are held, over the next operation, too; then as `settle`.

        The guest collects for the last time after that: what they do later it would not see.
        """
        self._let_go(recorder, self._index + 1)

    def _let_go(self, recorder: Recorder, before: int) -> None:
        gated = self._gated
        if gated is None or gated is not self._rig.gated:
            return
        while gated.gate.resume() or gated.gate.resume_over_next(before):
            recorder.acts += 1
            self._rig.settle(recorder)
        self._note(gated)

    def _note(self, gated: Gated) -> None:
        self._stops[self._index] = gated.gate.passed

    def _take(self, gated: Gated) -> None:
        """Take what a gate has noted of the whole scenario, once the scenario leaves it."""
        self._note(gated)
        self._places |= gated.gate.places
        self._neighbours |= dict.fromkeys(gated.gate.neighbours)

    def end(self) -> None:
        """Let all threads go on, from now on as they like."""
        if self._gated is not None:
            self._take(self._gated)
            self._gated.free()
            self._gated = None

    def _current(self) -> Gated | None:
        gated, before = self._rig.gated, self._gated
        if before is not None:
            self._note(before)
        if gated is not before:
            if before is not None:
                self._take(before)
            if gated is not None:
                gated.start(self._guest)
            self._gated = gated
        return gated

    def _watch_locks(self, gated: Gated, *, on: bool) -> None:
        """Make locks points or not, unless the device waits for a held request and answers nothing.

        Then a deviation at a lock is not met.
        """
        if not self._rig.keeps_guest_waiting:
            gated.watch_locks(on=on)
