"""The processes of a worker, and the memory they share."""
