"""Making new inputs from old ones: mutation, crossover, repair."""
