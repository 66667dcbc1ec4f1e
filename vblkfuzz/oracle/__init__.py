"""Rules that a device must keep, and their judgement of traces. Begin with `oracle.judge`."""
