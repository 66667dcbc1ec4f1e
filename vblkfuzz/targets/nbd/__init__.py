"""An NBD server that delays, fails and reorders requests as a scenario says."""
