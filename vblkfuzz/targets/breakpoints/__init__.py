"""Breakpoints in a running program, without a debugger (ptrace(2), x86-64)."""
