"""What a device process reaches of its own code."""
