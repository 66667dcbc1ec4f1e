"""The verbs: one file for each, which ends in its `VERB`."""
