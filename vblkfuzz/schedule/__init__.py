"""The schedule of a scenario: which actor goes on at each preemption point."""
