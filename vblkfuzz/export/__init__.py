"""Findings in forms that others read: reports, tests, programs, traces for viewers. A file each."""
