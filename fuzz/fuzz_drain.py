"""Fuzz the drained sections of a virtio-blk device: the project's main target, libFuzzer style.

    python fuzz/fuzz_drain.py -max_total_time=60 corpus-folder
    VBLKFUZZ_DEVICE=reference python fuzz/fuzz_drain.py -runs=100000

The device is revision `seed` or what ``VBLKFUZZ_DEVICE`` names. Flags, folders and exit codes:
`vblkfuzz.campaign.fuzz_target`.
"""

import os

from vblkfuzz.campaign.fuzz_target import run

if __name__ == "__main__":
    run(os.environ.get("VBLKFUZZ_DEVICE", "seed"))
