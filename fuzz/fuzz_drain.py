"""Fuzz the drained sections of a virtio-blk device: the main fuzz target, in libFuzzer's style.

    python fuzz/fuzz_drain.py -max_total_time=60 corpus-folder
    VBLKFUZZ_DEVICE=reference python fuzz/fuzz_drain.py -runs=100000

The device is revision `patch-v4`, or the one that ``VBLKFUZZ_DEVICE`` names.
`vblkfuzz.campaign.fuzz_target` describes flags, folders and exit codes.
"""

import os

from vblkfuzz.campaign.fuzz_target import run

if __name__ == "__main__":
    run(os.environ.get("VBLKFUZZ_DEVICE", "patch-v4"))
