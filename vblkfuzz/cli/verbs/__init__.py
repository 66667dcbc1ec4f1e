"""The verbs: a file each, which ends in its `VERB`."""
