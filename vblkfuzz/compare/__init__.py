"""Two or more devices against each other: what differs, and which bugs a patch brings or ends."""
