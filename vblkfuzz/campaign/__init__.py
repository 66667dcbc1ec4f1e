"""Campaigns: the orchestrator, and the Atheris workers that it starts."""
