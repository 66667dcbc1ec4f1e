"""What makes new inputs of old ones: mutation, crossover, repair."""
