"""Where actors run as processes, and the memory they share."""
