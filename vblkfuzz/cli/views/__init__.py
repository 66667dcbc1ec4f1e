"""What the verbs show: on a terminal, as text, as JSON."""
