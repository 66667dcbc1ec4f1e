"""Find a planted bug that only feedback from the device process leads to.

    python fuzz/fuzz_canary.py -runs=5000 -seed=1               # found: exit 77
    python fuzz/fuzz_canary.py -runs=5000 -seed=1 -feedback=0   # not found: exit 0

It tests the way of the feedback: probes in the device process, the shared region, libFuzzer. The
device is in `canary_device.py`, which must not be imported here: it gets its probes when the worker
loads it. Flags, folders and exit codes: `vblkfuzz.campaign.fuzz_target`.
"""

from pathlib import Path

from vblkfuzz.campaign.fuzz_target import run

if __name__ == "__main__":
    run(
        f"{Path(__file__).with_name('canary_device.py')}:Canary",
        # State features know nothing of sectors, and inputs kept for them make the search longer
        # (-states=1 finds it all the same, in most seeds). So do libFuzzer's liking for rare
        # features and crossing over.
        # One mutation at a time: without feedback, chance shall not get all steps at once.
        ("-states=0", "-entropic=0", "-cross_over=0", "-mutate_depth=1"),
    )
