"""Program: a fuzz process that ignores ctrl-C, as a worker does, and runs until stdin closes.

It prints "ready", and at the end the number of different traces and of pairs of actors.
"""

from __future__ import annotations

import select
import signal
import sys

from vblkfuzz.process.control import GENERATION
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model

SCENARIO = Scenario(ops=(op("init"), op("publish_kick"), op("reset")))


def main() -> None:
    with model("patch-v4", "processes") as target:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # after the fork: actors do not inherit it
        digests, generations = set(), set()
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            digests.add(target.run(SCENARIO).digest)
            generations.add(target.arena.control[GENERATION])
    print(len(digests), len(generations), flush=True)


if __name__ == "__main__":
    main()
