"""A thread that waits for the kernel, is woken while it is looked at, and gets no processor yet."""

from __future__ import annotations

from vblkfuzz.gate.thread_files import ThreadFiles


class WokenByTheKernel(ThreadFiles):
    """Its files, each reading of which is one later than the one before."""

    __slots__ = ("_readings", "_woken_at")

    def __init__(self, woken_at: int) -> None:
        """Let it be woken before reading number `woken_at`."""
        self._readings = 0
        self._woken_at = woken_at

    def _waits(self) -> bool:
        self._readings += 1
        return self._readings <= self._woken_at

    def where(self) -> bytes:
        return b"do_mprotect_pkey" if self._waits() else b"0"

    def runs(self) -> bytes:
        self._waits()
        return b"1468736 6445480 45"

    def _state(self) -> bytes:
        return b"D" if self._waits() else b"R"

    def close(self) -> None:
        pass
