"""Every bound of the project, with its reason.

Two processes rely on most of these numbers (arena offsets, record sizes), so they live in one
file and their relations are asserted when it is imported.
"""

from typing import Final

# --- Device ---------------------------------------------------------------------------------
MAX_QUEUES: Final = 4
"""Queues of one device. Four shows every per-queue mix-up; real guests rarely use more in tests."""

QUEUE_SIZES: Final = (4, 8, 16, 32)
"""Ring sizes (entries). Small rings wrap and fill within a few operations."""

MAX_QUEUE_SIZE: Final = max(QUEUE_SIZES)

MAX_IOTHREADS: Final = 2
"""IOThreads of one device. Two is enough for queues that live in different threads."""

SECTOR_SIZE: Final = 512
"""Bytes of a virtio-blk sector (virtio 1.2, 5.2)."""

DISK_SECTORS: Final = (8, 16, 64, 128)
"""Disk capacities a scenario may choose (sectors)."""

MAX_DISK_SECTORS: Final = 256
"""Upper end of a resize (sectors)."""

FIRST_INDICES: Final = (0, 0xFFFF, 0xFFF8, 0x7FFF)
"""Ring indices a scenario may begin with: no execution lives long enough to wrap from 0."""

MAX_REQUEST_SECTORS: Final = 4
"""Largest data buffer of one request (sectors)."""

SLOTS_PER_QUEUE: Final = 8
"""Requests the guest driver keeps outstanding on one queue: each owns a header, data, status."""

# --- Scenario -------------------------------------------------------------------------------
MAX_OPS: Final = 64
"""Operations of one scenario. Known bugs need at most 8; the rest is context."""

MAX_DEVIATIONS: Final = 8
"""Schedule deviations of one scenario. Almost all ordering bugs need one or two."""

MAX_POINT: Final = 256
"""Preemption points of one operation that a deviation can name (0..255)."""

# --- Execution ------------------------------------------------------------------------------
MAX_STEPS: Final = 20_000
"""Preemption points of one execution. A clean one needs about 500; more is a livelock (L5)."""

MAX_NESTING: Final = 32
"""Stations of causal paths that a thread may be in at once. The reference nests 5, planted defects
nest 9; a device that recurses reaches any limit (L5), and this one long before Python's."""

HANG_LIMIT_S: Final = 2.0
"""Seconds of processor time of an execution on a user's device (2000 x a normal run): one that
takes more hangs."""

ANSWER_LIMIT_S: Final = 6.0
"""Seconds without an answer from the actors before they are killed. More than HANG_LIMIT_S, so that
a busy device says itself where it hangs, also on a machine with other work."""

RESPAWN_LIMIT_S: Final = 10.0
"""Seconds for the zygote to answer with fresh actors before the harness gives up."""

STUCK_LIMIT_S: Final = 60.0
"""Seconds without a new execution after which a whole worker is ended. All that can hang within it
has a shorter limit of its own."""

DEVICE_LIMIT_S: Final = 5.0
"""Seconds in which a real device process has to answer operator and guest. What takes this long on
an idle machine hangs: an answer takes under a millisecond, and up to a second beside heavy load."""

# --- Arena ----------------------------------------------------------------------------------
GUEST_MEMORY_SIZE: Final = 128 * 1024
"""Bytes of guest memory: rings and request slots of every queue."""

TRACE_EVENTS_MAX: Final = 4096
"""Events one process may record in one execution; more is dropped and counted."""

COVERAGE_SIZE: Final = 8192
"""Bytes of the shared coverage region. libFuzzer scans and clears it each execution:
8 KiB cost well under a microsecond, 64 KiB would cost 5."""

COVERAGE_EDGES: Final = 2048
"""First part of the coverage region: code blocks. The rest holds state features."""

MAX_REPORT_BYTES: Final = 16 * 1024
"""Bytes of a traceback that a dying actor leaves in the arena."""

# --- Files ----------------------------------------------------------------------------------
MAX_ARTIFACT_BYTES: Final = 1 << 20
"""Largest `.vblk` or `.toml` that we read. A full scenario takes about 2 KiB."""

assert COVERAGE_EDGES < COVERAGE_SIZE
assert all(size & (size - 1) == 0 for size in QUEUE_SIZES), "virtio 2.7: a power of two"
assert max(DISK_SECTORS) <= MAX_DISK_SECTORS <= 0xFFFF
