"""Explains executions to people: replayed inputs, cases, their stories and diagrams."""
