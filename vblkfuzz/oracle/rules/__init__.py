"""The rules: one file for each family. `oracle.judge` applies every rule in these files."""
