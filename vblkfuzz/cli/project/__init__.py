"""A new project for a device of your own: its files, which are filled in from templates here."""
