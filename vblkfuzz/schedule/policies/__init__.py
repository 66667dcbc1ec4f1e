"""The schedulers, a file each, found by entry point (`schedule.registry`)."""
