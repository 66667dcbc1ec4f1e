"""Searching the schedules of one input, within bounds."""
