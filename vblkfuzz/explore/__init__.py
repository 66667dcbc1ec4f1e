"""Exhaustive search over the schedules of one input, within bounds."""
