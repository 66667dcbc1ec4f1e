"""An NBD server whose requests wait, fail and overtake each other as a scenario says."""
