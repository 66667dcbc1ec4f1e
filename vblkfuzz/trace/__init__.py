"""What happened in one execution, as a value."""
