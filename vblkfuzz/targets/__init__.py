"""Targets: what a scenario runs on."""
