"""Names of violations: one bug, one name."""
