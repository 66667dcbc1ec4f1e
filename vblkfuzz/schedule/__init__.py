"""Who moves next: the schedule of a scenario, followed at each preemption point."""
