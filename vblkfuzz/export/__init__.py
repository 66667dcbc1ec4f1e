"""Exports of findings: reports, tests, programs, traces for viewers. One file for each form."""
