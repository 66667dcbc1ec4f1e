"""Output of the verbs: on a terminal, as text, as JSON."""
