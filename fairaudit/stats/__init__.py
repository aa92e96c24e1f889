"""Intervals, tests and power as pure functions of arrays: numpy and scipy only."""
