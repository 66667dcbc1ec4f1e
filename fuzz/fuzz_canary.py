"""Find a planted bug that needs feedback from the device process.

    python fuzz/fuzz_canary.py -runs=10000 -seed=4               # found: exit 77
    python fuzz/fuzz_canary.py -runs=10000 -seed=4 -feedback=0   # not found: exit 0

It tests the path of the feedback: probes in the device process, the shared region, libFuzzer. The
device is in `canary_device.py`. It must not be imported here, because it gets its probes when the
worker loads it. `vblkfuzz.campaign.fuzz_target` describes flags, folders and exit codes.
"""

from pathlib import Path

from vblkfuzz.campaign.fuzz_target import run

if __name__ == "__main__":
    run(
        f"{Path(__file__).with_name('canary_device.py')}:Canary",
        # State features do not depend on sectors, and inputs kept for them slow the search down
        # (with -states=1, most seeds find it all the same). libFuzzer's preference for rare
        # features and its crossing over slow it down, too.
        # One mutation at a time: without feedback, a single input must not get all steps by chance.
        ("-states=0", "-entropic=0", "-cross_over=0", "-mutate_depth=1"),
    )
