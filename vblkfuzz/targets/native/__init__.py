"""A native program as the kernel shows it: its files, memory, registers and stacks."""
