"""One input as a value, and its three forms: fuzz bytes, MessagePack and text."""
