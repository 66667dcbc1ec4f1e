"""Measurements: speed, and time to detection."""
