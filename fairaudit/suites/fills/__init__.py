"""Data of suites that fill blanks."""
