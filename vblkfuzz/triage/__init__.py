"""What an execution means to a person: its trace in words."""
