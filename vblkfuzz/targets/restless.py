"""What a device that never comes to rest raises."""


class Restless(Exception):
    """The device process never comes to rest, although it has nothing to do (L5)."""
