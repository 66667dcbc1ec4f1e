"""What a campaign leaves on disk, and reading it."""
