"""The rules: a file a family. A rule that is in here is asked."""
