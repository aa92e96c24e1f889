"""Checkpoints on disk or on the Hub: which files are read, and what is refused."""
