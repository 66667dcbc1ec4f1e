"""Campaigns: Atheris workers, their orchestrator, and what they leave in the output folder."""
