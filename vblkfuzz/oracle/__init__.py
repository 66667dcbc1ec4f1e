"""What a device must and must not do, judged on traces. Begin with `oracle.judge`."""
