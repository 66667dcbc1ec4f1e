"""The files of a campaign: writing and reading them."""
