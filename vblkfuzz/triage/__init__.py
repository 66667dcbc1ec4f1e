"""What an execution means to a person: its trace in words, what led to it, its smallest form."""
