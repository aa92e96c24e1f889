"""Metrics: pure functions from score tables to estimates, one file per family."""
