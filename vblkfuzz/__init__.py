"""Coverage-guided, schedule-controlled fuzzing of virtio-blk devices, in several processes.

One input is a `scenario`: what the guest, the operator and the backend do, and where the schedule
differs from the plain order. It runs on a `target`, which gives a `trace`; the oracles judge the
trace. Read `vblkfuzz.scenario.ops` first, then `vblkfuzz.executor`.
"""

__version__ = "0.1.0"
