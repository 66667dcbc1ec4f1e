"""Every bound of the project, with its reason.

Most of these numbers must be the same in all processes (arena offsets, record sizes), so they are
in one file, and their relations are asserted at import.
"""

from typing import Final

# --- Device ---------------------------------------------------------------------------------
MAX_QUEUES: Final = 4
"""Most queues of one device. Four show every mix-up of queues; tests rarely use more."""

QUEUE_SIZES: Final = (4, 8, 16, 32)
"""Ring sizes (entries) of a scenario. Small rings wrap and fill within a few operations."""

MAX_QUEUE_SIZE: Final = max(QUEUE_SIZES)

MAX_UNITS: Final = 3
"""Most logical units of one device of virtio-scsi. With three, two are drained and one is not."""

MAX_IOTHREADS: Final = 2
"""Most IOThreads of one device. Two are enough for queues in different threads."""

SECTOR_SIZE: Final = 512
"""Bytes of a virtio-blk sector (virtio 1.2, 5.2)."""

DISK_SECTORS: Final = (8, 16, 64, 128)
"""Disk capacities (sectors) of a scenario."""

MAX_DISK_SECTORS: Final = 256
"""Largest capacity after a resize (sectors)."""

FIRST_INDICES: Final = (0, 0xFFFF, 0xFFF8, 0x7FFF)
"""First ring indices of a scenario: an execution is too short for indices to wrap from 0."""

MAX_REQUEST_SECTORS: Final = 4
"""Largest data buffer of one request (sectors)."""

SLOTS_PER_QUEUE: Final = 8
"""Most outstanding requests of one queue; each has its own header, data and status in memory."""

# --- Scenario -------------------------------------------------------------------------------
MAX_OPS: Final = 64
"""Most operations of one scenario. Known bugs need at most 8; the rest is context."""

MAX_EPILOGUE: Final = MAX_OPS + 8
"""Most operations of an epilogue. Each operation may open a drained section; the rest is for what
there is once, such as a stop of the VM. Most scenarios need two."""

MAX_DEVIATIONS: Final = 32
"""Most schedule deviations of one scenario. Almost all ordering bugs need one or two; what a
scheduler decides in a short story takes up to some twenty."""

MAX_POINT: Final = 256
"""A deviation can name the preemption points 0..255 of an operation."""

# --- Execution ------------------------------------------------------------------------------
MAX_STEPS: Final = 20_000
"""Most preemption points of one execution. A clean one needs about 500; at the limit it is a
livelock (rule L5)."""

MAX_NESTING: Final = 32
"""Stations of causal paths that a thread may be in at once. The reference nests 5, planted defects
nest 9; a device that recurses reaches any limit (L5), and this one long before Python's."""

IMPORT_LIMIT_S: Final = 20
"""Seconds of processor time after which a user's module is said not to end when it is imported.
The largest libraries take ten."""

HANG_LIMIT_S: Final = 2.0
"""Seconds of processor time after which an execution on a user's device is a hang; 2000 times a
normal execution."""

MEMORY_LIMIT_MB: Final = 2048
"""MiB that a user's device may take, as in libFuzzer; each program that it starts may, too."""

ANSWER_LIMIT_S: Final = 6.0
"""Seconds without an answer from the actors after which they are killed."""

WAIT_LIMIT_S: Final = 45.0
"""The same for a user's device. It is for a device that waits, so it is long: one that loops
reaches HANG_LIMIT_S first, also on a machine with much other work."""

RESPAWN_LIMIT_S: Final = 10.0
"""Seconds in which the zygote must have forked fresh actors; after that the zygote is lost."""

STUCK_LIMIT_S: Final = 60.0
"""Seconds without a new execution after which a worker is ended. Each part of a worker that can
hang has a shorter limit of its own."""

DEVICE_LIMIT_S: Final = 5.0
"""Seconds of CPU time that a real device process may spend on an answer to operator or guest; after
that it hangs. Most answers take less than a millisecond, those of a start or a restore a few tens.
By the clock it is the limit of waits that never lead to a finding."""

BUSY_LIMIT_S: Final = 30.0
"""Seconds without an answer from a real device after which it is given up without a verdict: it
neither sleeps nor has spent DEVICE_LIMIT_S. So long only on a machine with much other work."""

# --- Arena ----------------------------------------------------------------------------------
GUEST_MEMORY_SIZE: Final = 128 * 1024
"""Bytes of guest memory: rings and request slots of every queue."""

TRACE_EVENTS_MAX: Final = 8192
"""Most events that one process records in one execution; further events are dropped and counted. A
start that fails again and again while the schedule holds another thread made 5,031."""

COVERAGE_SIZE: Final = 8192
"""Bytes of the shared coverage region. libFuzzer scans and clears it in each execution: 8 KiB take
well under a microsecond, 64 KiB would take 5."""

COVERAGE_EDGES: Final = 2048
"""Bytes for code blocks, the first part of the coverage region. The rest holds state features."""

MAX_FUNCTIONS: Final = 1 << 16
"""Most functions of a device program whose coverage is noted. QEMU 7.2 has 22,763."""

EDGE_MAP_BYTES: Final = 1 << 16
"""Bytes in which a program of your own build notes its edges. QEMU's daemon meets 5,000 of them."""

MAX_REPORT_BYTES: Final = 16 * 1024
"""Most bytes of a traceback in the report area of the arena."""

MAX_STEERING_BYTES: Final = 1024
"""Most bytes of the name of a scheduler and its task: a line of JSON of some ten numbers."""

# --- Messages -------------------------------------------------------------------------------
MAX_MESSAGE_BYTES: Final = 1 << 20
"""Longest message of a worker (bytes of JSON). The longest parts are an input in hexadecimal, twice
16 KiB, and a report."""

# --- Files ----------------------------------------------------------------------------------
MAX_ARTIFACT_BYTES: Final = 1 << 20
"""Largest `.vblk` or `.toml` that is read (bytes). A full scenario takes about 2 KiB."""

# --- Views ----------------------------------------------------------------------------------
FINDINGS_PER_PAGE: Final = 50
"""Most findings that a list or a report runs at once: a few seconds, and what somebody reads."""
MAX_COLLECTED: Final = 64
"""Used entries that the driver takes from a queue in one operation: a wrong used idx must not make
the loop endless."""

assert HANG_LIMIT_S < ANSWER_LIMIT_S < WAIT_LIMIT_S < STUCK_LIMIT_S
assert DEVICE_LIMIT_S < BUSY_LIMIT_S < STUCK_LIMIT_S
assert COVERAGE_EDGES < COVERAGE_SIZE
assert all(size & (size - 1) == 0 for size in QUEUE_SIZES), "virtio 2.7: a power of two"
assert max(DISK_SECTORS) <= MAX_DISK_SECTORS <= 0xFFFF
