"""Feedback for the fuzzer: block coverage, state features, and corpus minimization by both."""
